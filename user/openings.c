// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a change of the services opens to strangers: see openings.h.
 *
 * Services cut the ports, the addresses and the devices into few parts, inside of which no service
 * tells two connections from each other. So one of each part stands for all of it.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/openings.h"
#include "user/parse.h"

#define RULES (2 * TAP_RULES_MAX)
#define NONE TAP_RULES_MAX /* as a rule's number: no service */
#define EFFORT 20000000 /* comparisons with a rule, after which the answer is "maybe": below 1 s */
#define NAMED 4 /* in a text; then "and N more" */

struct address {
	__u64 words[2]; /* as in struct tap_prefix */
};

/* The services of one set that name the port in hand. */
struct subset {
	const struct tap_ruleset *set;
	__u32 n;
	__u32 rules[TAP_RULES_MAX];
};

/* One of each kind, for the port in hand. */
struct kinds {
	size_t n_src, n_dst, n_devices;
	struct address src[RULES + 1], dst[RULES + 1];
	__u32 devices[RULES + 1];
};

struct search {
	struct subset before, after;
	struct kinds kinds;
	const __u32 *devices;
	size_t n_devices;
	long effort;
	struct openings *openings;
};

/* --- Prefixes -------------------------------------------------------------------------------- */

static bool holds(const struct tap_prefix *prefix, const struct address *address)
{
	return !(((address->words[0] & prefix->mask[0]) ^ prefix->addr[0]) |
		 ((address->words[1] & prefix->mask[1]) ^ prefix->addr[1]));
}

/* Whether a holds every address that b holds. */
static bool prefix_covers(const struct tap_prefix *a, const struct tap_prefix *b)
{
	for (int i = 0; i < 2; i++)
		if ((a->mask[i] & ~b->mask[i]) || ((a->addr[i] ^ b->addr[i]) & a->mask[i]))
			return false;
	return true;
}

static bool prefix_equal(const struct tap_prefix *a, const struct tap_prefix *b)
{
	return prefix_covers(a, b) && prefix_covers(b, a);
}

/* The longer one: of two prefixes that share an address, it is what they share. */
static const struct tap_prefix *both(const struct tap_prefix *a, const struct tap_prefix *b)
{
	return prefix_covers(a, b) ? b : a;
}

/* One half of a prefix that is no single address: `bit` is the next bit of its addresses. */
static struct tap_prefix half(const struct tap_prefix *prefix, int length, bool bit)
{
	struct tap_prefix half = *prefix;

	((__u8 *)half.mask)[length / 8] |= 0x80 >> length % 8;
	if (bit)
		((__u8 *)half.addr)[length / 8] |= 0x80 >> length % 8;
	return half;
}

static int prefix_length(const struct tap_prefix *prefix)
{
	return __builtin_popcountll(prefix->mask[0]) + __builtin_popcountll(prefix->mask[1]);
}

/* An address in `prefix` and in none of the others that are longer than it; false: there is none. */
static bool find_free(const struct tap_prefix *prefix, const struct tap_prefix *const *others,
		      size_t n, int longer_than, struct address *found)
{
	int length = prefix_length(prefix);
	bool meets = false;
	struct tap_prefix part;

	for (size_t i = 0; i < n; i++) {
		if (prefix_length(others[i]) <= longer_than)
			continue;
		if (prefix_covers(others[i], prefix))
			return false;
		meets |= prefix_covers(prefix, others[i]);
	}
	if (!meets || length == 128) {
		memcpy(found->words, prefix->addr, sizeof(found->words));
		return true;
	}
	part = half(prefix, length, false);
	if (find_free(&part, others, n, longer_than, found))
		return true;
	part = half(prefix, length, true);
	return find_free(&part, others, n, longer_than, found);
}

/* One address of each part into which the prefixes cut all addresses. */
static size_t address_kinds(const struct tap_prefix *const *prefixes, size_t n,
			    struct address *kinds)
{
	static const struct tap_prefix all;
	size_t n_kinds = 0;

	if (find_free(&all, prefixes, n, 0, &kinds[0]))
		n_kinds++;
	for (size_t i = 0; i < n; i++) {
		int length = prefix_length(prefixes[i]);

		if (length && find_free(prefixes[i], prefixes, n, length, &kinds[n_kinds]))
			n_kinds++;
	}
	return n_kinds;
}

/* --- One port -------------------------------------------------------------------------------- */

static void take_subset(struct subset *subset, __u16 port)
{
	subset->n = 0;
	for (__u32 i = 0; i < subset->set->n_rules; i++) {
		const struct tap_rule *rule = &subset->set->rules[i];

		if (rule->ports[0].lo <= port && port <= rule->ports[0].hi)
			subset->rules[subset->n++] = i;
	}
}

static void add_prefix(const struct tap_prefix **list, size_t *n, const struct tap_prefix *prefix)
{
	for (size_t i = 0; i < *n; i++)
		if (prefix_equal(list[i], prefix))
			return;
	list[(*n)++] = prefix;
}

static void add_device(struct kinds *kinds, __u32 ifindex)
{
	if (ifindex == TAP_IFINDEX_GONE)
		return;
	for (size_t i = 0; i < kinds->n_devices; i++)
		if (kinds->devices[i] == ifindex)
			return;
	kinds->devices[kinds->n_devices++] = ifindex;
}

static bool among(const __u32 *list, size_t n, __u32 wanted)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == wanted)
			return true;
	return false;
}

/* 0 stands for a device that no service names. */
static void device_kinds(struct search *s, const struct subset *const subsets[2])
{
	struct kinds *kinds = &s->kinds;
	size_t kept = 0;

	kinds->n_devices = 0;
	for (int side = 0; side < 2; side++)
		for (__u32 i = 0; i < subsets[side]->n; i++)
			add_device(kinds,
				   subsets[side]->set->rules[subsets[side]->rules[i]].ifindex);
	if (!s->devices) {
		add_device(kinds, 0);
		return;
	}
	for (size_t i = 0; i < kinds->n_devices; i++)
		if (among(s->devices, s->n_devices, kinds->devices[i]))
			kinds->devices[kept++] = kinds->devices[i];
	kinds->n_devices = kept;
	for (size_t i = 0; i < s->n_devices; i++)
		if (!among(kinds->devices, kept, s->devices[i])) {
			kinds->devices[kinds->n_devices++] = 0;
			break;
		}
}

static void find_kinds(struct search *s)
{
	const struct subset *const subsets[2] = { &s->before, &s->after };
	const struct tap_prefix *src[RULES], *dst[RULES];
	size_t n_src = 0, n_dst = 0;

	for (int side = 0; side < 2; side++) {
		for (__u32 i = 0; i < subsets[side]->n; i++) {
			const struct tap_rule *rule =
				&subsets[side]->set->rules[subsets[side]->rules[i]];

			add_prefix(src, &n_src, &rule->src);
			add_prefix(dst, &n_dst, &rule->dst);
		}
	}
	s->kinds.n_src = address_kinds(src, n_src, s->kinds.src);
	s->kinds.n_dst = address_kinds(dst, n_dst, s->kinds.dst);
	device_kinds(s, subsets);
}

struct connection {
	const struct address *src, *dst;
	__u32 device;
};

static __u32 first_match(struct search *s, const struct subset *subset, const struct connection *c)
{
	for (__u32 i = 0; i < subset->n; i++) {
		const struct tap_rule *rule = &subset->set->rules[subset->rules[i]];

		s->effort++;
		if ((!rule->ifindex || rule->ifindex == c->device) && holds(&rule->src, c->src) &&
		    holds(&rule->dst, c->dst))
			return subset->rules[i];
	}
	return NONE;
}

static bool lets_all_in(const struct subset *subset, __u32 rule)
{
	return rule == NONE || subset->set->rules[rule].service.action == TAP_ACTION_PASS;
}

/* Whether the connection is open after, and was not before; by which services. */
static bool opens(struct search *s, const struct connection *c, __u32 rules[2])
{
	rules[0] = first_match(s, &s->before, c);
	if (lets_all_in(&s->before, rules[0]))
		return false;
	rules[1] = first_match(s, &s->after, c);
	return lets_all_in(&s->after, rules[1]);
}

typedef bool visit_kind(struct search *s, const struct connection *c, void *context);

/* Calls for one connection of each kind, until one call returns true. */
static bool each_kind(struct search *s, visit_kind *visit, void *context)
{
	const struct kinds *k = &s->kinds;

	for (size_t i = 0; i < k->n_src; i++)
		for (size_t j = 0; j < k->n_dst; j++)
			for (size_t d = 0; d < k->n_devices; d++) {
				struct connection c = { &k->src[i], &k->dst[j], k->devices[d] };

				if (s->effort > EFFORT || visit(s, &c, context))
					return true;
			}
	return false;
}

/* Whether it is one of those that the opening speaks of, and did not open. */
static bool is_exception(struct search *s, const struct connection *c, void *context)
{
	const struct opening *opening = context;
	__u32 rules[2];

	return (!opening->ifindex || opening->ifindex == c->device) &&
	       holds(&opening->src, c->src) && holds(&opening->dst, c->dst) && !opens(s, c, rules);
}

/* What two services have in common; the second may be none. */
static void describe(struct search *s, const __u32 rules[2], struct opening *opening)
{
	const struct tap_rule *shut = &s->before.set->rules[rules[0]];
	const struct tap_rule *pass = rules[1] == NONE ? shut : &s->after.set->rules[rules[1]];
	const struct tap_rule *named = shut->ifindex ? shut : pass;

	*opening = (struct opening){ .src = *both(&shut->src, &pass->src),
				     .dst = *both(&shut->dst, &pass->dst),
				     .ifindex = named->ifindex,
				     .rules = { rules[0], rules[1] } };
	memcpy(opening->device, named->device, sizeof(opening->device));
	opening->part = each_kind(s, is_exception, opening);
}

struct ports {
	struct tap_port_range range; /* that one of each kind is looked at for */
	size_t first; /* openings from here on are of this range */
};

static bool take_kind(struct search *s, const struct connection *c, void *context)
{
	struct openings *all = s->openings;
	struct ports *ports = context;
	__u32 rules[2];

	if (!opens(s, c, rules))
		return false;
	for (size_t i = ports->first; i < all->n; i++)
		if (all->at[i].rules[0] == rules[0] && all->at[i].rules[1] == rules[1])
			return false;
	if (all->n == OPENINGS_MAX) {
		all->more = true;
		return true;
	}
	describe(s, rules, &all->at[all->n]);
	all->at[all->n++].ports = ports->range;
	return false;
}

static bool speaks_of_all(const struct opening *a, const struct opening *b)
{
	return !a->part && (!a->ifindex || a->ifindex == b->ifindex) &&
	       prefix_covers(&a->src, &b->src) && prefix_covers(&a->dst, &b->dst);
}

/* Leaves out, from `first` on, those of which another one speaks that is whole. */
static void drop_covered(struct openings *all, size_t first)
{
	for (size_t i = first; i < all->n;) {
		size_t j = first;

		while (j < all->n && (j == i || !speaks_of_all(&all->at[j], &all->at[i])))
			j++;
		if (j == all->n) {
			i++;
			continue;
		}
		memmove(&all->at[i], &all->at[i + 1], (all->n - i - 1) * sizeof(all->at[0]));
		all->n--;
	}
}

/* --- All ports ------------------------------------------------------------------------------- */

/* Whether b goes on where a ends. */
static bool continues(const struct opening *a, const struct opening *b)
{
	return a->ports.hi + 1 == b->ports.lo && a->part == b->part &&
	       !memcmp(a->rules, b->rules, sizeof(a->rules));
}

/* Puts the openings from `first` on to those that end where they begin. */
static void join(struct openings *all, size_t first)
{
	size_t kept = first;

	for (size_t i = first; i < all->n; i++) {
		size_t j = 0;

		while (j < first && !continues(&all->at[j], &all->at[i]))
			j++;
		if (j < first)
			all->at[j].ports.hi = all->at[i].ports.hi;
		else
			all->at[kept++] = all->at[i];
	}
	all->n = kept;
}

static int by_value(const void *a, const void *b)
{
	return (int)*(const __u32 *)a - (int)*(const __u32 *)b;
}

/* The ports at which some service begins, or has just ended. */
static size_t find_edges(const struct tap_ruleset *before, const struct tap_ruleset *after,
			 __u32 *edges)
{
	const struct tap_ruleset *const sets[2] = { before, after };
	size_t n = 0;

	for (int side = 0; side < 2; side++) {
		for (__u32 i = 0; i < sets[side]->n_rules; i++) {
			edges[n++] = sets[side]->rules[i].ports[0].lo;
			edges[n++] = sets[side]->rules[i].ports[0].hi + 1u;
		}
	}
	qsort(edges, n, sizeof(edges[0]), by_value);
	return n;
}

static void look_at_ports(struct search *s, __u32 lo, __u32 hi)
{
	struct ports ports = { .range = { lo, hi }, .first = s->openings->n };

	take_subset(&s->before, lo);
	if (!s->before.n)
		return;
	take_subset(&s->after, lo);
	find_kinds(s);
	each_kind(s, take_kind, &ports);
	drop_covered(s->openings, ports.first);
	join(s->openings, ports.first);
}

bool openings_find(const struct tap_ruleset *before, const struct tap_ruleset *after,
		   const __u32 *devices, size_t n_devices, struct openings *openings)
{
	__u32 edges[2 * RULES];
	struct search *s = calloc(1, sizeof(*s));
	size_t n;

	openings->n = 0;
	openings->more = !s;
	if (!s)
		return true;
	s->before.set = before;
	s->after.set = after;
	s->devices = devices;
	s->n_devices = n_devices;
	s->openings = openings;
	n = find_edges(before, after, edges);
	for (size_t i = 0; i + 1 < n; i++)
		if (edges[i] < edges[i + 1])
			look_at_ports(s, edges[i], edges[i + 1] - 1);
	openings->more |= s->effort > EFFORT;
	free(s);
	return openings->n || openings->more;
}

/* --- In words -------------------------------------------------------------------------------- */

static void ports_of(const struct opening *opening, char text[16])
{
	if (opening->ports.lo == opening->ports.hi)
		snprintf(text, 16, "%u", opening->ports.lo);
	else
		snprintf(text, 16, "%u-%u", opening->ports.lo, opening->ports.hi);
}

/* As it is called now, or as its service calls it. */
static void device_of(const struct opening *opening, char text[32])
{
	if (!if_indextoname(opening->ifindex, text))
		snprintf(text, 32, "%s", opening->device);
}

static void one_text(const struct opening *opening, char *text, size_t bytes)
{
	char ports[16], prefix[PREFIX_TEXT], device[32];
	size_t n;

	ports_of(opening, ports);
	n = snprintf(text, bytes, "port %s", ports);
	if (prefix_length(&opening->dst))
		n += snprintf(text + n, bytes - n, " at %s", prefix_text(&opening->dst, prefix));
	if (prefix_length(&opening->src))
		n += snprintf(text + n, bytes - n, " from %s", prefix_text(&opening->src, prefix));
	if (opening->ifindex) {
		device_of(opening, device);
		n += snprintf(text + n, bytes - n, " on %s", device);
	}
	if (opening->part)
		snprintf(text + n, bytes - n, " except what other services match");
}

const char *openings_text(const struct openings *openings, char text[OPENINGS_TEXT])
{
	size_t i, n = 0;

	text[0] = '\0';
	for (i = 0; i < openings->n && i < NAMED; i++) {
		if (i)
			n += snprintf(text + n, OPENINGS_TEXT - n, ", ");
		one_text(&openings->at[i], text + n, OPENINGS_TEXT - n);
		n += strlen(text + n);
	}
	if (openings->more)
		snprintf(text + n, OPENINGS_TEXT - n, "%s",
			 i ? " and more" : "something that was shut, perhaps,");
	else if (i < openings->n)
		snprintf(text + n, OPENINGS_TEXT - n, " and %zu more", openings->n - i);
	return text;
}

static json_t *prefix_json(const struct tap_prefix *prefix)
{
	char text[PREFIX_TEXT];

	return prefix_length(prefix) ? json_string(prefix_text(prefix, text)) : json_null();
}

json_t *openings_json(const struct openings *openings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < openings->n; i++) {
		const struct opening *opening = &openings->at[i];
		char ports[16], device[32] = "";

		ports_of(opening, ports);
		if (opening->ifindex)
			device_of(opening, device);
		json_array_append_new(
			list, json_pack("{s:s, s:o, s:o, s:s?, s:b}", "ports", ports, "dst",
					prefix_json(&opening->dst), "src",
					prefix_json(&opening->src), "dev",
					opening->ifindex ? device : NULL, "part", opening->part));
	}
	return list;
}
