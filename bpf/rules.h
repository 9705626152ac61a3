/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the rule for a packet. A table gives the class of the packet's port, so a port that no rule
 * names costs one look, and only rules that name the port are compared; the first one that matches
 * wins. Both sides use it (struct tap_ruleset).
 */
#ifndef TAP_RULES_H
#define TAP_RULES_H

#include "bpf/parse.h"
#include "tap/maps.h"

static __always_inline bool prefix_holds(const struct tap_prefix *prefix, const __u64 address[2])
{
	return !(((address[0] & prefix->mask[0]) ^ prefix->addr[0]) |
		 ((address[1] & prefix->mask[1]) ^ prefix->addr[1]));
}

/*
 * What a packet is compared by. A copy, so that the packet itself can stay in registers: most
 * searches end before this is ever written to memory.
 */
struct rules_search {
	const struct tap_ruleset *set;
	__u64 src[2];
	__u64 dst[2];
	__u32 ifindex;
	__u32 class;
	__u32 first; /* rule_step() looks at rules from here on */
	__u32 found; /* number of the rule that matched; TAP_RULES_MAX: none */
	__u32 uid; /* client only: owner of the socket */
	__u8 origin; /* client only: TAP_ORIGIN_LOCAL or TAP_ORIGIN_FORWARD */
	bool client;
};

/* Everything but the port, which the class has answered for. */
static __always_inline bool rule_holds(const struct tap_rule *rule, const struct rules_search *s)
{
	if (rule->ifindex && rule->ifindex != s->ifindex)
		return false;
	if (s->client) {
		if (rule->client.origin != TAP_ORIGIN_ANY && rule->client.origin != s->origin)
			return false;
		/* A forwarded segment has no owner here, whatever number the kernel gives it. */
		if (rule->client.uid != TAP_UID_ANY &&
		    (s->origin != TAP_ORIGIN_LOCAL || rule->client.uid != s->uid))
			return false;
	}
	return prefix_holds(&rule->dst, s->dst) && prefix_holds(&rule->src, s->src);
}

static __always_inline bool rule_in_class(const struct tap_ruleset *set, __u32 class, __u32 rule)
{
	return class < TAP_CLASSES_MAX && rule < TAP_RULES_MAX &&
	       (set->class_rules[class][rule / 64] >> (rule % 64) & 1);
}

static long rule_step(__u32 i, void *context)
{
	struct rules_search *s = context;
	__u32 rule = s->first + i;

	if (rule >= TAP_RULES_MAX || rule >= s->set->n_rules)
		return 1;
	if (!rule_in_class(s->set, s->class, rule) || !rule_holds(&s->set->rules[rule], s))
		return 0;
	s->found = rule;
	return 1;
}

/* What port_class says of the packet's port: its class, or its only rule with TAP_RULE_ALONE. */
static __always_inline __u32 rules_at_port(const struct tap_ruleset *set, const struct tap_packet *p)
{
	__u32 port = p->dport;

	/* The verifier of Linux 6.1 forgets how large a number can be that was kept on the stack. */
	TAP_KEEP_ORDER(port);
	return p->port_known ? set->port_class[port & 0xffff] : TAP_CLASS_UNKNOWN_PORT;
}

/*
 * The number of the first rule that matches, or TAP_RULES_MAX. The first rule of the class, mostly
 * the only one and mostly without any other condition, is looked at in place; the rest in a loop out
 * of line. `who` says what the packet itself does not: set, class (from rules_at_port()), ifindex,
 * and the client's fields.
 */
static __always_inline __u32 rules_find(const struct rules_search *who, const struct tap_packet *p)
{
	const struct tap_ruleset *set = who->set;
	__u32 first = who->class;
	struct rules_search s;

	if (!(first & TAP_RULE_ALONE)) {
		if (first == TAP_CLASS_NONE || first >= TAP_CLASSES_MAX)
			return TAP_RULES_MAX;
		first = set->class_first[first];
	}
	if (first & TAP_RULE_ALONE)
		return first & (TAP_RULES_MAX - 1);
	if (first >= TAP_RULES_MAX)
		return TAP_RULES_MAX;
	s = *who;
	__builtin_memcpy(s.src, p->src, sizeof(s.src));
	__builtin_memcpy(s.dst, p->dst, sizeof(s.dst));
	s.first = first;
	s.found = TAP_RULES_MAX;
	bpf_loop(TAP_RULES_MAX, rule_step, &s, 0);
	return s.found;
}

/* The first rule that a packet could fall under of which nothing is known; TAP_RULES_MAX: none. */
static __always_inline __u32 rules_any(const struct tap_ruleset *set)
{
	__u32 first = set->class_first[TAP_CLASS_UNKNOWN_PORT];

	return first & TAP_RULE_ALONE ? first & (TAP_RULES_MAX - 1) : first;
}

/* The rule of that number, or NULL for TAP_RULES_MAX. */
static __always_inline const struct tap_rule *rule_at(const struct tap_ruleset *set, __u32 number)
{
	if (number >= TAP_RULES_MAX)
		return NULL;
	/* Or clang would compute the address before the comparison, from a number without bounds. */
	TAP_KEEP_ORDER(number);
	return &set->rules[number & (TAP_RULES_MAX - 1)];
}

#endif /* TAP_RULES_H */
