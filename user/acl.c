// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl acl: which keys may use which service. A list in use is never changed: its successor goes
 * into a place that no service uses, and one publication makes all services of the port point to
 * theirs, so there are enough places for two lists a service.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "user/advice.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/pins.h"
#include "user/ruleset.h"
#include "user/service.h"
#include "user/verbs.h"

struct change {
	bool allow;
	__u16 port;
	struct tap_acl ids; /* whom it is about */
	__u32 n_services;
	__u32 slots[TAP_RULES_MAX];
	struct tap_acl lists[TAP_RULES_MAX];
	bool used[TAP_ACL_LISTS]; /* by the services in force, or by a list of this change */
};

static bool concerns(const struct tap_rule *rule, __u16 port)
{
	return rule->service.action == TAP_ACTION_TAP && port >= rule->ports[0].lo &&
	       port <= rule->ports[0].hi;
}

static void apply(struct tap_acl *list, const struct change *change)
{
	unsigned int i;

	for (i = 0; i < 65536 / 64; i++) {
		if (change->allow)
			list->allowed[i] |= change->ids.allowed[i];
		else
			list->allowed[i] &= ~change->ids.allowed[i];
	}
}

/* A service's first list: nobody but those allowed, or everybody but those denied. */
static void first_list(const struct tap_rule *rule, struct tap_acl *list,
		       const struct change *change)
{
	char ports[PORTS_TEXT];

	memset(list, 0, sizeof(*list));
	if (!change->allow)
		ids_add(list, TAP_KEY_ID_MIN, TAP_KEY_ID_MAX);
	else
		note("any key could use port %s until now; from now on only those allowed here can",
		     ports_text(rule, ports));
}

static int change_service(struct tap_rule *rule, int acl_map, struct change *change)
{
	struct tap_acl *list = &change->lists[change->n_services];
	__u32 slot = rule->service.acl;
	int err = 0;

	if (slot == TAP_ACL_ANY)
		first_list(rule, list, change);
	else if (bpf_map_lookup_elem(acl_map, &slot, list))
		err = fail(errno, "cannot read access list %u: %s", slot, cause(errno));
	if (!err)
		err = service_take_list(change->used, &rule->service.acl);
	if (err)
		return err;
	apply(list, change);
	change->slots[change->n_services++] = rule->service.acl;
	return 0;
}

static int carry_out(const struct tapctl *tapctl, struct tap_ruleset *set, int acl_map,
		     struct change *change)
{
	__u32 i, count;
	int err = 0;

	service_used_lists(set, change->used);
	for (i = 0; i < set->n_rules && !err; i++)
		if (concerns(&set->rules[i], change->port))
			err = change_service(&set->rules[i], acl_map, change);
	if (err)
		return err;
	if (!change->n_services)
		return fail(ENOENT, "no tap service has port %u: see 'tapctl service list'", change->port);
	count = change->n_services;
	if (bpf_map_update_batch(acl_map, change->slots, change->lists, &count, NULL))
		return fail(errno, "cannot write the access lists: %s", cause(errno));
	return ruleset_publish(tapctl, RULESET_SERVER, set);
}

static int change_lists(const struct tapctl *tapctl, struct change *change)
{
	struct tap_ruleset *set = NULL;
	int lock, acl_map, err;

	lock = pins_open(tapctl, PINS_WRITE);
	if (lock < 0)
		return lock;
	acl_map = pins_map(tapctl, "tap_acl");
	err = acl_map < 0 ? acl_map : ruleset_read(tapctl, RULESET_SERVER, &set);
	if (!err)
		err = carry_out(tapctl, set, acl_map, change);
	if (!err && !change->allow)
		advise_on_services(tapctl, set, 1, set->n_rules);
	free(set);
	if (acl_map >= 0)
		close(acl_map);
	close(lock);
	return err;
}

static int tell(const struct tapctl *tapctl, const struct change *change)
{
	char *ids = ids_text(&change->ids);
	int err;

	if (!ids)
		return fail(ENOMEM, "out of memory; the change was made");
	err = output_done(tapctl,
			  json_pack("{s:s, s:i, s:i}", change->allow ? "allowed" : "denied", ids, "port",
				    change->port, "services", change->n_services),
			  "port %u: keys %s %s (%u service%s)", change->port, ids,
			  change->allow ? "allowed" : "denied", change->n_services,
			  change->n_services == 1 ? "" : "s");
	free(ids);
	return err;
}

static int change_verb(const struct tapctl *tapctl, int argc, char **argv, bool allow)
{
	struct change *change;
	int err;

	if (argc != 3)
		return usage("needed: the port of a service, and key IDs such as 10,20-29");
	change = calloc(1, sizeof(*change));
	if (!change)
		return fail(ENOMEM, "out of memory");
	change->allow = allow;
	err = parse_port("PORT", argv[1], &change->port);
	if (!err)
		err = parse_ids("key IDs", argv[2], &change->ids);
	if (!err)
		err = change_lists(tapctl, change);
	if (!err)
		err = tell(tapctl, change);
	free(change);
	return err;
}

int acl_allow(const struct tapctl *tapctl, int argc, char **argv)
{
	return change_verb(tapctl, argc, argv, true);
}

int acl_deny(const struct tapctl *tapctl, int argc, char **argv)
{
	return change_verb(tapctl, argc, argv, false);
}
