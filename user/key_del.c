// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key del: forgets a key.
 */
#include <string.h>

#include <sodium.h>

#include "user/advice.h"
#include "user/keytable.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/verbs.h"

static int read_arguments(int argc, char **argv, __u16 *id)
{
	static const struct option options[] = { {} };
	int word;

	options_start();
	if (options_next(argc, argv, ":", options) != OPTIONS_END)
		return USAGE;
	word = options_words(argc, argv, 1, "the key's ID, see 'tapctl key list'");
	return word < 0 ? word : parse_key_id(argv[word], id);
}

/* The key first: it must stop working even if the rest fails. */
static int forget(const struct keytable *table, __u16 id, struct tap_key *key)
{
	int err = keytable_find(table, id, key);

	if (err)
		return err;
	memset(key, 0, sizeof(*key));
	err = keytable_put(table, id, key);
	return err ? err : keytable_set_name(table, id, NULL);
}

int key_del(const struct tapctl *tapctl, int argc, char **argv)
{
	struct keytable table;
	struct tap_key key;
	__u16 id;
	int err;

	err = read_arguments(argc, argv, &id);
	if (err)
		return err;
	sodium_mlock(&key, sizeof(key));
	err = keytable_open(tapctl, true, &table);
	if (!err)
		err = forget(&table, id, &key);
	if (!err)
		advise_on_all_services(tapctl);
	keytable_close(&table);
	sodium_munlock(&key, sizeof(key)); /* wipes it, too */
	if (err)
		return err;
	return output_done(tapctl, json_pack("{s:i}", "deleted", id),
			   "key %u deleted: open connections live on, new ones are refused", id);
}
