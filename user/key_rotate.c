// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key rotate: gives a user a new secret, while the old one works a while longer. The gate
 * may read the key at any moment, so a new secret goes into the slot that is idle, and counts only
 * once it stands there whole (struct tap_key).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "user/keytable.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/verbs.h"

#define OVERLAP_DEFAULT 3600u
#define OVERLAP_MAX (10u * 366 * 86400)

struct arguments {
	const char *user_key;
	bool tag_key;
	__u16 id;
	unsigned int overlap;
};

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{ "user-key", required_argument, NULL, 'u' },
		{ "tag-key", no_argument, NULL, 't' },
		{ "overlap", required_argument, NULL, 'o' },
		{},
	};
	int option, word, err = 0;

	options_start();
	while (!err && (option = options_next(argc, argv, ":", options)) != OPTIONS_END) {
		if (option == 'u')
			arguments->user_key = optarg;
		else if (option == 't')
			arguments->tag_key = true;
		else if (option == 'o')
			err = parse_number("--overlap", optarg, 0, OVERLAP_MAX, &arguments->overlap);
		else
			err = USAGE;
	}
	if (err)
		return err;
	word = options_words(argc, argv, 1, "the key's ID, a number from 1 to 65535");
	if (word < 0)
		return word;
	if (!arguments->user_key)
		return usage("--user-key FILE is missing ('-' reads standard input)");
	return parse_key_id(argv[word], &arguments->id);
}

/* A new secret would help nobody with a key that is over. */
static int check(const struct tap_key *key, __u16 id, __s64 now)
{
	if (key->not_after == TAP_REVOKED)
		return fail(EPERM, "key %u is revoked, and stays so: to let its user in again, give "
			    "another ID by 'tapctl key add'", id);
	if (now >= key->not_after)
		return fail(EPERM, "key %u has expired, and a new secret would not change that: "
			    "give its user another ID by 'tapctl key add'", id);
	return 0;
}

/* Writes the secret into the slot that ends first, closed, and opens it in a second step. */
static int replace(const struct keytable *table, const struct arguments *arguments,
		   struct tap_key *key, const struct tap_sipkey *secret, __s64 now)
{
	int newest = key_newest(key), idle = !newest, err;
	__s64 until = now + arguments->overlap;

	if (!sodium_memcmp(&key->secret[newest], secret, sizeof(*secret)))
		return fail(EEXIST, "that is the secret that key %u has already: make a new one with "
			    "'tapctl key gen'", arguments->id);
	if (now < key->until[idle]) {
		note("key %u was still being rotated: its oldest secret, which had %lld s left, ends now",
		     arguments->id, (long long)(key->until[idle] - now));
		key->until[idle] = 0;
		err = keytable_put(table, arguments->id, key);
		if (err)
			return err;
	}
	key->until[idle] = 0;
	key->secret[idle] = *secret;
	err = keytable_put(table, arguments->id, key);
	if (err)
		return err;
	key->until[idle] = TAP_FOREVER;
	if (until < key->until[newest])
		key->until[newest] = until;
	return keytable_put(table, arguments->id, key);
}

static int rotate(const struct tapctl *tapctl, const struct arguments *arguments)
{
	struct {
		struct key_input input;
		struct tap_key key;
		struct tap_sipkey secret;
	} locked;
	struct keytable table;
	__s64 now;
	int err;

	sodium_mlock(&locked, sizeof(locked));
	err = keytable_read_input(arguments->user_key, arguments->tag_key, &locked.input);
	if (err)
		goto out;
	err = keytable_open(tapctl, true, &table);
	now = time(NULL); /* after all waiting */
	if (!err)
		err = keytable_find(&table, arguments->id, &locked.key);
	if (!err)
		err = check(&locked.key, arguments->id, now);
	if (!err)
		err = keytable_secret(tapctl, &locked.input, &locked.secret);
	if (!err)
		err = replace(&table, arguments, &locked.key, &locked.secret, now);
	keytable_close(&table);
out:
	sodium_munlock(&locked, sizeof(locked)); /* wipes it, too */
	return err;
}

int key_rotate(const struct tapctl *tapctl, int argc, char **argv)
{
	struct arguments arguments = { .overlap = OVERLAP_DEFAULT };
	char old[40] = "refused from now on";
	int err;

	err = read_arguments(argc, argv, &arguments);
	if (!err)
		err = rotate(tapctl, &arguments);
	if (err)
		return err;
	if (arguments.overlap)
		snprintf(old, sizeof(old), "taken for another %u s", arguments.overlap);
	return output_done(tapctl,
			   json_pack("{s:i, s:I}", "rotated", arguments.id, "overlap",
				     (json_int_t)arguments.overlap),
			   "key %u rotated: the old secret is %s", arguments.id, old);
}
