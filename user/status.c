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

#include "user/clock.h"
#include "user/device_lint.h"
#include "user/devices.h"
#include "user/error.h"
#include "user/output.h"
#include "user/pins.h"
#include "user/status.h"
#include "user/unload.h"
#include "user/verbs.h"

void status_warn(json_t *warnings, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(warnings, json_string(text));
}

void status_clock(const char *program, __s64 offset, json_t *warnings)
{
	if (!clock_offset_is_kernels(offset))
		status_warn(warnings,
			    "the %s's clock was shifted on purpose (offset %lld ns): it does not "
			    "tell the right time",
			    program, (long long)offset);
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
			status_warn(warnings,
				    "the %s is no longer on %s: the interface was removed, or the "
				    "program was taken off; `tapctl %s load -i %s ...` attaches it "
				    "again, `tapctl %s unload -i %s` takes it off this list (%s stay)",
				    side->program, device->name, side->object, device->name,
				    side->object, device->name,
				    side == &server_side ? "keys and services" : "peers and rules");
	}
	if (!devices_any(&devices))
		status_warn(warnings,
			    "the %s is attached to no interface%s: `tapctl %s load -i IF ...` "
			    "attaches it",
			    side->program, side == &server_side ? ", and protects nothing" : "",
			    side->object);
	devices_close(&devices);
	return list;
}

static void warn_of_device(void *warnings, const struct device_finding *finding)
{
	status_warn(warnings, "%s", finding->text); /* code: finding->code */
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
			print_devices(value);
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
		printf("warning: %s\n", json_string_value(warning));
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
		status_warn(warnings,
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
	if (!err)
		err = print_status(tapctl, server, client, warnings);
	json_decref(server);
	json_decref(client);
	json_decref(warnings);
	close(lock);
	return err;
}
