// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key add: lets a user in.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "user/keytable.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/verbs.h"

struct arguments {
	const char *user_key;
	bool tag_key;
	__u16 id;
	char name[TAP_NAME_BYTES];
	__s64 not_before;
	__s64 not_after;
	__u32 rate;
};

static int read_option(int option, struct arguments *arguments)
{
	switch (option) {
	case 'u':
		arguments->user_key = optarg;
		return 0;
	case 't':
		arguments->tag_key = true;
		return 0;
	case 'n':
		return parse_name("--name", optarg, true, arguments->name);
	case 'b':
		return parse_time("--not-before", optarg, &arguments->not_before);
	case 'r':
		return parse_number("--rate", optarg, 0, TAP_RATE_MAX, &arguments->rate);
	case 'a':
		return parse_time_end("--not-after", optarg, &arguments->not_after);
	default:
		return USAGE;
	}
}

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{ "user-key", required_argument, NULL, 'u' },
		{ "tag-key", no_argument, NULL, 't' },
		{ "name", required_argument, NULL, 'n' },
		{ "not-before", required_argument, NULL, 'b' },
		{ "not-after", required_argument, NULL, 'a' },
		{ "rate", required_argument, NULL, 'r' },
		{},
	};
	int option, word, err = 0;

	options_start();
	while (!err && (option = options_next(argc, argv, ":", options)) != OPTIONS_END)
		err = read_option(option, arguments);
	if (err)
		return err;
	word = options_words(argc, argv, 1, "the key's ID, a number from 1 to 65535");
	if (word < 0)
		return word;
	if (!arguments->user_key)
		return usage("--user-key FILE is missing ('-' reads standard input)");
	if (arguments->not_before >= arguments->not_after)
		return usage("--not-before is not before --not-after: the key would never be valid");
	return parse_key_id(argv[word], &arguments->id);
}

static int add(const struct tapctl *tapctl, const struct arguments *arguments,
	       const struct key_input *input, struct tap_key *key)
{
	struct keytable table;
	__u32 id = arguments->id;
	int err;

	err = keytable_open(tapctl, true, &table);
	if (err)
		goto out;
	err = keytable_get(&table, arguments->id, key);
	if (!err && key_exists(key))
		err = fail(EEXIST, "key %u exists already: 'tapctl key rotate %u' gives it a new "
			   "secret; another user needs another ID",
			   arguments->id, arguments->id);
	if (err)
		goto out;
	memset(key, 0, sizeof(*key));
	err = keytable_secret(tapctl, input, &key->secret[0]);
	if (err)
		goto out;
	key->until[0] = TAP_FOREVER;
	key->not_before = arguments->not_before;
	key->not_after = arguments->not_after;
	key->rate = arguments->rate;
	/* The name first: a name without a key means nothing, and the next add replaces it. */
	err = keytable_set_name(&table, arguments->id, arguments->name);
	if (!err)
		err = keytable_forget_uses(&table, &id, 1);
	if (!err)
		err = keytable_put(&table, arguments->id, key);
out:
	keytable_close(&table);
	return err;
}

int key_add(const struct tapctl *tapctl, int argc, char **argv)
{
	struct arguments arguments = { .not_after = TAP_FOREVER, .rate = TAP_RATE_DEFAULT };
	struct {
		struct key_input input;
		struct tap_key key;
	} locked;
	__s64 now;
	int err;

	err = read_arguments(argc, argv, &arguments);
	if (err)
		return err;
	sodium_mlock(&locked, sizeof(locked));
	err = keytable_read_input(arguments.user_key, arguments.tag_key, &locked.input);
	if (!err)
		err = add(tapctl, &arguments, &locked.input, &locked.key);
	sodium_munlock(&locked, sizeof(locked)); /* wipes it, too */
	if (err)
		return err;
	now = time(NULL);
	if (now >= arguments.not_after || now < arguments.not_before)
		note("key %u opens nothing now: it is %s", arguments.id,
		     now >= arguments.not_after ? "expired already" : "not yet valid");
	return output_done(tapctl,
			   json_pack("{s:i, s:s}", "added", arguments.id, "name", arguments.name),
			   *arguments.name ? "key %u added (%s)" : "key %u added%s", arguments.id,
			   arguments.name);
}
