// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYN cookies: see cookies.h.
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/cookies.h"
#include "user/devices.h"
#include "user/gate.h"
#include "user/ruleset.h"
#include "user/status.h"
#include "user/synproxy.h"

/*
 * 2: every handshake is by cookie. 1, the default: those of a socket whose queue was full within the
 * last two minutes; behind a gate only key holders can fill it. 0: none.
 */
static bool kernel_always_takes(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_syncookies", "re");
	int mode;

	if (!file)
		return errno != ENOENT; /* a kernel without cookies */
	mode = fgetc(file);
	fclose(file);
	return mode != '0' && mode != '1';
}

const char *cookies_taken_by(void)
{
	if (kernel_always_takes())
		return "net.ipv4.tcp_syncookies is 2";
	if (synproxy_in_use())
		return "a SYN proxy is in use";
	return NULL;
}

bool cookies_acks_checked(const struct tapctl *tapctl)
{
	struct tap_realm realm = { 0 };
	bool checked;

	sodium_mlock(&realm, sizeof(realm));
	if (gate_read_settings(tapctl, &realm))
		forget_failure();
	checked = realm.cookie_acks;
	sodium_munlock(&realm, sizeof(realm));
	return checked;
}

/* Whether a service is open to such ACKs when the gate does not look at them. */
static int any_exposed(const struct tapctl *tapctl, bool *any)
{
	struct tap_ruleset *set;
	int err;

	err = ruleset_read(tapctl, RULESET_SERVER, &set);
	if (err)
		return err;
	*any = false;
	for (__u32 i = 0; i < set->n_rules; i++)
		*any |= set->rules[i].service.action == TAP_ACTION_TAP &&
			!tap_service_hides(&set->rules[i].service);
	free(set);
	return 0;
}

/* Whether the gate is in this network namespace: another one has settings of its own. */
static int is_here(const struct tapctl *tapctl, bool *here)
{
	struct devices devices;
	int err;

	err = devices_open(tapctl, &server_side, &devices);
	if (err)
		return err;
	*here = false;
	for (size_t i = 0; i < devices.n; i++)
		*here |= devices.at[i].state == DEVICE_ATTACHED;
	devices_close(&devices);
	return 0;
}

int cookies_status(const struct tapctl *tapctl, const struct tap_realm *realm, json_t *server,
		   json_t *warnings)
{
	bool exposed = false, here = false;
	const char *taken_by;
	int err;

	json_object_set_new(server, "cookie_acks",
			    json_string(realm->cookie_acks ? "checked" : "unchecked"));
	if (realm->cookie_acks)
		return 0;
	err = any_exposed(tapctl, &exposed);
	if (!err)
		err = is_here(tapctl, &here);
	if (err || !exposed || !here)
		return err;
	taken_by = cookies_taken_by();
	if (taken_by)
		status_warn(warnings, "cookie_acks",
			    "%s, and was not when the gate was loaded: at services without "
			    "--stealth one random ACK in 2^29 opens a connection, without a key; run "
			    "`tapctl server load` again, with the same options", taken_by);
	return 0;
}
