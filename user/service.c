// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adding services. Access lists are written first, into lists that no published service uses; the
 * publication of the rule set is what makes everything count.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "user/advice.h"
#include "user/device_lint.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/pins.h"
#include "user/ruleset.h"
#include "user/service.h"

void service_used_lists(const struct tap_ruleset *set, bool used[TAP_ACL_LISTS])
{
	__u32 i;

	memset(used, 0, TAP_ACL_LISTS * sizeof(*used));
	used[TAP_ACL_ANY] = true;
	for (i = 0; i < set->n_rules; i++)
		if (set->rules[i].service.acl < TAP_ACL_LISTS)
			used[set->rules[i].service.acl] = true;
}

int service_take_list(bool used[TAP_ACL_LISTS], __u16 *acl)
{
	__u32 i;

	for (i = 0; i < TAP_ACL_LISTS; i++) {
		if (!used[i]) {
			used[i] = true;
			*acl = i;
			return 0;
		}
	}
	return fail(ENOSPC, "all %d access lists are in use", TAP_ACL_LISTS - 1);
}

static int insert(struct tap_ruleset *set, const struct service_request *request, int acl_map)
{
	struct tap_rule rule = request->rule;
	bool used[TAP_ACL_LISTS];
	__u32 slot;
	int err;

	if (request->listed) {
		service_used_lists(set, used);
		err = service_take_list(used, &rule.service.acl);
		if (err)
			return err;
		slot = rule.service.acl;
		if (bpf_map_update_elem(acl_map, &slot, &request->list, BPF_ANY))
			return fail(errno, "cannot write an access list: %s", cause(errno));
	}
	return ruleset_insert(set, RULESET_SERVER, &rule, request->at);
}

/* One service: notes on that one; several: on all. */
static void advise(const struct tapctl *tapctl, const struct tap_ruleset *set,
		   const struct service_request *requests, size_t n)
{
	unsigned int at = requests[0].at ? requests[0].at : set->n_rules;

	if (n == 1) {
		advise_on_services(tapctl, set, at, at);
		advise_on_order(set, at, at);
		advise_on_hiding(tapctl, set, at, at);
		advise_on_binding(set, at, at);
	} else {
		advise_on_services(tapctl, set, 1, set->n_rules);
		advise_on_order(set, 1, set->n_rules);
		advise_on_hiding(tapctl, set, 1, set->n_rules);
		advise_on_binding(set, 1, set->n_rules);
	}
}

/* Each device once. */
static int check_devices(const struct tapctl *tapctl, const struct service_request *requests,
			 size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		size_t before = 0;

		while (before < i && requests[before].rule.ifindex != requests[i].rule.ifindex)
			before++;
		if (before == i)
			err = device_lint_new(tapctl, &server_side, &requests[i].rule);
	}
	return err;
}

int service_add_all(const struct tapctl *tapctl, const struct service_request *requests, size_t n,
		    struct openings *openings)
{
	struct tap_ruleset *set = NULL, *before = NULL;
	int lock, acl_map = -1, err;
	size_t i;

	lock = pins_open(tapctl, PINS_WRITE);
	if (lock < 0)
		return lock;
	acl_map = pins_map(tapctl, "tap_acl");
	err = acl_map < 0 ? acl_map : ruleset_read(tapctl, RULESET_SERVER, &set);
	if (!err)
		err = ruleset_read(tapctl, RULESET_SERVER, &before);
	for (i = 0; i < n && !err; i++)
		err = insert(set, &requests[i], acl_map);
	if (!err)
		err = check_devices(tapctl, requests, n);
	if (!err)
		err = ruleset_publish(tapctl, RULESET_SERVER, set);
	if (!err) {
		openings_find(before, set, NULL, 0, openings);
		advise(tapctl, set, requests, n);
	}
	free(before);
	free(set);
	if (acl_map >= 0)
		close(acl_map);
	close(lock);
	return err;
}

int service_done(const struct tapctl *tapctl, const struct openings *openings, json_t *value,
		 const char *format, ...)
{
	char done[256], text[OPENINGS_TEXT];
	bool open = openings->n || openings->more;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(done, sizeof(done), format, arguments);
	va_end(arguments);
	if (value) {
		json_object_set_new(value, "open", json_boolean(open));
		json_object_set_new(value, "opened", openings_json(openings));
	}
	return output_done(tapctl, value, "%s%s%s%s", done, open ? ": " : "",
			   open ? openings_text(openings, text) : "",
			   !open				    ? "" :
			   openings->n + openings->more > 1 ? " are open to everybody now" :
							      " is open to everybody now");
}

int service_keys_text(int acl_map, const struct tap_rule *rule, char **text)
{
	__u32 slot = rule->service.acl;
	struct tap_acl list;

	if (slot == TAP_ACL_ANY) {
		*text = strdup(rule->service.action == TAP_ACTION_TAP ? "any" : "");
	} else {
		if (bpf_map_lookup_elem(acl_map, &slot, &list))
			return fail(errno, "cannot read access list %u: %s", slot, cause(errno));
		*text = ids_text(&list);
	}
	return *text ? 0 : fail(ENOMEM, "out of memory");
}

/* "any" is null in JSON. */
static json_t *json_unless_any(const char *text)
{
	return strcmp(text, "any") ? json_string(text) : json_null();
}

const char *service_encoding_text(const struct tap_service *service)
{
	if (service->encoding == TAP_SERVICE_DEFAULT)
		return NULL;
	return encoding_text(service->encoding == TAP_SERVICE_CLASSIC ? TAP_ENCODING_CLASSIC :
								       TAP_ENCODING_VEILED);
}

const char *service_public_address(const struct tap_service *service, char text[PREFIX_TEXT])
{
	if (!service->public_address[0] && !service->public_address[1])
		return NULL;
	return address_text((const unsigned char *)service->public_address, text);
}

json_t *service_json(unsigned int number, const struct tap_rule *rule, const char *keys)
{
	char ports[PORTS_TEXT], dst[PREFIX_TEXT], src[PREFIX_TEXT], public[PREFIX_TEXT];
	const struct tap_service *service = &rule->service;

	return json_pack(
		"{s:i, s:s, s:o, s:o, s:o, s:s, s:i, s:s?, s:s?, s:s, s:b, s:s, s:s}", "number", number,
		"ports", ports_text(rule, ports), "dst", json_unless_any(prefix_text(&rule->dst, dst)),
		"src", json_unless_any(prefix_text(&rule->src, src)), "dev",
		rule->ifindex ? json_string(rule->device) : json_null(), "action",
		service_actions[service->action], "public_port",
		service->public_port ? service->public_port : rule->ports[0].lo, "public_address",
		service_public_address(service, public), "encoding", service_encoding_text(service),
		"bind", bind_text(service->bind, SERVICE_UNBOUND), "stealth", service->stealth,
		"reject", service_rejects[service->reject], "keys", keys);
}

int service_show(const struct tapctl *tapctl, int argc, char **argv, service_showing *show)
{
	struct tap_ruleset *set = NULL;
	int lock, acl_map, err;

	if (argc > 1)
		return usage("'%s' is too much here", argv[1]);
	lock = pins_open(tapctl, PINS_READ);
	if (lock < 0)
		return lock;
	acl_map = pins_map(tapctl, "tap_acl");
	err = acl_map < 0 ? acl_map : ruleset_read(tapctl, RULESET_SERVER, &set);
	if (!err)
		err = show(tapctl, set, acl_map);
	free(set);
	if (acl_map >= 0)
		close(acl_map);
	close(lock);
	return err;
}
