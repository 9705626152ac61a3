// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl acl list: the keys that each tap service lets in.
 */
#include <stdio.h>
#include <stdlib.h>

#include "user/output.h"
#include "user/parse.h"
#include "user/service.h"
#include "user/verbs.h"

static void list_service(struct output_table *rows, json_t *array, unsigned int number,
			 const struct tap_rule *rule, const char *keys)
{
	char n[12], ports[PORTS_TEXT];

	snprintf(n, sizeof(n), "%u", number);
	ports_text(rule, ports);
	if (array)
		json_array_append_new(array, json_pack("{s:i, s:s, s:s}", "service", number, "ports",
						       ports, "keys", keys));
	else
		output_row(rows, n, ports, keys);
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
		rows = output_table(">SERVICE", "PORT", "KEYS", NULL);
	for (i = 0; i < set->n_rules && !err; i++) {
		if (set->rules[i].service.action != TAP_ACTION_TAP)
			continue;
		err = service_keys_text(acl_map, &set->rules[i], &keys);
		if (err)
			break;
		list_service(rows, array, i + 1, &set->rules[i], keys);
		free(keys);
	}
	if (tapctl->json && !err)
		return output_json(array);
	json_decref(array);
	return rows ? output_table_end(rows, "no tap services") ?: err : err;
}

int acl_list(const struct tapctl *tapctl, int argc, char **argv)
{
	return service_show(tapctl, argc, argv, list);
}
