// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl service list: the service rules, in the order in which they are tried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/output.h"
#include "user/parse.h"
#include "user/service.h"
#include "user/verbs.h"

/* What clients dial instead, as far as it differs: "203.0.113.7:2222", ":2222", "203.0.113.7". */
static const char *public_text(const struct tap_service *service, char text[PREFIX_TEXT + 10])
{
	const char *host = service_public_address(service, text);
	size_t length = host ? strlen(host) : 0;

	text[length] = '\0';
	if (length && strchr(text, ':') && service->public_port) {
		memmove(text + 1, text, length);
		*text = '[';
		length++;
		text[length++] = ']';
	}
	if (service->public_port)
		snprintf(text + length, 10, ":%u", service->public_port);
	return text;
}

/* What strangers hear. */
static const char *silence_text(const struct tap_service *service)
{
	return service->stealth ? "drop, stealth" : service_rejects[service->reject];
}

static void list_row(struct output_table *rows, unsigned int number, const struct tap_rule *rule,
		     const char *keys)
{
	char ports[PORTS_TEXT], dst[PREFIX_TEXT], src[PREFIX_TEXT], device[DEVICE_TEXT], n[12];
	const struct tap_service *service = &rule->service;
	bool tap = service->action == TAP_ACTION_TAP;
	const char *encoding = service_encoding_text(service);
	char public[PREFIX_TEXT + 10];

	snprintf(n, sizeof(n), "%u", number);
	output_row(rows, n, ports_text(rule, ports), prefix_text(&rule->dst, dst),
		   prefix_text(&rule->src, src), device_text(rule, device),
		   service_actions[service->action], public_text(service, public),
		   tap && encoding ? encoding : "", tap ? bind_text(service->bind, SERVICE_UNBOUND) : "",
		   tap ? silence_text(service) : "", keys);
}

static int list(const struct tapctl *tapctl, const struct tap_ruleset *set, int acl_map)
{
	struct output_table *rows = NULL;
	json_t *array = NULL;
	char *keys;
	__u32 i;
	int err = 0;

	if (tapctl->json)
		array = json_array();
	else
		rows = output_table(">N", "PORT", "DST", "SRC", "DEV", "ACTION", "PUBLIC",
				    "ENCODING", "BIND", "REJECT", "KEYS", NULL);
	for (i = 0; i < set->n_rules && !err; i++) {
		err = service_keys_text(acl_map, &set->rules[i], &keys);
		if (err)
			break;
		if (array)
			json_array_append_new(array, service_json(i + 1, &set->rules[i], keys));
		else
			list_row(rows, i + 1, &set->rules[i], keys);
		free(keys);
	}
	if (tapctl->json && !err)
		return output_json(array);
	json_decref(array);
	return rows ? output_table_end(rows, "no services: all ports are open to everyone, as without "
				       "the gate") ?: err : err;
}

int service_list(const struct tapctl *tapctl, int argc, char **argv)
{
	return service_show(tapctl, argc, argv, list);
}
