/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device of a service or client rule. Its name is what counts: it is looked up again at every
 * load, before anything is attached, so that a device that was deleted and made again has its rules
 * when the program comes to it. In between, packets are compared by the number found then.
 */
#ifndef TAP_RULE_DEVICE_H
#define TAP_RULE_DEVICE_H

#include <stdbool.h>

#include "tap/maps.h"
#include "user/devices.h"

/* What is known of the device that a rule names. */
struct rule_device_look {
	__u64 netns; /* where this is looked up */
	__u32 by_name; /* the number of the device that has the name there; 0: none */
	bool attached; /* the program is on the device with the number that the rule has */
};

/*
 * The number that the rule is to match from now on:
 * - that of the device with its name;
 * - without one, the number it has, if the program is attached there: the device was renamed;
 * - else TAP_IFINDEX_GONE.
 * A name from another network namespace means the same name in this one, because the program can only
 * be attached in one. Not so for a service that lets everybody pass: what opens needs more than a name.
 */
__u32 rule_device_resolve(const struct tap_rule *rule, bool passes,
			  const struct rule_device_look *look);

/*
 * Resolves all of a set's; `devices`: where the program is attached now. 1 if a number changed, 0, or
 * a negative errno after fail().
 */
int rule_devices_resolve(struct tap_ruleset *set, const struct side *side,
			 const struct devices *devices);

#endif /* TAP_RULE_DEVICE_H */
