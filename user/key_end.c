// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `key del` and `key revoke` share: see key_end.h.
 */
#include <sodium.h>

#include "user/advice.h"
#include "user/key_end.h"
#include "user/output.h"
#include "user/parse.h"

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

int key_end(const struct tapctl *tapctl, int argc, char **argv, key_ending *end, const char *done)
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
		err = end(&table, id, &key);
	if (!err)
		advise_on_all_services(tapctl);
	keytable_close(&table);
	sodium_munlock(&key, sizeof(key)); /* wipes it, too */
	if (err)
		return err;
	return output_done(tapctl, json_pack("{s:i}", done, id),
			   "key %u %s: open connections live on, new ones are refused", id, done);
}
