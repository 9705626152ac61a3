// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule sets of either side, as tapctl compiles them and the programs look them up, against the
 * obvious way: go through the rules from the first to the last.
 */
#include <stdlib.h>

#include "bpf/rules.h"
#include "selftests/fuzz/fuzz.h"
#include "user/pins.h"
#include "user/ruleset.h"

#define RULES 12

/* Nothing is published here. */
int pins_map(const struct tapctl *tapctl, const char *name)
{
	return -1;
}

/* Few addresses, so that prefixes meet them. */
static void address(struct input *input, uint8_t a[16])
{
	uint8_t bits = take8(input);

	memset(a, bits & 1 ? 0xff : 0, 16);
	a[0] = bits >> 1 & 3;
	a[8] = bits >> 3 & 3;
	a[15] = bits >> 5;
}

static void prefix(struct input *input, struct tap_prefix *p)
{
	uint8_t a[16], mask[16] = { 0 }, kind = take8(input);
	unsigned int bits = kind & 1 ? 0 : kind >> 1 & 1 ? 128 : kind % 129, i;

	address(input, a);
	for (i = 0; i < bits; i++)
		mask[i / 8] |= 0x80 >> i % 8;
	for (i = 0; i < 16; i++)
		a[i] &= mask[i];
	memcpy(p->addr, a, 16);
	memcpy(p->mask, mask, 16);
}

/* In order and without overlap, as parse_ports() stores them. */
static void ports(struct input *input, struct tap_rule *rule)
{
	uint32_t at = take8(input) & 3 ? take8(input) : take16(input);
	uint32_t n = 1 + take_below(input, 16);

	while (rule->n_ports < n && at <= 65535) {
		uint32_t hi = at + take8(input) * (take8(input) & 1 ? 1 : 256);

		rule->ports[rule->n_ports++] =
			(struct tap_port_range){ at, hi > 65535 ? 65535 : hi };
		at = hi + 1 + take8(input);
	}
}

static void rule_of(struct input *input, struct tap_rule *rule, bool client)
{
	uint8_t bits = take8(input);

	memset(rule, 0, sizeof(*rule));
	ports(input, rule);
	if (bits & 1)
		prefix(input, &rule->dst);
	if (bits & 2)
		prefix(input, &rule->src);
	rule->ifindex = bits & 4 ? 1 + (bits >> 3 & 1) : 0;
	if (client) {
		rule->client.uid = bits & 16 ? TAP_UID_ANY : take_below(input, 3);
		rule->client.origin = take_below(input, 3);
	} else {
		rule->service.action = take_below(input, 3);
	}
}

static bool holds(const struct tap_prefix *p, const __u64 address[2])
{
	const uint8_t *want = (const uint8_t *)p->addr, *mask = (const uint8_t *)p->mask;
	const uint8_t *have = (const uint8_t *)address;
	unsigned int i;

	for (i = 0; i < 16; i++)
		if ((have[i] & mask[i]) != want[i])
			return false;
	return true;
}

static bool names(const struct tap_rule *rule, const struct tap_packet *p, bool client)
{
	unsigned int i;

	if (!p->port_known)
		return !client && rule->service.action != TAP_ACTION_PASS;
	for (i = 0; i < rule->n_ports; i++)
		if (p->dport >= rule->ports[i].lo && p->dport <= rule->ports[i].hi)
			return true;
	return false;
}

static bool fits(const struct tap_rule *rule, const struct rules_search *who,
		 const struct tap_packet *p)
{
	if (!names(rule, p, who->client) || (rule->ifindex && rule->ifindex != who->ifindex) ||
	    !holds(&rule->dst, p->dst) || !holds(&rule->src, p->src))
		return false;
	if (!who->client)
		return true;
	if (rule->client.origin != TAP_ORIGIN_ANY && rule->client.origin != who->origin)
		return false;
	return rule->client.uid == TAP_UID_ANY ||
	       (who->origin == TAP_ORIGIN_LOCAL && rule->client.uid == who->uid);
}

static void look_up(struct input *input, const struct tap_ruleset *set, bool client)
{
	struct tap_packet p = { .dport = take16(input), .port_known = take8(input) & 7 };
	struct rules_search who = { .set = set, .client = client };
	uint32_t found, want;
	uint8_t bits = take8(input);

	if (bits & 1 && set->n_rules) { /* at the edge of some rule's range */
		const struct tap_port_range *range = &set->rules[bits % set->n_rules].ports[0];

		p.dport = (bits & 2 ? range->lo : range->hi) + (bits >> 2) % 3 - 1;
	}
	who.ifindex = 1 + (bits >> 4 & 1);
	who.uid = take_below(input, 3);
	who.origin = bits >> 5 & 1 ? TAP_ORIGIN_FORWARD : TAP_ORIGIN_LOCAL;
	address(input, (uint8_t *)p.src);
	address(input, (uint8_t *)p.dst);
	who.class = rules_at_port(set, &p);
	found = rules_find(&who, &p);
	for (want = 0; want < set->n_rules; want++)
		if (fits(&set->rules[want], &who, &p))
			break;
	if (want == set->n_rules)
		want = TAP_RULES_MAX;
	MUST(found == want, "port %u: rule %u, should be %u", p.port_known ? p.dport : 0, found,
	     want);
	MUST(rule_at(set, found) == (want < TAP_RULES_MAX ? &set->rules[want] : NULL), "%u", found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tap_ruleset set;
	struct input input = { data, size };
	uint8_t kind = take8(&input);
	enum ruleset_side side = kind & 1 ? RULESET_CLIENT : RULESET_SERVER;
	unsigned int n = take_below(&input, RULES + 1), r;
	struct tap_rule rule;

	set.n_rules = 0;
	for (r = 0; r < n; r++) {
		rule_of(&input, &rule, kind & 1);
		MUST(!ruleset_insert(&set, side, &rule, kind & 2 ? 1 : 0), "insert");
	}
	if (kind & 4 && n)
		MUST(!ruleset_remove(&set, side, 1 + take_below(&input, n)), "remove");
	MUST(!ruleset_compile(&set, side), "compile");
	if (side == RULESET_SERVER) { /* for frames of which nothing is known */
		for (r = 0; r < set.n_rules; r++)
			if (set.rules[r].service.action != TAP_ACTION_PASS)
				break;
		MUST(rules_any(&set) == (r < set.n_rules ? r : TAP_RULES_MAX), "%u", r);
	}
	do
		look_up(&input, &set, kind & 1);
	while (input.left);
	return 0;
}
