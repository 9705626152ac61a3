/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Service rules of the gate: reading, adding and showing them. Functions return 0, or as a verb.
 */
#ifndef TAP_SERVICE_H
#define TAP_SERVICE_H

#include <jansson.h>

#include "tap/maps.h"
#include "user/openings.h"
#include "user/parse.h"
#include "user/tapctl.h"

/* What one `service add` asks for. */
struct service_request {
	struct tap_rule rule; /* service.acl is chosen when it is added */
	bool listed; /* only the keys in list */
	struct tap_acl list;
	unsigned int at; /* before this rule, from 1; 0: last */
};

int service_parse(int argc, char **argv, struct service_request *request);

/* Adds all of them or none, with one publication. openings: what that opened to everybody. */
int service_add_all(const struct tapctl *tapctl, const struct service_request *requests, size_t n,
		    struct openings *openings);

/* Prints what was done, and what it opened to everybody; adds "open" and "opened" to the value. */
int service_done(const struct tapctl *tapctl, const struct openings *openings, json_t *value,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Marks the access lists that services of the set use. */
void service_used_lists(const struct tap_ruleset *set, bool used[TAP_ACL_LISTS]);
/* Takes one that is not used, and marks it; -ENOSPC after fail(). */
int service_take_list(bool used[TAP_ACL_LISTS], __u16 *acl);

/* The keys of a service, "any" or "1,5-9"; for free(). Reads tap_acl from the descriptor. */
int service_keys_text(int acl_map, const struct tap_rule *rule, char **text);

/* service rule number `number` as JSON, with its keys as above. */
json_t *service_json(unsigned int number, const struct tap_rule *rule, const char *keys);

/* What a verb without arguments shows of the services; acl_map: a descriptor of tap_acl. */
typedef int service_showing(const struct tapctl *tapctl, const struct tap_ruleset *set, int acl_map);
int service_show(const struct tapctl *tapctl, int argc, char **argv, service_showing *show);

#define SERVICE_UNBOUND "any" /* --bind of a service that takes tags that cover no address */

/* "veiled", "classic"; NULL: what the gate is loaded with. */
const char *service_encoding_text(const struct tap_service *service);

/* What clients dial, "203.0.113.7"; NULL: the SYN's own destination. */
const char *service_public_address(const struct tap_service *service, char text[PREFIX_TEXT]);

extern const char *const service_actions[];
extern const char *const service_rejects[];

#endif /* TAP_SERVICE_H */
