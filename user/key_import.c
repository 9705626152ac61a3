// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key import: many keys at once. Every line is checked before anything is written; then the
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
	unsigned char realm_key[TAP_REALM_KEY_BYTES];
	unsigned char user_key[TAP_USER_KEY_BYTES];
	struct tap_acl existing; /* IDs that are taken, by the server or an earlier line */
	__u32 n_keys;
	__u32 n_names;
	__u32 ids[TAP_KEY_ID_MAX];
	struct tap_key keys[TAP_KEY_ID_MAX];
	__u32 name_ids[TAP_KEY_ID_MAX];
	char names[TAP_KEY_ID_MAX][TAP_NAME_BYTES];
};

static int mark_existing(void *context, __u32 id, const struct tap_key *key)
{
	struct import *import = context;

	ids_add(&import->existing, id, id);
	return 0;
}

/* The words after the key; *tag: the key is a tag key. */
static int read_words(char **words, struct tap_key *key, char name[TAP_NAME_BYTES], bool *tag)
{
	int err = 0;

	for (; *words && !err; words++) {
		if (!strncmp(*words, "name=", 5))
			err = parse_name("name", *words + 5, true, name);
		else if (!strncmp(*words, "not-before=", 11))
			err = parse_time("not-before", *words + 11, &key->not_before);
		else if (!strncmp(*words, "not-after=", 10))
			err = parse_time("not-after", *words + 10, &key->not_after);
		else if (!strcmp(*words, "tag"))
			*tag = true;
		else /* not shown: it may be a key in the wrong place */
			err = usage("after the key come only name=NAME, not-before=TIME, "
				    "not-after=TIME and tag");
	}
	if (!err && key->not_before >= key->not_after)
		err = usage("not-before is not before not-after: the key would never be valid");
	return err;
}

static int read_secret(struct import *import, const char *text, bool tag, struct tap_sipkey *secret)
{
	size_t bytes = tag ? TAP_DERIVED_KEY_BYTES : TAP_USER_KEY_BYTES;

	if (keyfile_decode(text, strlen(text), import->user_key, bytes))
		return usage("the second word is no key of %zu bytes in base64%s", bytes,
			     tag ? "" : " (a tag key of 16 bytes needs the word tag)");
	if (!tag)
		return derive_tag(import->user_key, import->realm_key, secret);
	derive_from_bytes(import->user_key, secret);
	return 0;
}

static int take_line(void *context, int argc, char **argv)
{
	struct import *import = context;
	struct tap_key *key = &import->keys[import->n_keys];
	char name[TAP_NAME_BYTES] = "";
	bool tag = false;
	__u16 id;
	int err;

	if (argc < 3)
		return usage("a line is: ID BASE64 [name=NAME] [not-before=TIME] [not-after=TIME] [tag]");
	if (parse_key_id(argv[1], &id)) {
		forget_failure(); /* it shows the word, which may be a key in the wrong place */
		return usage("the first word is no key ID, a number from 1 to 65535");
	}
	if (ids_have(&import->existing, id))
		return fail(EEXIST, "key %u exists already, or an earlier line has it", id);
	key->not_after = TAP_FOREVER;
	err = read_words(argv + 3, key, name, &tag);
	if (!err)
		err = read_secret(import, argv[2], tag, &key->secret[0]);
	if (err)
		return err;
	key->until[0] = TAP_FOREVER;
	ids_add(&import->existing, id, id);
	import->ids[import->n_keys++] = id;
	if (*name) {
		import->name_ids[import->n_names] = id;
		memcpy(import->names[import->n_names++], name, sizeof(name));
	}
	return 0;
}

/* Names of keys that are gone must not stick to new ones. */
static int write_names(const struct keytable *table, struct import *import)
{
	__u32 i, count = import->n_names;
	int err = 0;

	for (i = 0; i < import->n_keys && !err; i++)
		err = keytable_set_name(table, import->ids[i], NULL);
	if (err || !count)
		return err;
	if (bpf_map_update_batch(table->names, import->name_ids, import->names, &count, NULL))
		return fail(errno, "cannot write the names: %s", strerror(errno));
	return 0;
}

static int write_keys(const struct keytable *table, struct import *import)
{
	__u32 count = import->n_keys;
	int err;

	if (!bpf_map_update_batch(table->keys, import->ids, import->keys, &count, NULL))
		return 0;
	err = errno;
	if (count > import->n_keys)
		count = import->n_keys;
	memset(import->keys, 0, sizeof(import->keys));
	bpf_map_update_batch(table->keys, import->ids, import->keys, &count, NULL);
	return fail(err, "cannot write the keys, so none was added: %s", strerror(err));
}

static int run(const struct tapctl *tapctl, const char *path, struct import *import)
{
	struct keytable table;
	int err;

	err = keytable_open(tapctl, true, &table);
	if (!err)
		err = keytable_realm_key(tapctl, import->realm_key);
	if (!err)
		err = keytable_scan(&table, mark_existing, import);
	if (!err)
		err = lines_read(path, true, take_line, import);
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
	err = run(tapctl, argv[1], import);
	added = import->n_keys;
	sodium_free(import); /* wipes it, too */
	if (err)
		return err;
	return output_done(tapctl, json_pack("{s:I}", "added", (json_int_t)added), "%u keys added",
			   added);
}
