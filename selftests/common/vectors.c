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

static void read_realm(struct vector_realm *realm, json_t *from)
{
	hex(realm->realm_key, sizeof(realm->realm_key), from, "realm_key");
	hex(realm->k_veil, sizeof(realm->k_veil), from, "k_veil");
	hex(realm->k_mark, sizeof(realm->k_mark), from, "k_mark");
	realm->marks = number(from, "marks");
	marks(realm->first, from, "first_marks");
	marks(realm->last, from, "last_marks");
}

static void read_group(struct vector_group *vector, json_t *from)
{
	struct ref_group *group = &vector->group;
	json_t *seq = member(from, "seq"), *tsecr = member(from, "syn3_tsecr");
	uint8_t tag[8];
	int i;

	hex(group->realm_key, sizeof(group->realm_key), from, "realm_key");
	hex(group->user_key, sizeof(group->user_key), from, "user_key");
	hex(vector->k_tag, sizeof(vector->k_tag), from, "k_tag");
	group->key_id = number(from, "key_id");
	group->veiled = !strcmp(json_string_value(member(from, "frame")), "veiled");
	group->isn = number(from, "isn");
	group->sec = number(from, "sec");
	group->frac = number(from, "frac");
	group->flags = number(from, "flags");
	group->port = number(from, "port");
	hex(tag, sizeof(tag), from, "tag"); /* T, most significant byte first */
	for (i = 0; i < 8; i++)
		vector->wire.tag = vector->wire.tag << 8 | tag[i];
	if (json_array_size(seq) != 4)
		bad("seq");
	for (i = 0; i < 4; i++)
		vector->wire.seq[i] = json_integer_value(json_array_get(seq, i));
	vector->wire.extended = json_is_integer(tsecr);
	if (vector->wire.extended)
		vector->wire.tsecr = json_integer_value(tsecr);
}

const struct vectors *vectors_load(void)
{
	static struct vectors vectors;
	const char *path = getenv("TAP_VECTORS");
	json_error_t error;
	json_t *root, *list, *item;
	size_t i;

	root = json_load_file(path ? path : TAP_SOURCE_DIR "/selftests/vectors/groups.json", 0,
			      &error);
	if (!root)
		bad(error.text);
	list = member(root, "realms");
	if (json_array_size(list) > VECTORS_MAX)
		bad("too many realms");
	vectors.n_realms = json_array_size(list);
	json_array_foreach(list, i, item)
		read_realm(&vectors.realms[i], item);
	list = member(root, "groups");
	if (json_array_size(list) > VECTORS_MAX)
		bad("too many groups");
	vectors.n_groups = json_array_size(list);
	json_array_foreach(list, i, item)
		read_group(&vectors.groups[i], item);
	json_decref(root);
	if (!vectors.n_realms || !vectors.n_groups)
		bad("no vectors in the file");
	return &vectors;
}
