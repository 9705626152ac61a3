/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `tapctl status` finds out, as JSON; the page for people is printed from the same.
 */
#ifndef TAP_STATUS_H
#define TAP_STATUS_H

#include <jansson.h>

#include "tap/maps.h"
#include "user/ruleset.h"
#include "user/side.h"
#include "user/tapctl.h"
#include "user/warnings.h"

/*
 * The state of one side. Adds to `warnings` (an array of objects with code and text) what an
 * administrator should do something about. NULL after fail().
 */
json_t *status_server(const struct tapctl *tapctl, json_t *warnings);
json_t *status_client(const struct tapctl *tapctl, json_t *warnings);

/* Where it is attached: an array of name, hook, state. NULL after fail(). */
json_t *status_devices(const struct tapctl *tapctl, const struct side *side, json_t *warnings);

/* What is wrong with the devices of its rules: codes rule_device_gone, device_without_gate and the like
 * (user/device_lint.h). 0 or a negative errno after fail(). */
int status_rule_devices(const struct tapctl *tapctl, const struct side *side, json_t *warnings);

/* What is to be said of a clock offset that was found in the settings. */
void status_clock(const struct side *side, __s64 offset, json_t *warnings);

/* The realm of the settings, and who still uses its old secret. 0 or -errno after fail(). */
int status_realm(const struct tapctl *tapctl, const struct tap_realm *realm, json_t *server,
		 json_t *warnings);

/* How many keys together can fill the replay window. 0 or -errno after fail(). */
int status_rates(const struct tapctl *tapctl, const struct tap_realm *realm, json_t *server,
		 json_t *warnings);

/* Warns of services or rules that never match for another that comes before them. */
void status_order(const struct tap_ruleset *set, enum ruleset_side side, json_t *warnings);

/* Adds a warning. CODE is a string literal from the list in user/warnings.h. */
#define status_warn(warnings, code, ...)                                                         \
	do {                                                                                     \
		_Static_assert(WARNING_LISTED(code), code " is not in user/warnings.h");         \
		status_add_warning(warnings, code, __VA_ARGS__);                                 \
	} while (0)

void status_add_warning(json_t *warnings, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* TAP_STATUS_H */
