// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adding client rules.
 */
#include "user/device_lint.h"
#include "user/peers.h"
#include "user/rule.h"
#include "user/ruleset.h"

static int insert(struct peers *peers, const struct rule_request *request)
{
	int index = peers_need(peers, request->peer), err = 0;
	struct tap_rule rule = request->rule;
	unsigned int i;

	if (index < 0)
		return index;
	rule.client.peer = index;
	for (i = 0; i < request->n_dst && !err; i++) {
		rule.dst = request->dst[i];
		err = ruleset_insert(peers->rules, RULESET_CLIENT, &rule,
				     request->at ? request->at + i : 0);
	}
	return err;
}

int rule_add_all(const struct tapctl *tapctl, const struct rule_request *requests, size_t n)
{
	struct peers peers;
	size_t i;
	int err;

	err = peers_open(tapctl, true, &peers);
	for (i = 0; i < n && !err; i++)
		err = insert(&peers, &requests[i]);
	for (i = 0; i < n && !err; i++)
		err = device_lint_new(tapctl, &client_side, &requests[i].rule);
	if (!err)
		err = ruleset_publish(tapctl, RULESET_CLIENT, peers.rules);
	peers_close(&peers);
	return err;
}
