/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `tapctl status` finds out, as JSON; the page for people is printed from the same.
 */
#ifndef TAP_STATUS_H
#define TAP_STATUS_H

#include <jansson.h>

#include "user/side.h"
#include "user/tapctl.h"

/*
 * The state of one side. Adds to `warnings` (an array of strings) what an administrator should do
 * something about. NULL after fail().
 */
json_t *status_server(const struct tapctl *tapctl, json_t *warnings);
json_t *status_client(const struct tapctl *tapctl, json_t *warnings);

/* Where it is attached: an array of name, hook, state. NULL after fail(). */
json_t *status_devices(const struct tapctl *tapctl, const struct side *side, json_t *warnings);

/* What is wrong with the devices of its rules: codes rule_device_gone, device_without_gate and the like
 * (user/device_lint.h). 0 or a negative errno after fail(). */
int status_rule_devices(const struct tapctl *tapctl, const struct side *side, json_t *warnings);

/* What is to be said of a clock offset that was found in the settings. */
void status_clock(const char *program, __s64 offset, json_t *warnings);

void status_warn(json_t *warnings, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif /* TAP_STATUS_H */
