// SPDX-License-Identifier: GPL-2.0-only
/*
 * The splitter's part of tapctl status.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/clock.h"
#include "user/counters.h"
#include "user/derive.h"
#include "user/peers.h"
#include "user/pins.h"
#include "user/status.h"

static int add_settings(const struct tapctl *tapctl, json_t *client, json_t *warnings)
{
	struct tap_client settings = { 0 };
	__u32 zero = 0;
	int fd, err = 0;

	fd = pins_map(tapctl, client_side.settings);
	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, &settings))
		err = fail(errno, "cannot read the splitter's settings: %s", cause(errno));
	close(fd);
	if (err)
		return err;
	status_clock(&client_side, settings.tai_minus_utc_ns, warnings);
	json_object_set_new(client, "source_ports",
			    json_sprintf("%u-%u", settings.port_lo, settings.port_hi));
	json_object_set_new(client, "tai_offset",
			    json_integer(clock_tai_minus_utc_ns() / 1000000000));
	return 0;
}

static bool same_realm(const struct tap_peer *a, const struct tap_peer *b)
{
	return !memcmp(a->realm_id, b->realm_id, sizeof(a->realm_id)) &&
	       !memcmp(a->fingerprint, b->fingerprint, sizeof(a->fingerprint));
}

/* Each realm and secret once, however many peers have it. */
static void add_realms(const struct peers *peers, json_t *client)
{
	char id[DERIVE_ID_TEXT], fingerprint[DERIVE_FINGERPRINT_BYTES];
	json_t *realms = json_array();
	int i, before;

	for (i = 0; i < TAP_PEERS_MAX; i++) {
		const struct tap_peer *peer = &peers->entries[i];

		if (!peer->key_id)
			continue;
		for (before = 0; before < i; before++)
			if (peers->entries[before].key_id && same_realm(&peers->entries[before], peer))
				break;
		if (before < i)
			continue;
		derive_id_text(peer->realm_id, id);
		derive_fingerprint_text(peer->fingerprint, fingerprint);
		json_array_append_new(realms, json_pack("{s:s, s:s}", "realm_id", id, "fingerprint",
							fingerprint));
	}
	json_object_set_new(client, "realms", realms);
}

static void warn_of_rules(const struct tap_ruleset *rules, int peers, json_t *warnings)
{
	if (!rules->n_rules)
		status_warn(warnings, "no_rule",
			    "no rule yet, so the splitter changes nothing: `tapctl %s add` is next",
			    peers ? "rule" : "peer");
	status_order(rules, RULESET_CLIENT, warnings);
}

static int add_rules(const struct tapctl *tapctl, json_t *client, json_t *warnings)
{
	struct peers peers;
	int n = 0, err;

	err = peers_open(tapctl, false, &peers);
	if (err)
		goto out;
	for (int i = 0; i < TAP_PEERS_MAX; i++)
		n += peers.entries[i].key_id != 0;
	warn_of_rules(peers.rules, n, warnings);
	add_realms(&peers, client);
	json_object_set_new(client, "peers", json_integer(n));
	json_object_set_new(client, "rules", json_integer(peers.rules->n_rules));
out:
	peers_close(&peers);
	return err;
}

static int add_totals(const struct tapctl *tapctl, json_t *client)
{
	struct counters counters;
	int err;

	err = counters_read(tapctl, &counters);
	for (int i = 0; !err && i < TAP_SPLIT_COUNT; i++)
		json_object_set_new(client, split_labels[i].label,
				    json_integer(counters.splits[i]));
	return err;
}

json_t *status_client(const struct tapctl *tapctl, json_t *warnings)
{
	json_t *client = json_object(), *devices;
	int err;

	err = add_settings(tapctl, client, warnings);
	if (err)
		goto out;
	devices = status_devices(tapctl, &client_side, warnings);
	if (!devices) {
		err = -EIO;
		goto out;
	}
	json_object_set_new(client, "interfaces", devices);
	err = add_rules(tapctl, client, warnings);
	if (!err)
		err = status_rule_devices(tapctl, &client_side, warnings);
	if (!err)
		err = add_totals(tapctl, client);
out:
	if (!err)
		return client;
	json_decref(client);
	return NULL;
}
