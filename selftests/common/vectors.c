// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the published test vectors with jansson; see vectors.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "selftests/common/vectors.h"

static void bad(const char *what)
{
	fprintf(stderr, "vectors: %s\n", what);
	exit(1);
}

static json_t *member(json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	if (!value)
		bad(name);
	return value;
}

static void hex(uint8_t *bytes, size_t length, json_t *object, const char *name)
{
	const char *text = json_string_value(member(object, name));
	size_t got;

	if (!text || sodium_hex2bin(bytes, length, text, strlen(text), NULL, &got, NULL) ||
	    got != length)
		bad(name);
}

static uint64_t number(json_t *object, const char *name)
{
	json_t *value = member(object, name);

	if (!json_is_integer(value))
		bad(name);
	return json_integer_value(value);
}

static void marks(uint16_t *list, json_t *object, const char *name)
{
	json_t *array = member(object, name);
	int i;

	if (json_array_size(array) != VECTOR_MARKS)
		bad(name);
	for (i = 0; i < VECTOR_MARKS; i++)
		list[i] = json_integer_value(json_array_get(array, i));
}

static void address(uint8_t to[REF_ADDRESS_BYTES], bool *missing, json_t *object, const char *name)
{
	const char *text = json_string_value(member(object, name));

	*missing = !text;
	if (text && !ref_address(text, to))
		bad(name);
}

static bool is_veiled(json_t *object)
{
	const char *text = json_string_value(member(object, "encoding"));

	if (!text || (strcmp(text, "veiled") && strcmp(text, "classic")))
		bad("encoding");
	return !strcmp(text, "veiled");
}

static void sequence_numbers(uint32_t seq[4], json_t *object)
{
	json_t *array = member(object, "seq");
	int i;

	if (json_array_size(array) != 4)
		bad("seq");
	for (i = 0; i < 4; i++)
		seq[i] = json_integer_value(json_array_get(array, i));
}

static void read_realm(struct vector_realm *realm, json_t *from)
{
	uint8_t id[REF_ID_BYTES];

	hex(realm->realm_key, sizeof(realm->realm_key), from, "realm_key");
	hex(id, sizeof(id), from, "realm_id");
	if (memcmp(id, realm->realm_key, sizeof(id)))
		bad("realm_id");
	hex(realm->k_veil, sizeof(realm->k_veil), from, "k_veil");
	hex(realm->k_mark, sizeof(realm->k_mark), from, "k_mark");
	realm->marks = number(from, "marks");
	marks(realm->first, from, "first_marks");
	marks(realm->last, from, "last_marks");
}

static void read_group(struct vector_group *vector, json_t *from)
{
	struct ref_group *group = &vector->group;
	bool no_dst, no_src;
	uint8_t tag[8];
	int i;

	hex(group->realm_key, sizeof(group->realm_key), from, "realm_key");
	hex(group->user_key, sizeof(group->user_key), from, "user_key");
	hex(vector->k_tag, sizeof(vector->k_tag), from, "k_tag");
	group->key_id = number(from, "key_id");
	group->veiled = is_veiled(from);
	group->isn = number(from, "isn");
	group->sec = number(from, "sec");
	group->frac = number(from, "frac");
	group->flags = number(from, "flags");
	group->port = number(from, "port");
	address(group->dst, &no_dst, from, "dst");
	address(group->src, &no_src, from, "src");
	if (no_dst != !(group->flags & REF_FLAG_DST) || no_src != !(group->flags & REF_FLAG_SRC))
		bad("flags");
	hex(tag, sizeof(tag), from, "tag"); /* T, most significant byte first */
	for (i = 0; i < 8; i++)
		vector->wire.tag = vector->wire.tag << 8 | tag[i];
	sequence_numbers(vector->wire.seq, from);
}

static void read_keys(struct vector_reading *reading, json_t *from)
{
	struct ref_key *key = reading->keys;
	json_t *keys = member(from, "keys"), *value;
	const char *id;

	if (json_object_size(keys) > VECTOR_KEYS)
		bad("too many keys");
	json_object_foreach(keys, id, value) {
		*key = (struct ref_key){ .id = atoi(id), .n_secrets = 1 };
		hex(key->user_key[0], sizeof(key->user_key[0]), keys, id);
		key++;
	}
	reading->server.keys = reading->keys;
	reading->server.n_keys = key - reading->keys;
}

static void read_secrets(struct ref_server *server, json_t *from)
{
	json_t *list = member(from, "realms"), *item;
	const char *text;
	size_t i, got;

	server->n_realms = json_array_size(list);
	if (!server->n_realms || server->n_realms > 2)
		bad("realms");
	json_array_foreach(list, i, item) {
		text = json_string_value(item);
		if (!text || sodium_hex2bin(server->realm_key[i], REF_REALM_KEY_BYTES, text,
					    strlen(text), NULL, &got, NULL) ||
		    got != REF_REALM_KEY_BYTES)
			bad("realms");
	}
}

/* What became of it, in the file's words. */
static enum ref_result result_of(json_t *from)
{
	static const char *const names[] = {
		[REF_UNREADABLE] = "unreadable", [REF_VERSION] = "version", [REF_SKEW] = "skew",
		[REF_UNKNOWN_KEY] = "unknown_key", [REF_WRONG_TAG] = "tag",
	};
	json_t *reason = json_object_get(from, "reason");
	unsigned int i;

	if (!reason)
		return REF_AUTHENTIC;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && json_is_string(reason) &&
		    !strcmp(names[i], json_string_value(reason)))
			return i;
	bad("reason");
	return REF_UNREADABLE;
}

static void read_reading(struct vector_reading *reading, json_t *from)
{
	struct ref_server *server = &reading->server;

	snprintf(reading->name, sizeof(reading->name), "%s",
		 json_string_value(member(from, "name")));
	read_secrets(server, from);
	read_keys(reading, from);
	server->veiled = is_veiled(from);
	server->now = number(from, "now");
	server->skew = number(from, "skew");
	server->port = number(from, "port");
	address(server->dst, &reading->to_any, from, "dst");
	address(server->src, &reading->from_any, from, "src");
	sequence_numbers(reading->seq, from);
	reading->result = result_of(from);
	if (reading->result != REF_AUTHENTIC)
		return;
	reading->syn0 = number(from, "syn0");
	reading->key_id = number(from, "key_id");
	reading->sec = number(from, "sec");
}

static json_t *list_of(json_t *root, const char *name, unsigned int *n)
{
	json_t *list = member(root, name);

	*n = json_array_size(list);
	if (!*n || *n > VECTORS_MAX)
		bad(name);
	return list;
}

const struct vectors *vectors_load(void)
{
	static struct vectors vectors;
	const char *path = getenv("TAP_VECTORS");
	json_error_t error;
	json_t *root, *item;
	size_t i;

	root = json_load_file(path ? path : TAP_SOURCE_DIR "/selftests/vectors/groups.json", 0,
			      &error);
	if (!root)
		bad(error.text);
	json_array_foreach(list_of(root, "realms", &vectors.n_realms), i, item)
		read_realm(&vectors.realms[i], item);
	json_array_foreach(list_of(root, "groups", &vectors.n_groups), i, item)
		read_group(&vectors.groups[i], item);
	json_array_foreach(list_of(root, "readings", &vectors.n_readings), i, item)
		read_reading(&vectors.readings[i], item);
	json_decref(root);
	return &vectors;
}
