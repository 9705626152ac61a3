/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Client rules of the splitter: reading, adding and showing them. Functions return 0, or as a verb.
 */
#ifndef TAP_RULE_H
#define TAP_RULE_H

#include "tap/maps.h"
#include "user/tapctl.h"

#define RULE_ADDRESSES 32 /* of one host name */

/* What one `rule add` asks for: one rule for each address. */
struct rule_request {
	char peer[TAP_NAME_BYTES];
	struct tap_rule rule; /* dst and client.peer come from here: */
	unsigned int n_dst; /* at least 1 */
	struct tap_prefix dst[RULE_ADDRESSES];
	unsigned int at; /* before this rule, from 1; 0: last */
};

int rule_parse(int argc, char **argv, struct rule_request *request);

/* A prefix, or a host name: all of its addresses. */
int rule_parse_dst(const char *text, struct rule_request *request);

/* Adds all of them or none, with one publication. */
int rule_add_all(const struct tapctl *tapctl, const struct rule_request *requests, size_t n);

extern const char *const rule_origins[];

#endif /* TAP_RULE_H */
