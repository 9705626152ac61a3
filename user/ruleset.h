/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The published rule sets: services at the gate, rules at the splitter. A change is made to a copy
 * and put in place whole, so a packet sees the old set or the new one. Functions return 0, or
 * -errno after fail().
 */
#ifndef TAP_RULESET_H
#define TAP_RULESET_H

#include "tap/maps.h"
#include "user/tapctl.h"

enum ruleset_side {
	RULESET_SERVER, /* tap_services */
	RULESET_CLIENT, /* tap_rules */
};

/* A copy of the set in force, for free(); an empty one if none was ever published. */
int ruleset_read(const struct tapctl *tapctl, enum ruleset_side side, struct tap_ruleset **set);

/* Puts a rule before rule number `at` (from 1); at 0, or one past the end, appends it. */
int ruleset_insert(struct tap_ruleset *set, enum ruleset_side side, const struct tap_rule *rule,
		   unsigned int at);

/* Takes rule number `at` (from 1) out. */
int ruleset_remove(struct tap_ruleset *set, enum ruleset_side side, unsigned int at);

/* Works out port_class and class_rules from rules. */
int ruleset_compile(struct tap_ruleset *set, enum ruleset_side side);

/* Compiles the set and makes it the one in force. Once it returns, no packet sees the old one. */
int ruleset_publish(const struct tapctl *tapctl, enum ruleset_side side, struct tap_ruleset *set);

#endif /* TAP_RULESET_H */
