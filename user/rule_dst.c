// SPDX-License-Identifier: GPL-2.0-only
/*
 * --dst of a client rule: a prefix, or a host name that is looked up once, now.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "user/parse.h"
#include "user/rule.h"

static bool is_host(const char *text)
{
	return !strpbrk(text, "/:") && text[strspn(text, "0123456789.")];
}

/* False: not an internet address. */
static bool get_address(const struct addrinfo *info, unsigned char address[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (info->ai_family == AF_INET) {
		memcpy(address, mapped, sizeof(mapped));
		memcpy(address + 12, &((const struct sockaddr_in *)info->ai_addr)->sin_addr, 4);
		return true;
	}
	if (info->ai_family != AF_INET6)
		return false;
	memcpy(address, &((const struct sockaddr_in6 *)info->ai_addr)->sin6_addr, 16);
	return true;
}

static bool have(const struct rule_request *request, const struct tap_prefix *prefix)
{
	unsigned int i;

	for (i = 0; i < request->n_dst; i++)
		if (!memcmp(&request->dst[i], prefix, sizeof(*prefix)))
			return true;
	return false;
}

static int take_addresses(const char *host, const struct addrinfo *info,
			  struct rule_request *request)
{
	unsigned char address[16];
	struct tap_prefix prefix;

	request->n_dst = 0;
	for (; info; info = info->ai_next) {
		if (!get_address(info, address))
			continue;
		prefix_of_address(address, &prefix);
		if (have(request, &prefix))
			continue;
		if (request->n_dst == RULE_ADDRESSES)
			return fail(E2BIG, "--dst %s: the name has more than %d addresses: write prefixes",
				    host, RULE_ADDRESSES);
		request->dst[request->n_dst++] = prefix;
	}
	if (!request->n_dst)
		return fail(ENOENT, "--dst %s: the name has no IPv4 or IPv6 address", host);
	note("%s has %u address%s now; when they change, the rules must be made anew", host,
	     request->n_dst, request->n_dst == 1 ? "" : "es");
	return 0;
}

int rule_parse_dst(const char *text, struct rule_request *request)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int err;

	if (!is_host(text)) {
		request->n_dst = 1;
		return parse_prefix("--dst", text, &request->dst[0]);
	}
	err = getaddrinfo(text, NULL, &hints, &found);
	if (err)
		return fail(ENOENT, "--dst %s: the name cannot be looked up: %s; write the address instead",
			    text, gai_strerror(err));
	err = take_addresses(text, found, request);
	freeaddrinfo(found);
	return err;
}
