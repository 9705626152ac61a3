// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl rule add: uses a peer's key for these connections.
 */
#include "user/output.h"
#include "user/parse.h"
#include "user/rule.h"
#include "user/verbs.h"

int rule_add(const struct tapctl *tapctl, int argc, char **argv)
{
	struct rule_request request;
	char ports[PORTS_TEXT];
	int err;

	err = rule_parse(argc, argv, &request);
	if (!err)
		err = rule_add_all(tapctl, &request, 1);
	if (err)
		return err;
	ports_text(&request.rule, ports);
	return output_done(tapctl,
			   json_pack("{s:i, s:s, s:s}", "added", request.n_dst, "ports", ports, "peer",
				     request.peer),
			   "%u rule%s added: port %s with peer %s", request.n_dst,
			   request.n_dst == 1 ? "" : "s", ports, request.peer);
}
