/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Services and client rules whose device keeps them from ever matching, which leaves a port open:
 * the device is gone, or the gate is not where it would see packets on it.
 */
#ifndef TAP_DEVICE_LINT_H
#define TAP_DEVICE_LINT_H

#include "user/sight.h"

#define DEVICE_LINT_TEXT 400 /* without the rules' numbers */

struct device_finding {
	const char *code; /* rule_device_gone, rule_device_renamed, device_without_gate or _splitter */
	char text[DEVICE_LINT_TEXT + 100]; /* one line: which rules, why, what to do */
};

typedef void device_finding_take(void *context, const struct device_finding *finding);

/*
 * Hands over what is wrong with the devices of the rules in force on this side, once for each device.
 * Nothing from another network namespace than the program's, where no device can be looked up. 0 or a
 * negative errno after fail().
 */
int device_lint(const struct tapctl *tapctl, const struct side *side, device_finding_take *take,
		void *context);

/* The same as notes; what fails on the way is left out. */
void device_lint_notes(const struct tapctl *tapctl, const struct side *side);

/*
 * For a rule to be added: -EINVAL after fail() if the program is attached where it sees the packets
 * of the rule's device on another one, so that the rule would never match; a note if the program is
 * not on the device at all. Looks only if the rule has a device.
 */
int device_lint_new(const struct tapctl *tapctl, const struct side *side,
		    const struct tap_rule *rule);

#endif /* TAP_DEVICE_LINT_H */
