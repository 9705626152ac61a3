// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl status: what is loaded and attached, and what is wrong with it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/advice.h"
#include "user/clock.h"
#include "user/device_lint.h"
#include "user/devices.h"
#include "user/error.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/pins.h"
#include "user/status.h"
#include "user/unload.h"
#include "user/verbs.h"

void status_add_warning(json_t *warnings, const char *code, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(warnings, json_pack("{s:s, s:o}", "code", code, "text", json_text(text)));
}

void status_clock(const struct side *side, __s64 offset, json_t *warnings)
{
	if (!clock_offset_is_kernels(offset))
		status_warn(warnings, "clock_offset",
			    "the %s's clock was shifted on purpose (offset %lld ns), so it is wrong: "
			    "load again as before (`tapctl %s load -i IF ...`), which sets it right",
			    side->program, (long long)offset, side->object);
}

void status_order(const struct tap_ruleset *set, enum ruleset_side side, json_t *warnings)
{
	const char *object = side == RULESET_SERVER ? "service" : "rule";
	char ports[PORTS_TEXT];
	unsigned int at, by;

	for (at = 1; at <= set->n_rules; at++) {
		by = advice_covered_by(set, side, at);
		if (by)
			status_warn(warnings, "never_matches",
				    "%s %u (port %s) never matches, because %s %u comes first and takes "
				    "all of its connections: see `tapctl %s list`; add it again with "
				    "--at, or remove the one that is not meant",
				    object, at, ports_text(&set->rules[at - 1], ports), object, by,
				    object);
	}
}

/* Once for both sides: the machine has one clock. */
static void warn_of_clock(json_t *warnings)
{
	int synchronised = clock_is_synchronised();

	if (synchronised > 0)
		return;
	status_warn(warnings, "clock_unsynchronised",
		    "the kernel %s%s%s; nobody gets in once the clocks of client and server differ "
		    "by more than --skew: run a time daemon (`timedatectl set-ntp true`, or chrony "
		    "with `rtcsync` in its configuration)",
		    synchronised ? "does not say whether the clock is synchronised (adjtimex: " :
				   "says that nothing keeps this clock synchronised (STA_UNSYNC)",
		    synchronised ? strerror(-synchronised) : "", synchronised ? ")" : "");
}

static void warn_of_gone(const struct side *side, const struct device *device, json_t *warnings)
{
	status_warn(warnings, "device_gone",
		    "the %s is no longer on %s: the interface was removed, or the program was taken "
		    "off; `tapctl %s load -i %s ...` attaches it again, `tapctl %s unload -i %s` takes it "
		    "off this list (%s stay)",
		    side->program, device->name, side->object, device->name, side->object, device->name,
		    side == &server_side ? "keys and services" : "peers and rules");
}

json_t *status_devices(const struct tapctl *tapctl, const struct side *side, json_t *warnings)
{
	static const char *const states[] = { "attached", "gone", "other network namespace" };
	json_t *list = json_array();
	struct devices devices;

	if (devices_open(tapctl, side, &devices))
		return NULL;
	for (size_t i = 0; i < devices.n; i++) {
		const struct device *device = &devices.at[i];

		json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:s}", "name", device->name,
						      "ifindex", device->ifindex, "hook",
						      hook_label(device->record.hook), "state",
						      states[device->state]));
		if (device->state == DEVICE_GONE)
			warn_of_gone(side, device, warnings);
	}
	if (!devices_any(&devices))
		status_warn(warnings, "not_attached",
			    "the %s is attached to no interface, and %s: `tapctl %s load -i IF ...` "
			    "attaches it",
			    side->program,
			    side == &server_side ? "protects nothing" : "no SYN carries a key",
			    side->object);
	devices_close(&devices);
	return list;
}

static void warn_of_device(void *warnings, const struct device_finding *finding)
{
	status_add_warning(warnings, finding->code, "%s", finding->text);
}

int status_rule_devices(const struct tapctl *tapctl, const struct side *side, json_t *warnings)
{
	return device_lint(tapctl, side, warn_of_device, warnings);
}

static void print_value(const char *name, const json_t *value)
{
	if (json_is_string(value))
		printf("  %-12s %s\n", name, json_string_value(value));
	else if (json_is_integer(value))
		printf("  %-12s %lld\n", name, (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		printf("  %-12s %s\n", name, json_is_true(value) ? "yes" : "no");
}

static void print_devices(const json_t *devices)
{
	size_t i;
	json_t *device;

	json_array_foreach (devices, i, device)
		printf("  %-12s %s, %s, %s\n", i ? "" : "interfaces",
		       json_string_value(json_object_get(device, "name")),
		       json_string_value(json_object_get(device, "hook")),
		       json_string_value(json_object_get(device, "state")));
}

/* The realms of a client's peers. */
static void print_realms(const json_t *realms)
{
	size_t i;
	json_t *realm;

	json_array_foreach (realms, i, realm)
		printf("  %-12s %s, secret with fingerprint %s\n", i ? "" : "realms",
		       json_string_value(json_object_get(realm, "realm_id")),
		       json_string_value(json_object_get(realm, "fingerprint")));
}

/* The keys that were last used under a secret that is about to end. */
static void print_old_users(const json_t *keys)
{
	size_t i;
	json_t *key;

	json_array_foreach (keys, i, key)
		printf("  %-12s key %lld %s, last at %s\n", i ? "" : "still use it",
		       (long long)json_integer_value(json_object_get(key, "id")),
		       json_string_value(json_object_get(key, "name")),
		       json_string_value(json_object_get(key, "last")));
}

static void print_array(const char *key, const json_t *array)
{
	if (!strcmp(key, "interfaces"))
		print_devices(array);
	else if (!strcmp(key, "realms"))
		print_realms(array);
	else if (!strcmp(key, "old_secret_keys"))
		print_old_users(array);
}

/* Names are printed as they are in JSON, with blanks. */
static void print_side(const char *title, json_t *side)
{
	const char *key;
	char name[32];
	json_t *value;

	printf("%s\n", title);
	json_object_foreach (side, key, value) {
		snprintf(name, sizeof(name), "%s", key);
		for (char *at = name; *at; at++)
			if (*at == '_')
				*at = ' ';
		if (json_is_array(value))
			print_array(key, value);
		else
			print_value(name, value);
	}
}

static int print_status(const struct tapctl *tapctl, json_t *server, json_t *client,
			json_t *warnings)
{
	size_t i;
	json_t *warning;

	if (tapctl->json)
		return output_json(json_pack("{s:o, s:O*, s:O*, s:O}", "pin_dir",
					     json_text(tapctl->pin_dir),
					     "server", server, "client", client, "warnings",
					     warnings));
	if (server)
		print_side("Server", server);
	if (client)
		print_side("Client", client);
	json_array_foreach (warnings, i, warning)
		printf("warning: %s: %s\n", json_string_value(json_object_get(warning, "code")),
		       json_string_value(json_object_get(warning, "text")));
	return output_flush();
}

/* A side whose settings are missing was not loaded to the end. */
static int look_at(const struct tapctl *tapctl, const struct side *side,
		   json_t *(*look)(const struct tapctl *, json_t *), json_t **state,
		   json_t *warnings)
{
	if (pins_have(tapctl, side->settings)) {
		*state = look(tapctl, warnings);
		return *state ? 0 : -EIO;
	}
	if (unload_anything_there(tapctl, side))
		status_warn(warnings, "unfinished",
			    "a `tapctl %s load` or `unload` did not finish: run it again",
			    side->object);
	return 0;
}

int status_show(const struct tapctl *tapctl, int argc, char **argv)
{
	json_t *server = NULL, *client = NULL, *warnings;
	int lock, err;

	if (argc > 1)
		return usage("unexpected word \"%s\": status takes none", argv[1]);
	lock = pins_open(tapctl, PINS_READ);
	if (lock < 0)
		return lock;
	warnings = json_array();
	err = look_at(tapctl, &server_side, status_server, &server, warnings);
	if (!err)
		err = look_at(tapctl, &client_side, status_client, &client, warnings);
	if (!err)
		err = clock_refresh(tapctl);
	if (!err && !server && !client && !json_array_size(warnings))
		err = fail(ENOENT,
			   "nothing is loaded in %s: run `tapctl server load` or `tapctl client "
			   "load` first",
			   tapctl->pin_dir);
	if (!err && (server || client))
		warn_of_clock(warnings);
	if (!err)
		err = print_status(tapctl, server, client, warnings);
	if (!err && json_array_size(warnings))
		err = WARNED;
	json_decref(server);
	json_decref(client);
	json_decref(warnings);
	close(lock);
	return err;
}
