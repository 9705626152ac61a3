// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl rule list: the client rules, in the order in which they are tried.
 */
#include <stdio.h>
#include <string.h>

#include "user/output.h"
#include "user/parse.h"
#include "user/peers.h"
#include "user/rule.h"
#include "user/verbs.h"

/* One rule as texts; "any" stands for what is not limited. */
struct texts {
	char number[12];
	char ports[PORTS_TEXT];
	char dst[PREFIX_TEXT];
	char src[PREFIX_TEXT];
	char device[DEVICE_TEXT];
	char user[12];
};

static void write_texts(unsigned int number, const struct tap_rule *rule, struct texts *texts)
{
	snprintf(texts->number, sizeof(texts->number), "%u", number);
	ports_text(rule, texts->ports);
	prefix_text(&rule->dst, texts->dst);
	prefix_text(&rule->src, texts->src);
	device_text(rule, texts->device);
	if (rule->client.uid == TAP_UID_ANY)
		strcpy(texts->user, "any");
	else
		snprintf(texts->user, sizeof(texts->user), "%u", rule->client.uid);
}

static json_t *json_unless_any(const char *text)
{
	return strcmp(text, "any") ? json_string(text) : json_null();
}

static json_t *as_json(unsigned int number, const struct tap_rule *rule, const struct texts *texts,
		       const char *peer)
{
	json_t *uid = rule->client.uid == TAP_UID_ANY ? json_null() : json_integer(rule->client.uid);

	return json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "number", number, "peer", peer,
			 "ports", texts->ports, "dst", json_unless_any(texts->dst), "src",
			 json_unless_any(texts->src), "dev", rule->ifindex ? json_string(rule->device) : json_null(), "uid", uid,
			 "type", rule_origins[rule->client.origin]);
}

static int list(const struct tapctl *tapctl, const struct peers *peers)
{
	struct output_table *rows = NULL;
	json_t *array = NULL;
	struct texts texts;
	__u32 i;

	if (tapctl->json)
		array = json_array();
	else
		rows = output_table(">N", "PEER", "PORT", "DST", "SRC", "DEV", "UID", "TYPE", NULL);
	for (i = 0; i < peers->rules->n_rules; i++) {
		const struct tap_rule *rule = &peers->rules->rules[i];
		const char *peer = peers->entries[rule->client.peer % TAP_PEERS_MAX].name;

		write_texts(i + 1, rule, &texts);
		if (tapctl->json)
			json_array_append_new(array, as_json(i + 1, rule, &texts, peer));
		else
			output_row(rows, texts.number, peer, texts.ports, texts.dst, texts.src,
				   texts.device, texts.user, rule_origins[rule->client.origin]);
	}
	if (tapctl->json)
		return output_json(array);
	return output_table_end(rows, "no rules: all connections leave as ordinary TCP");
}

int rule_list(const struct tapctl *tapctl, int argc, char **argv)
{
	return peers_show(tapctl, argc, argv, list);
}
