// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key import: many keys at once. All is read and checked before the lock is taken; then the
 * names go in, and last the keys, in one system call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <sodium.h>

#include "user/derive.h"
#include "user/keyfile.h"
#include "user/keytable.h"
#include "user/lines.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/verbs.h"

/* All of it is in locked memory. */
struct import {
	unsigned char realm_id[TAP_REALM_ID_BYTES];
	struct tap_acl listed; /* IDs that a line has */
	__u32 existing; /* one of them that the server has already, or 0 */
	__u32 n_keys;
	__u32 n_names;
	__u32 ids[TAP_KEY_ID_MAX];
	struct key_input inputs[TAP_KEY_ID_MAX];
	struct tap_key keys[TAP_KEY_ID_MAX];
	__u32 name_ids[TAP_KEY_ID_MAX];
	char names[TAP_KEY_ID_MAX][TAP_NAME_BYTES];
};

static int check_existing(void *context, __u32 id, const struct tap_key *key)
{
	struct import *import = context;

	if (ids_have(&import->listed, id))
		import->existing = id;
	return import->existing;
}

/* Any word may be a key in the wrong place, so messages show none. */
static int hide(int err, const char *instead)
{
	if (!err)
		return 0;
	forget_failure();
	return usage("%s", instead);
}

static int read_word(const char *word, struct tap_key *key, char name[TAP_NAME_BYTES], bool *tag)
{
	const char *no_time = "after not-before= and not-after= comes a time: 2027-01-31, "
			      "2027-01-31T18:00:00Z, now, +90d (or h, m, s), or @UNIXSECONDS";

	if (!strncmp(word, "name=", 5))
		return hide(parse_name("name", word + 5, true, name),
			    "after name= come 1 to 31 of A-Z a-z 0-9 . _ - @ +");
	if (!strncmp(word, "not-before=", 11))
		return hide(parse_time("not-before", word + 11, &key->not_before), no_time);
	if (!strncmp(word, "not-after=", 10))
		return hide(parse_time_end("not-after", word + 10, &key->not_after), no_time);
	if (!strncmp(word, "rate=", 5))
		return hide(parse_number("rate", word + 5, 0, TAP_RATE_MAX, &key->rate),
			    "after rate= comes a number from 0 to 1000000: admissions a second, 0: no "
			    "limit");
	if (strcmp(word, "tag"))
		return usage("after the key come only name=NAME, not-before=TIME, not-after=TIME, "
			     "rate=N and tag");
	*tag = true;
	return 0;
}

/* The words after the key; *tag: the key is a tag key. */
static int read_words(char **words, struct tap_key *key, char name[TAP_NAME_BYTES], bool *tag)
{
	int err = 0;

	for (; *words && !err; words++)
		err = read_word(*words, key, name, tag);
	if (!err && key->not_before >= key->not_after)
		err = usage("not-before is not before not-after: the key would never be valid");
	return err;
}

static int read_key(const char *text, struct key_input *input)
{
	size_t bytes = input->tag_key ? TAP_DERIVED_KEY_BYTES : TAP_USER_KEY_BYTES;

	if (!keyfile_decode(text, strlen(text), input->bytes, bytes))
		return 0;
	return usage("the second word is no key of %zu bytes in base64%s", bytes,
		     input->tag_key ? "" : " (a tag key of 16 bytes needs the word tag)");
}

static int take_line(void *context, int argc, char **argv)
{
	struct import *import = context;
	char name[TAP_NAME_BYTES] = "";
	struct key_input *input;
	struct tap_key *key;
	__u16 id;
	int err;

	if (argc < 3)
		return usage("a line is: ID BASE64 [name=NAME] [not-before=TIME] [not-after=TIME] "
			     "[rate=N] [tag]");
	err = hide(parse_key_id(argv[1], &id),
		   "the first word is no key ID, a number from 1 to 65535");
	if (err)
		return err;
	if (ids_have(&import->listed, id))
		return fail(EEXIST, "an earlier line has key %u already", id);
	input = &import->inputs[import->n_keys];
	key = &import->keys[import->n_keys];
	key->not_after = TAP_FOREVER;
	key->rate = TAP_RATE_DEFAULT;
	err = read_words(argv + 3, key, name, &input->tag_key);
	if (!err)
		err = read_key(argv[2], input);
	if (err)
		return err;
	key->until[0] = TAP_FOREVER;
	ids_add(&import->listed, id, id);
	import->ids[import->n_keys++] = id;
	if (*name) {
		import->name_ids[import->n_names] = id;
		memcpy(import->names[import->n_names++], name, sizeof(name));
	}
	return 0;
}

static int derive_secrets(struct import *import)
{
	__u32 i;
	int err = 0;

	for (i = 0; i < import->n_keys && !err; i++) {
		const struct key_input *input = &import->inputs[i];
		struct tap_sipkey *secret = &import->keys[i].secret[0];

		if (input->tag_key)
			derive_from_bytes(input->bytes, secret);
		else
			err = derive_tag(input->bytes, import->realm_id, secret);
	}
	return err;
}

/* Names and uses of keys that are gone must not stick to new ones. */
static int write_names(const struct keytable *table, struct import *import)
{
	__u32 i, count = import->n_names;
	int err = 0;

	for (i = 0; i < import->n_keys && !err; i++)
		err = keytable_set_name(table, import->ids[i], NULL);
	if (!err)
		err = keytable_forget_uses(table, import->ids, import->n_keys);
	if (err || !count)
		return err;
	if (bpf_map_update_batch(table->names, import->name_ids, import->names, &count, NULL))
		return fail(errno, "cannot write the names: %s", cause(errno));
	return 0;
}

static int write_keys(const struct keytable *table, struct import *import)
{
	__u32 count = import->n_keys;
	int err;

	err = keytable_list(table, &import->listed, true);
	if (err)
		return err;
	if (!bpf_map_update_batch(table->keys, import->ids, import->keys, &count, NULL))
		return 0;
	err = errno;
	if (count > import->n_keys)
		count = import->n_keys;
	memset(import->keys, 0, sizeof(import->keys));
	bpf_map_update_batch(table->keys, import->ids, import->keys, &count, NULL);
	if (keytable_list(table, &import->listed, false))
		forget_failure();
	return fail(err, "cannot write the keys, so none was added: %s", cause(err));
}

static int add(const struct tapctl *tapctl, struct import *import)
{
	struct keytable table;
	int err;

	err = keytable_open(tapctl, true, &table);
	if (!err)
		err = keytable_scan(&table, check_existing, import);
	if (!err && import->existing)
		err = fail(EEXIST, "key %u exists already, so nothing was changed: take it out of the "
			   "list ('tapctl key rotate %u' gives it a new secret)",
			   import->existing, import->existing);
	if (!err)
		err = keytable_realm_id(tapctl, import->realm_id);
	if (!err)
		err = derive_secrets(import);
	if (!err && import->n_keys)
		err = write_names(&table, import);
	if (!err && import->n_keys)
		err = write_keys(&table, import);
	keytable_close(&table);
	return err;
}

int key_import(const struct tapctl *tapctl, int argc, char **argv)
{
	struct import *import;
	__u32 added;
	int err;

	if (argc != 2)
		return usage(argc < 2 ? "missing: the file to read, or '-'" : "one file is enough");
	import = sodium_malloc(sizeof(*import));
	if (!import)
		return fail(ENOMEM, "cannot lock %zu MiB of memory for the keys: raise RLIMIT_MEMLOCK",
			    sizeof(*import) >> 20);
	memset(import, 0, sizeof(*import));
	err = lines_read(argv[1], true, take_line, import);
	if (!err)
		err = add(tapctl, import);
	added = import->n_keys;
	sodium_free(import); /* wipes it, too */
	if (err)
		return err;
	return output_done(tapctl, json_pack("{s:I}", "added", (json_int_t)added), "%u keys added",
			   added);
}
