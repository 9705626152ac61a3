// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate's part of tapctl status.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/advice.h"
#include "user/barrier.h"
#include "user/clock.h"
#include "user/cookies.h"
#include "user/counters.h"
#include "user/derive.h"
#include "user/gate.h"
#include "user/keytable.h"
#include "user/pins.h"
#include "user/ruleset.h"
#include "user/settings.h"
#include "user/status.h"

struct key_counts {
	__s64 now;
	unsigned int all, usable;
};

static int count_key(void *context, __u32 id, const struct tap_key *key)
{
	struct key_counts *counts = context;

	counts->all++;
	counts->usable += key_usable(key, counts->now);
	return 0;
}

static int count_keys(const struct tapctl *tapctl, struct key_counts *counts)
{
	struct keytable table;
	int err;

	err = keytable_open(tapctl, false, &table);
	if (!err)
		err = keytable_scan(&table, count_key, counts);
	keytable_close(&table);
	return err;
}

/* A rule that lets everybody through protects nothing. */
static bool any_protected(const struct tap_ruleset *set)
{
	for (__u32 i = 0; i < set->n_rules; i++)
		if (set->rules[i].service.action != TAP_ACTION_PASS)
			return true;
	return false;
}

static int warn_of_services(const struct tapctl *tapctl, const struct tap_ruleset *set,
			    json_t *warnings)
{
	struct advice_closed closed = { 0 };
	int err = 0;

	if (!any_protected(set))
		status_warn(warnings, "no_service",
			    "no service %s, so the gate passes everything: `tapctl service add PORT` "
			    "protects one",
			    set->n_rules ? "is protected" : "yet");
	if (set->n_rules)
		err = advice_closed_services(tapctl, set, 1, set->n_rules, &closed);
	if (closed.n)
		status_warn(warnings, "no_usable_key",
			    "no usable key opens port %s: `tapctl %s` lets users in, `tapctl key "
			    "list` shows what became of the keys",
			    closed.ports, closed.any_key ? "acl allow" : "key add");
	status_order(set, RULESET_SERVER, warnings);
	return err;
}

/* How many records there are at most: an LRU map cannot be asked, but admissions are counted. */
static int count_records(const struct tapctl *tapctl, __u32 replay_size, __u64 *records)
{
	struct tap_gate_state state = { 0 };
	__u32 zero = 0;
	int fd, err = 0;

	fd = pins_map(tapctl, "tap_gate_state");
	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, &state))
		err = fail(errno, "cannot read tap_gate_state: %s", cause(errno));
	*records = state.admissions < replay_size ? state.admissions : replay_size;
	close(fd);
	return err;
}

static int add_settings(const struct tapctl *tapctl, json_t *server, json_t *warnings)
{
	char at[BARRIER_TIME_BYTES];
	__u64 records = 0;
	struct tap_realm realm;
	int err;

	sodium_mlock(&realm, sizeof(realm));
	err = gate_read_settings(tapctl, &realm);
	if (!err)
		err = count_records(tapctl, realm.replay_size, &records);
	if (!err)
		err = status_realm(tapctl, &realm, server, warnings);
	if (err)
		goto out;
	status_clock(&server_side, realm.tai_minus_utc_ns, warnings);
	if (barrier_waits(&realm, at))
		status_warn(warnings, "not_admitting_yet",
			    "nobody is admitted before %s: the gate has just started, or the clock "
			    "was set back since it did (then set it right)",
			    at);
	if (realm.monitor)
		status_warn(warnings, "monitor",
			    "the gate judges and counts, but drops nothing: `tapctl server load ... "
			    "--monitor=off` ends that");
	json_object_update_new(
		server, json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:b, s:I}", "encoding",
				  settings_encoding_text(realm.encoding), "mark",
				  realm.mark_mode == TAP_MARK_SEALED ? "sealed" : "open",
				  "group_by", settings_group_by_text(realm.group_by), "skew",
				  (int)realm.skew, "replay_size", (int)realm.replay_size,
				  "replay_used", (json_int_t)records, "monitor", realm.monitor,
				  "tai_offset", (json_int_t)clock_tai_minus_utc_ns() / 1000000000));
	err = status_rates(tapctl, &realm, server, warnings);
	if (!err)
		err = cookies_status(tapctl, &realm, server, warnings);
out:
	sodium_munlock(&realm, sizeof(realm));
	return err;
}

static int add_rules(const struct tapctl *tapctl, json_t *server, json_t *warnings)
{
	struct key_counts keys = { .now = clock_now_ns() / 1000000000 };
	struct tap_ruleset *set;
	int err;

	err = ruleset_read(tapctl, RULESET_SERVER, &set);
	if (err)
		return err;
	err = count_keys(tapctl, &keys);
	if (!err)
		err = warn_of_services(tapctl, set, warnings);
	json_object_set_new(server, "services", json_integer(set->n_rules));
	json_object_set_new(server, "keys", json_integer(keys.all));
	json_object_set_new(server, "usable_keys", json_integer(keys.usable));
	free(set);
	return err;
}

static int add_totals(const struct tapctl *tapctl, json_t *server)
{
	struct counters counters;
	__u64 judged = 0;
	int err;

	err = counters_read(tapctl, &counters);
	if (err)
		return err;
	for (int i = 0; i < TAP_REASON_COUNT; i++)
		judged += counters.reasons[i];
	json_object_set_new(server, "admitted",
			    json_integer(counters.reasons[TAP_REASON_admitted]));
	/* Segments that were kept, or seen twice, are part of groups that end as one or the other. */
	json_object_set_new(server, "refused",
			    json_integer(judged - counters.reasons[TAP_REASON_admitted] -
					 counters.reasons[TAP_REASON_collecting] -
					 counters.reasons[TAP_REASON_duplicate]));
	return 0;
}

json_t *status_server(const struct tapctl *tapctl, json_t *warnings)
{
	json_t *server = json_object(), *devices;
	int err;

	err = add_settings(tapctl, server, warnings);
	if (err)
		goto out;
	devices = status_devices(tapctl, &server_side, warnings);
	if (!devices) {
		err = -EIO;
		goto out;
	}
	json_object_set_new(server, "interfaces", devices);
	err = add_rules(tapctl, server, warnings);
	if (!err)
		err = status_rule_devices(tapctl, &server_side, warnings);
	if (!err)
		err = add_totals(tapctl, server);
out:
	if (!err)
		return server;
	json_decref(server);
	return NULL;
}
