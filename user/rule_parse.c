// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arguments of `rule add`, also as the lines of an import.
 */
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "user/parse.h"
#include "user/rule.h"

const char *const rule_origins[] = {
	[TAP_ORIGIN_LOCAL] = "local", [TAP_ORIGIN_FORWARD] = "forward", [TAP_ORIGIN_ANY] = "any", NULL
};

static int read_user(const char *text, __u32 *uid)
{
	struct passwd *user;

	if (isdigit((unsigned char)*text))
		return parse_number("--user", text, 0, TAP_UID_ANY - 1, uid);
	errno = 0;
	user = getpwnam(text);
	if (!user)
		return fail(ENOENT, "--user %s: this machine has no such user: see 'getent passwd'", text);
	*uid = user->pw_uid;
	return 0;
}

static int read_option(int option, struct rule_request *request)
{
	struct tap_rule *rule = &request->rule;

	switch (option) {
	case 'P':
		return parse_name("--peer", optarg, false, request->peer);
	case 'p':
		return parse_ports("--port", optarg, rule->ports, &rule->n_ports);
	case 'd':
		return rule_parse_dst(optarg, request);
	case 's':
		return parse_prefix("--src", optarg, &rule->src);
	case 'i':
		return parse_device(optarg, rule);
	case 'u':
		return read_user(optarg, &rule->client.uid);
	case 't':
		return parse_choice("--type", optarg, rule_origins, &rule->client.origin);
	case 'n':
		return parse_number("--at", optarg, 1, TAP_RULES_MAX, &request->at);
	default:
		return USAGE;
	}
}

static int check(int argc, char **argv, const struct rule_request *request)
{
	int word = options_words(argc, argv, 0, NULL);

	if (word < 0)
		return word;
	if (!*request->peer)
		return usage("--peer NAME is missing: see 'tapctl peer list'");
	if (!request->rule.n_ports)
		return usage("--port PORT is missing");
	if (request->rule.client.uid != TAP_UID_ANY &&
	    request->rule.client.origin != TAP_ORIGIN_LOCAL)
		return usage("--user goes with --type local only: nobody here owns what is forwarded");
	return 0;
}

int rule_parse(int argc, char **argv, struct rule_request *request)
{
	static const struct option options[] = {
		{ "peer", required_argument, NULL, 'P' },
		{ "port", required_argument, NULL, 'p' },
		{ "dst", required_argument, NULL, 'd' },
		{ "src", required_argument, NULL, 's' },
		{ "dev", required_argument, NULL, 'i' },
		{ "user", required_argument, NULL, 'u' },
		{ "type", required_argument, NULL, 't' },
		{ "at", required_argument, NULL, 'n' },
		{},
	};
	int option, err = 0;

	memset(request, 0, sizeof(*request));
	request->n_dst = 1; /* any */
	request->rule.client.uid = TAP_UID_ANY;
	options_start();
	while (!err && (option = options_next(argc, argv, ":", options)) != OPTIONS_END)
		err = read_option(option, request);
	return err ? err : check(argc, argv, request);
}
