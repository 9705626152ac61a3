// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading, changing, compiling and publishing rule sets (struct tap_ruleset). Port classes come
 * from one sweep over the ports at which some rule's range begins or ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "user/pins.h"
#include "user/ruleset.h"

static const struct {
	const char *map;
	const char *object; /* as in 'tapctl service list' */
} sides[] = {
	[RULESET_SERVER] = { "tap_services", "service" },
	[RULESET_CLIENT] = { "tap_rules", "rule" },
};

static const __u32 only_entry;

/* Copies the published set, if there is one. */
static int read_published(int outer, struct tap_ruleset *set)
{
	__u32 id;
	int inner, err = 0;

	if (bpf_map_lookup_elem(outer, &only_entry, &id))
		return errno == ENOENT ? 0 : -errno;
	inner = bpf_map_get_fd_by_id(id);
	if (inner < 0)
		return -errno;
	if (bpf_map_lookup_elem(inner, &only_entry, set))
		err = -errno;
	close(inner);
	if (!err && set->n_rules > TAP_RULES_MAX)
		err = -EUCLEAN;
	return err;
}

int ruleset_read(const struct tapctl *tapctl, enum ruleset_side side, struct tap_ruleset **set)
{
	struct tap_ruleset *copy;
	int outer, err;

	outer = pins_map(tapctl, sides[side].map);
	if (outer < 0)
		return outer;
	copy = calloc(1, sizeof(*copy));
	err = copy ? read_published(outer, copy) : -ENOMEM;
	close(outer);
	if (err) {
		free(copy);
		return fail(-err, "cannot read the %ss in force: %s", sides[side].object,
			    cause(-err));
	}
	*set = copy;
	return 0;
}

int ruleset_insert(struct tap_ruleset *set, enum ruleset_side side, const struct tap_rule *rule,
		   unsigned int at)
{
	const char *object = sides[side].object;

	if (set->n_rules >= TAP_RULES_MAX)
		return fail(ENOSPC, "there are %u %ss, and no more are possible: join some (port ranges, "
			    "prefixes), see 'tapctl %s list'",
			    TAP_RULES_MAX, object, object);
	if (at > set->n_rules + 1)
		return fail(ENOENT, "--at %u: there are only %u %ss (see 'tapctl %s list'), so the last "
			    "place is %u", at, set->n_rules, object, object, set->n_rules + 1);
	if (!at)
		at = set->n_rules + 1;
	memmove(&set->rules[at], &set->rules[at - 1],
		(set->n_rules - (at - 1)) * sizeof(set->rules[0]));
	set->rules[at - 1] = *rule;
	set->n_rules++;
	return 0;
}

int ruleset_remove(struct tap_ruleset *set, enum ruleset_side side, unsigned int at)
{
	const char *object = sides[side].object;

	if (!set->n_rules)
		return fail(ENOENT, "there is no %s to delete", object);
	if (!at || at > set->n_rules)
		return fail(ENOENT, "there is no %s %u: they are numbered from 1 to %u, see 'tapctl %s list'",
			    object, at, set->n_rules, object);
	set->n_rules--;
	memmove(&set->rules[at - 1], &set->rules[at],
		(set->n_rules - (at - 1)) * sizeof(set->rules[0]));
	memset(&set->rules[set->n_rules], 0, sizeof(set->rules[0]));
	return 0;
}

/* A rule's range begins at this port, or ended just before it: (port << 16) | rule. */
typedef __u64 edge_t;
#define EDGE(port, rule) ((edge_t)(port) << 16 | (rule))

static int by_value(const void *a, const void *b)
{
	edge_t x = *(const edge_t *)a, y = *(const edge_t *)b;

	return x < y ? -1 : x > y;
}

/* One rule's ranges do not overlap, so crossing an edge turns the rule on or off. */
static size_t find_edges(const struct tap_ruleset *set, edge_t *edges)
{
	size_t n = 0;
	__u32 r, p;

	for (r = 0; r < set->n_rules; r++) {
		const struct tap_rule *rule = &set->rules[r];

		for (p = 0; p < rule->n_ports; p++) {
			edges[n++] = EDGE(rule->ports[p].lo, r);
			edges[n++] = EDGE(rule->ports[p].hi + 1u, r);
		}
	}
	qsort(edges, n, sizeof(edges[0]), by_value);
	return n;
}

/* The class whose rules are exactly these, a new one if need be; -ENOSPC. */
static int class_of(struct tap_ruleset *set, __u32 *n_classes, const __u64 rules[TAP_RULE_WORDS])
{
	static const __u64 none[TAP_RULE_WORDS];
	size_t bytes = sizeof(none);
	__u32 c;

	if (!memcmp(rules, none, bytes))
		return TAP_CLASS_NONE;
	for (c = TAP_CLASS_FIRST; c < *n_classes; c++)
		if (!memcmp(set->class_rules[c], rules, bytes))
			return c;
	if (c >= TAP_CLASSES_MAX)
		return -ENOSPC;
	memcpy(set->class_rules[c], rules, bytes);
	*n_classes = c + 1;
	return c;
}

/* Gives every port its class. */
static int sweep(struct tap_ruleset *set, const edge_t *edges, size_t n_edges)
{
	__u64 rules[TAP_RULE_WORDS] = {};
	__u32 n_classes = TAP_CLASS_FIRST, port, end;
	size_t i = 0;
	int class;

	while (i < n_edges) {
		port = edges[i] >> 16;
		for (; i < n_edges && edges[i] >> 16 == port; i++) {
			__u32 r = edges[i] & 0xffff;

			rules[r / 64] ^= 1ULL << (r % 64);
		}
		end = i < n_edges ? edges[i] >> 16 : 65536;
		class = class_of(set, &n_classes, rules);
		if (class < 0)
			return class;
		for (; port < end; port++)
			set->port_class[port] = class;
	}
	return 0;
}

/* Whether the rule asks for nothing but the port. */
static bool asks_port_only(const struct tap_rule *rule, enum ruleset_side side)
{
	static const struct tap_prefix all;

	if (rule->ifindex || memcmp(&rule->dst, &all, sizeof(all)) ||
	    memcmp(&rule->src, &all, sizeof(all)))
		return false;
	return side == RULESET_SERVER ||
	       (rule->client.uid == TAP_UID_ANY && rule->client.origin == TAP_ORIGIN_ANY);
}

/* What the programs can know of a rule from its number alone: TAP_RULE_ALONE and the like. */
static __u32 rule_bits(const struct tap_rule *rule, enum ruleset_side side)
{
	if (!asks_port_only(rule, side))
		return 0;
	if (side == RULESET_SERVER && rule->service.action == TAP_ACTION_TAP &&
	    rule->service.reject == TAP_REJECT_DROP)
		return TAP_RULE_ALONE | TAP_RULE_SHUT;
	return TAP_RULE_ALONE;
}

/*
 * Every class's first rule, which the programs look at before all others; where it asks for nothing but
 * the port, it stands at the port instead of the class.
 */
static void find_first(struct tap_ruleset *set, enum ruleset_side side)
{
	__u32 c, r, port, first;

	for (c = 0; c < TAP_CLASSES_MAX; c++) {
		for (r = 0; r < set->n_rules; r++)
			if (set->class_rules[c][r / 64] >> (r % 64) & 1)
				break;
		if (r == set->n_rules)
			set->class_first[c] = TAP_RULES_MAX;
		else
			set->class_first[c] = r | rule_bits(&set->rules[r], side);
	}
	for (port = 0; port < 65536; port++) {
		first = set->class_first[set->port_class[port]];
		if (first & TAP_RULE_ALONE)
			set->port_class[port] = first;
	}
}

/* TAP_SET_* of services. */
static __u32 set_has(const struct tap_ruleset *set)
{
	__u32 r, has = 0;

	for (r = 0; r < set->n_rules; r++) {
		if (tap_service_hides(&set->rules[r].service))
			has |= TAP_SET_HIDES;
		if (set->rules[r].service.action == TAP_ACTION_TAP)
			has |= TAP_SET_TAP;
	}
	return has;
}

int ruleset_compile(struct tap_ruleset *set, enum ruleset_side side)
{
	edge_t *edges;
	__u32 r;
	int err;

	edges = calloc(2 * TAP_RULE_PORTS * TAP_RULES_MAX, sizeof(*edges));
	if (!edges)
		return fail(ENOMEM, "out of memory");
	memset(set->port_class, 0, sizeof(set->port_class));
	memset(set->class_rules, 0, sizeof(set->class_rules));
	for (r = 0; side == RULESET_SERVER && r < set->n_rules; r++)
		if (set->rules[r].service.action != TAP_ACTION_PASS)
			set->class_rules[TAP_CLASS_UNKNOWN_PORT][r / 64] |= 1ULL << (r % 64);
	err = sweep(set, edges, find_edges(set, edges));
	free(edges);
	find_first(set, side);
	set->has = side == RULESET_SERVER ? set_has(set) : 0;
	if (err)
		return fail(-err, "the %ss cut the ports into more than %u different parts: use "
			    "fewer or larger port ranges",
			    sides[side].object, TAP_CLASSES_MAX - TAP_CLASS_FIRST);
	return 0;
}

int ruleset_publish(const struct tapctl *tapctl, enum ruleset_side side, struct tap_ruleset *set)
{
	int outer, inner = -1, err;

	err = ruleset_compile(set, side);
	if (err)
		return err;
	outer = pins_map(tapctl, sides[side].map);
	if (outer < 0)
		return outer;
	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tap_ruleset", sizeof(__u32), sizeof(*set), 1,
			       NULL);
	if (inner < 0 || bpf_map_update_elem(inner, &only_entry, set, BPF_ANY) ||
	    bpf_map_update_elem(outer, &only_entry, &inner, BPF_ANY))
		err = fail(errno, "cannot publish the %ss, so the old ones stay in force: %s",
			   sides[side].object, cause(errno));
	if (inner >= 0)
		close(inner);
	close(outer);
	return err;
}
