// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares services, access lists and keys, and notes what does not fit.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "user/advice.h"
#include "user/cookies.h"
#include "user/kernel.h"
#include "user/keytable.h"
#include "user/openings.h"
#include "user/parse.h"
#include "user/pins.h"

struct usable {
	struct tap_acl ids;
	bool any;
	bool one_will_do; /* no service has an access list */
	bool acks; /* the gate looks at ACKs to all tap services */
	__s64 now;
};

static int collect(void *context, __u32 id, const struct tap_key *key)
{
	struct usable *usable = context;

	if (!key_usable(key, usable->now))
		return 0;
	ids_add(&usable->ids, id, id);
	usable->any = true;
	return usable->one_will_do;
}

/* Whether a service has a key, as far as can be told. */
static bool has_key(int acl_map, const struct tap_service *service, const struct usable *usable)
{
	struct tap_acl list;
	__u32 slot = service->acl, i;

	if (slot == TAP_ACL_ANY || bpf_map_lookup_elem(acl_map, &slot, &list))
		return usable->any;
	for (i = 0; i < 65536 / 64; i++)
		if (list.allowed[i] & usable->ids.allowed[i])
			return true;
	return false;
}

/* Whether all addresses that b holds are held by a. */
static bool prefix_covers(const struct tap_prefix *a, const struct tap_prefix *b)
{
	int i;

	for (i = 0; i < 2; i++)
		if ((a->mask[i] & ~b->mask[i]) || ((a->addr[i] ^ b->addr[i]) & a->mask[i]))
			return false;
	return true;
}

/* Whether all of b's ports are a's. Ranges of one rule do not touch each other, so one has to do. */
static bool ports_cover(const struct tap_rule *a, const struct tap_rule *b)
{
	__u32 i, j;

	for (i = 0; i < b->n_ports; i++) {
		for (j = 0; j < a->n_ports; j++)
			if (a->ports[j].lo <= b->ports[i].lo && b->ports[i].hi <= a->ports[j].hi)
				break;
		if (j == a->n_ports)
			return false;
	}
	return true;
}

/* Whether a takes the connections of all users and origins that b is for. */
static bool owners_cover(const struct tap_client_rule *a, const struct tap_client_rule *b)
{
	return (a->uid == TAP_UID_ANY || a->uid == b->uid) &&
	       (a->origin == TAP_ORIGIN_ANY || a->origin == b->origin);
}

/* Whether a takes every SYN that b would match. */
static bool covers(const struct tap_rule *a, const struct tap_rule *b, enum ruleset_side side)
{
	return (!a->ifindex || (a->ifindex == b->ifindex && a->ifindex != TAP_IFINDEX_GONE)) &&
	       prefix_covers(&a->dst, &b->dst) &&
	       prefix_covers(&a->src, &b->src) && ports_cover(a, b) &&
	       (side == RULESET_SERVER || owners_cover(&a->client, &b->client));
}

unsigned int advice_covered_by(const struct tap_ruleset *set, enum ruleset_side side,
			       unsigned int at)
{
	unsigned int i;

	for (i = 1; i < at; i++)
		if (covers(&set->rules[i - 1], &set->rules[at - 1], side))
			return i;
	return 0;
}

void advise_on_order(const struct tap_ruleset *set, unsigned int first, unsigned int last)
{
	char ports[PORTS_TEXT];
	unsigned int at, by;

	for (at = first; at <= set->n_rules; at++) {
		by = advice_covered_by(set, RULESET_SERVER, at);
		/* New is that one, or the one that takes its place. */
		if (!by || (at > last && (by < first || by > last)))
			continue;
		note("service %u (port %s) never matches, because service %u comes first and takes "
		     "all of its connections: see `tapctl service list`; add with --at what is to come "
		     "before it",
		     at, ports_text(&set->rules[at - 1], ports), by);
	}
}

static void find_closed(const struct tap_ruleset *set, unsigned int first, unsigned int last,
			int acl_map, const struct usable *usable, struct advice_closed *closed)
{
	unsigned int i, length = 0;

	for (i = first - 1; i < last; i++) {
		const struct tap_rule *rule = &set->rules[i];
		char ports[PORTS_TEXT];

		if (rule->service.action != TAP_ACTION_TAP ||
		    advice_covered_by(set, RULESET_SERVER, i + 1) ||
		    has_key(acl_map, &rule->service, usable))
			continue;
		closed->stealth |= rule->service.stealth || usable->acks;
		if (closed->n++ < ADVICE_PORTS)
			length += snprintf(closed->ports + length, sizeof(closed->ports) - length,
					   "%s%s", length ? ", " : "", ports_text(rule, ports));
	}
	if (closed->n > ADVICE_PORTS)
		snprintf(closed->ports + length, sizeof(closed->ports) - length, " and %u more",
			 closed->n - ADVICE_PORTS);
	closed->any_key = usable->any;
}

int advice_closed_services(const struct tapctl *tapctl, const struct tap_ruleset *set,
			   unsigned int first, unsigned int last, struct advice_closed *closed)
{
	struct usable *usable = calloc(1, sizeof(*usable));
	struct keytable table = { .lock = -1, .keys = -1, .names = -1, .uses = -1,
				  .lists = -1 };
	int acl_map = -1, err;
	unsigned int i;

	memset(closed, 0, sizeof(*closed));
	if (!usable)
		return fail(ENOMEM, "out of memory");
	usable->now = time(NULL);
	usable->one_will_do = true;
	usable->acks = cookies_acks_checked(tapctl);
	for (i = first - 1; i < last; i++)
		usable->one_will_do &= set->rules[i].service.acl == TAP_ACL_ANY;
	table.keys = pins_map(tapctl, "tap_keys");
	acl_map = table.keys < 0 ? table.keys : pins_map(tapctl, "tap_acl");
	err = acl_map < 0 ? acl_map : keytable_scan(&table, collect, usable);
	if (!err)
		find_closed(set, first, last, acl_map, usable, closed);
	if (acl_map >= 0)
		close(acl_map);
	keytable_close(&table);
	free(usable);
	return err;
}

void advise_on_services(const struct tapctl *tapctl, const struct tap_ruleset *set,
			unsigned int first, unsigned int last)
{
	struct advice_closed closed;

	if (advice_closed_services(tapctl, set, first, last, &closed))
		forget_failure();
	else if (closed.n)
		note("nobody new can connect to port %s until a usable key is %s (established "
		     "connections %s)", closed.ports,
		     closed.any_key ? "allowed there: tapctl acl allow" : "added: tapctl key add",
		     closed.stealth ? "with other hosts behind this one go on only if it tracks them" :
				      "are not touched");
}

void advise_on_all_services(const struct tapctl *tapctl)
{
	struct tap_ruleset *set;

	if (ruleset_read(tapctl, RULESET_SERVER, &set)) {
		forget_failure();
		return;
	}
	if (set->n_rules)
		advise_on_services(tapctl, set, 1, set->n_rules);
	free(set);
}

void advise_on_cookies(const struct tapctl *tapctl)
{
	struct tap_ruleset *set;

	if (!cookies_acks_checked(tapctl))
		return;
	if (ruleset_read(tapctl, RULESET_SERVER, &set)) {
		forget_failure();
		return;
	}
	advise_on_hiding(tapctl, set, 1, set->n_rules);
	free(set);
}

/* The devices of the services that are here still. */
static size_t devices_here(const struct tap_ruleset *set, __u32 devices[TAP_RULES_MAX])
{
	char name[IF_NAMESIZE];
	size_t n = 0;

	for (__u32 i = 0; i < set->n_rules; i++)
		if (set->rules[i].device[0] && if_indextoname(set->rules[i].ifindex, name))
			devices[n++] = set->rules[i].ifindex;
	return n;
}

void advise_on_opened(const struct tapctl *tapctl, const struct tap_ruleset *before)
{
	struct openings openings;
	char text[OPENINGS_TEXT];
	__u32 devices[TAP_RULES_MAX];
	struct tap_ruleset *after;

	if (!before)
		return;
	if (ruleset_read(tapctl, RULESET_SERVER, &after)) {
		forget_failure();
		return;
	}
	if (openings_find(before, after, devices, devices_here(before, devices), &openings))
		note("%s: open to everybody now, because other devices have the names that the "
		     "services give", openings_text(&openings, text));
	free(after);
}

/* Whether this host forwards for others, IPv4 or IPv6. */
static bool forwards(void)
{
	static const char *const settings[] = {
		"/proc/sys/net/ipv4/ip_forward",
		"/proc/sys/net/ipv6/conf/all/forwarding",
	};
	bool yes = false;
	FILE *file;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		file = fopen(settings[i], "re");
		if (!file)
			continue;
		yes |= fgetc(file) == '1';
		fclose(file);
	}
	return yes;
}

void advise_on_hiding(const struct tapctl *tapctl, const struct tap_ruleset *set,
		      unsigned int first, unsigned int last)
{
	bool hides = false, acks = cookies_acks_checked(tapctl);

	for (unsigned int i = first - 1; i < last; i++)
		hides |= tap_service_hides(&set->rules[i].service) ||
			 (acks && set->rules[i].service.action == TAP_ACTION_TAP);
	if (hides && forwards())
		note("this host forwards: connections to hosts behind it that did not begin through "
		     "the gate are cut now, unless %s",
		     kernel_functions().conntrack ?
			     "connection tracking knows them (conntrack -L shows which)" :
			     "nf_conntrack was loaded before the gate and knows them: it is not loaded");
}

void advise_on_binding(const struct tap_ruleset *set, unsigned int first, unsigned int last)
{
	char ports[PORTS_TEXT];

	for (unsigned int i = first - 1; i < last; i++) {
		const struct tap_service *service = &set->rules[i].service;

		if (!(service->bind & TAP_BIND_DST) || !service->public_port ||
		    service->public_address[0] || service->public_address[1])
			continue;
		note("service %u (port %s) is behind a port forward (--public-port), and --bind asks for "
		     "the address that clients dial: unless that is this host's own, add it again with "
		     "--public-address ADDR, or no group fits",
		     i + 1, ports_text(&set->rules[i], ports));
	}
}
