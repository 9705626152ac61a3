// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl service del: takes a service rule out, and then wipes its access list.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "user/parse.h"
#include "user/pins.h"
#include "user/ruleset.h"
#include "user/service.h"
#include "user/verbs.h"

static int wipe_list(const struct tapctl *tapctl, __u32 slot)
{
	static const struct tap_acl nobody;
	int acl_map, err = 0;

	if (slot == TAP_ACL_ANY)
		return 0;
	acl_map = pins_map(tapctl, "tap_acl");
	if (acl_map < 0)
		return acl_map;
	if (bpf_map_update_elem(acl_map, &slot, &nobody, BPF_ANY))
		err = fail(errno, "cannot wipe its access list: %s", cause(errno));
	close(acl_map);
	return err;
}

static int delete(const struct tapctl *tapctl, unsigned int number, struct tap_rule *deleted,
		  struct openings *openings)
{
	struct tap_ruleset *set = NULL, *before = NULL;
	int lock, err;

	lock = pins_open(tapctl, PINS_WRITE);
	if (lock < 0)
		return lock;
	err = ruleset_read(tapctl, RULESET_SERVER, &set);
	if (!err)
		err = ruleset_read(tapctl, RULESET_SERVER, &before);
	if (err)
		goto out;
	if (number <= set->n_rules)
		*deleted = set->rules[number - 1];
	err = ruleset_remove(set, RULESET_SERVER, number);
	if (!err)
		err = ruleset_publish(tapctl, RULESET_SERVER, set);
	if (!err)
		openings_find(before, set, NULL, 0, openings);
	/* The service is gone; whoever takes the list's place overwrites it. */
	if (!err && wipe_list(tapctl, deleted->service.acl)) {
		note("%s", failure());
		forget_failure();
	}
out:
	free(before);
	free(set);
	close(lock);
	return err;
}

int service_del(const struct tapctl *tapctl, int argc, char **argv)
{
	char ports[PORTS_TEXT];
	struct tap_rule deleted;
	struct openings openings;
	unsigned int number;
	int err;

	if (argc != 2)
		return usage("missing: one number from 'tapctl service list'");
	err = parse_number("service", argv[1], 1, TAP_RULES_MAX, &number);
	if (!err)
		err = delete(tapctl, number, &deleted, &openings);
	if (err)
		return err;
	ports_text(&deleted, ports);
	return service_done(tapctl, &openings,
			    json_pack("{s:i, s:s}", "deleted", number, "ports", ports),
			    "service %u deleted (port %s)", number, ports);
}
