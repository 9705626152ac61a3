// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl service add: protects a port (or passes or drops it).
 */
#include "user/parse.h"
#include "user/service.h"
#include "user/verbs.h"

int service_add(const struct tapctl *tapctl, int argc, char **argv)
{
	struct service_request request;
	struct openings openings;
	char ports[PORTS_TEXT];
	const char *action;
	int err;

	err = service_parse(argc, argv, &request);
	if (!err)
		err = service_add_all(tapctl, &request, 1, &openings);
	if (err)
		return err;
	action = service_actions[request.rule.service.action];
	ports_text(&request.rule, ports);
	return service_done(tapctl, &openings,
			    json_pack("{s:s, s:s}", "added", ports, "action", action),
			    "service %s added (%s)", ports, action);
}
