// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl rule del: takes a client rule out.
 */
#include <stdlib.h>
#include <unistd.h>

#include "user/output.h"
#include "user/parse.h"
#include "user/pins.h"
#include "user/ruleset.h"
#include "user/verbs.h"

static int delete(const struct tapctl *tapctl, unsigned int number)
{
	struct tap_ruleset *set = NULL;
	int lock, err;

	lock = pins_open(tapctl, PINS_WRITE);
	if (lock < 0)
		return lock;
	err = ruleset_read(tapctl, RULESET_CLIENT, &set);
	if (!err)
		err = ruleset_remove(set, RULESET_CLIENT, number);
	if (!err)
		err = ruleset_publish(tapctl, RULESET_CLIENT, set);
	free(set);
	close(lock);
	return err;
}

int rule_del(const struct tapctl *tapctl, int argc, char **argv)
{
	unsigned int number;
	int err;

	if (argc != 2)
		return usage("missing: one number from 'tapctl rule list'");
	err = parse_number("rule", argv[1], 1, TAP_RULES_MAX, &number);
	if (!err)
		err = delete(tapctl, number);
	if (err)
		return err;
	return output_done(tapctl, json_pack("{s:i}", "deleted", number), "rule %u deleted", number);
}
