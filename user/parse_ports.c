// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports and lists of port ranges.
 */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/parse.h"
#include "user/tapctl.h"

int parse_port(const char *what, const char *text, __u16 *port)
{
	struct servent *service;
	unsigned int number;
	int err;

	if (isdigit((unsigned char)*text)) {
		err = parse_number(what, text, 1, 65535, &number);
		if (!err)
			*port = number;
		return err;
	}
	service = *text ? getservbyname(text, "tcp") : NULL;
	if (!service || !service->s_port)
		return usage("%s: '%s' is neither a port (1 to 65535) nor the name of a TCP service "
			     "in /etc/services", what, text);
	*port = ntohs(service->s_port);
	return 0;
}

int parse_port_range(const char *what, const char *text, struct tap_port_range *range)
{
	size_t digits = strspn(text, "0123456789");
	struct tap_port_range got;
	char first[16];
	int err;

	/* A name may have a dash of its own (http-alt), so only numbers make ranges. */
	if (!digits || digits >= sizeof(first) || text[digits] != '-') {
		err = parse_port(what, text, &got.lo);
		got.hi = got.lo;
	} else {
		memcpy(first, text, digits);
		first[digits] = '\0';
		err = parse_port(what, first, &got.lo);
		if (!err)
			err = parse_port(what, text + digits + 1, &got.hi);
	}
	if (err)
		return err;
	if (got.lo > got.hi)
		return usage("%s: '%s' runs backwards: did you mean %u-%u?", what, text, got.hi, got.lo);
	*range = got;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	return ((const struct tap_port_range *)a)->lo - ((const struct tap_port_range *)b)->lo;
}

/* Joins ranges that overlap or touch; returns how many are left. */
static __u32 join(struct tap_port_range *ports, __u32 n)
{
	__u32 i, last = 0;

	qsort(ports, n, sizeof(ports[0]), by_first);
	for (i = 1; i < n; i++) {
		if (ports[i].lo > ports[last].hi + 1)
			ports[++last] = ports[i];
		else if (ports[i].hi > ports[last].hi)
			ports[last].hi = ports[i].hi;
	}
	memset(&ports[last + 1], 0, (n - last - 1) * sizeof(ports[0]));
	return last + 1;
}

int parse_ports(const char *what, const char *text, struct tap_port_range ports[TAP_RULE_PORTS],
		__u32 *n_ports)
{
	struct tap_port_range got[TAP_RULE_PORTS] = {};
	char *copy = strdup(text), *rest = copy, *word;
	__u32 n = 0;
	int err = 0;

	if (!copy)
		return fail(ENOMEM, "out of memory");
	while (!err && (word = strsep(&rest, ","))) {
		if (n == TAP_RULE_PORTS)
			err = usage("%s: more than %d port ranges: use two rules", what, TAP_RULE_PORTS);
		else
			err = parse_port_range(what, word, &got[n++]);
	}
	free(copy);
	if (err)
		return err;
	*n_ports = join(got, n);
	memcpy(ports, got, sizeof(got));
	return 0;
}

const char *ports_text(const struct tap_rule *rule, char text[PORTS_TEXT])
{
	char *at = text;
	__u32 i;

	*text = '\0';
	for (i = 0; i < rule->n_ports; i++) {
		const struct tap_port_range *range = &rule->ports[i];

		at += sprintf(at, "%s%u", i ? "," : "", range->lo);
		if (range->hi != range->lo)
			at += sprintf(at, "-%u", range->hi);
	}
	return text;
}
