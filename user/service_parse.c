// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arguments of `service add`, also as the lines of an import.
 */
#include <errno.h>
#include <string.h>

#include "user/parse.h"
#include "user/service.h"

const char *const service_actions[] = { "tap", "pass", "drop", NULL };
const char *const service_rejects[] = { "drop", "rst", NULL };
static const char *const on_off[] = { "off", "on", NULL };

/* What only a tap service has; the first such option that was given. */
struct parsing {
	struct service_request *request;
	const char *tap_only;
};

static int read_keys(const char *text, struct service_request *request)
{
	memset(&request->list, 0, sizeof(request->list));
	request->listed = strcmp(text, "any");
	return request->listed ? parse_ids("--keys", text, &request->list) : 0;
}

static int read_encoding(struct tap_service *service)
{
	__u8 encoding;
	int err = parse_encoding(optarg, &encoding);

	if (!err)
		service->encoding = encoding == TAP_ENCODING_CLASSIC ? TAP_SERVICE_CLASSIC :
								       TAP_SERVICE_VEILED;
	return err;
}

static int read_tap_option(int option, struct parsing *parsing)
{
	struct tap_service *service = &parsing->request->rule.service;

	switch (option) {
	case 'p':
		parsing->tap_only = "--public-port";
		return parse_port("--public-port", optarg, &service->public_port);
	case 'P':
		parsing->tap_only = "--public-address";
		return parse_address("--public-address", optarg, service->public_address);
	case 'b':
		parsing->tap_only = "--bind";
		return parse_bind(optarg, SERVICE_UNBOUND, &service->bind);
	case 'e':
		parsing->tap_only = "--encoding";
		return read_encoding(service);
	case 't':
		return usage("--tag is gone: the veiled encoding always carries 56 bits of the tag, and "
			     "the classic one 30; leave it out");
	case 'r':
		parsing->tap_only = "--reject";
		return parse_choice("--reject", optarg, service_rejects, &service->reject);
	case 'k':
		parsing->tap_only = "--keys";
		return read_keys(optarg, parsing->request);
	default:
		return USAGE;
	}
}

static int read_option(int option, struct parsing *parsing)
{
	struct service_request *request = parsing->request;

	switch (option) {
	case 'd':
		return parse_prefix("--dst", optarg, &request->rule.dst);
	case 's':
		return parse_prefix("--src", optarg, &request->rule.src);
	case 'i':
		return parse_device(optarg, &request->rule);
	case 'a':
		return parse_choice("--action", optarg, service_actions,
				    &request->rule.service.action);
	case 'h':
		return parse_choice("--stealth", optarg, on_off, &request->rule.service.stealth);
	case 'n':
		return parse_number("--at", optarg, 1, TAP_RULES_MAX, &request->at);
	default:
		return read_tap_option(option, parsing);
	}
}

static int check(const struct parsing *parsing)
{
	const struct tap_rule *rule = &parsing->request->rule;
	const struct tap_port_range *ports = &rule->ports[0];

	if (rule->service.action != TAP_ACTION_TAP && parsing->tap_only)
		return usage("%s means something for --action tap only", parsing->tap_only);
	if (rule->service.action == TAP_ACTION_PASS && rule->service.stealth)
		return usage("--stealth on hides a port, and --action pass lets all in: leave out one");
	if (rule->service.reject == TAP_REJECT_RST && rule->service.stealth)
		return usage("--reject rst answers as a closed port does, and --stealth on makes the host "
			     "look as if it were not there: leave out one");
	if (rule->service.public_port + (ports->hi - ports->lo) > 65535)
		return usage("--public-port %u stands for port %u, so port %u would be %u, beyond 65535",
			     rule->service.public_port, ports->lo, ports->hi,
			     rule->service.public_port + (ports->hi - ports->lo));
	return 0;
}

int service_parse(int argc, char **argv, struct service_request *request)
{
	static const struct option options[] = {
		{ "dst", required_argument, NULL, 'd' },
		{ "src", required_argument, NULL, 's' },
		{ "dev", required_argument, NULL, 'i' },
		{ "action", required_argument, NULL, 'a' },
		{ "public-port", required_argument, NULL, 'p' },
		{ "public-address", required_argument, NULL, 'P' },
		{ "bind", required_argument, NULL, 'b' },
		{ "encoding", required_argument, NULL, 'e' },
		{ "frame", required_argument, NULL, 'e' }, /* its old name */
		{ "tag", required_argument, NULL, 't' }, /* of protocol 2 */
		{ "stealth", required_argument, NULL, 'h' },
		{ "reject", required_argument, NULL, 'r' },
		{ "keys", required_argument, NULL, 'k' },
		{ "at", required_argument, NULL, 'n' },
		{},
	};
	struct parsing parsing = { .request = request };
	int option, word, err = 0;

	memset(request, 0, sizeof(*request));
	options_start();
	while (!err && (option = options_next(argc, argv, ":", options)) != OPTIONS_END)
		err = read_option(option, &parsing);
	if (err)
		return err;
	word = options_words(argc, argv, 1, "the port to protect, or a range of ports");
	if (word < 0)
		return word;
	err = parse_port_range("PORT", argv[word], &request->rule.ports[0]);
	request->rule.n_ports = 1;
	return err ? err : check(&parsing);
}
