// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key derive: makes the tag key, all that a server needs of a user key.
 */
#include <sodium.h>

#include "user/derive.h"
#include "user/error.h"
#include "user/keyfile.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/verbs.h"

struct arguments {
	const char *realm_key;
	const char *user_key;
	const char *output;
};

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{ "realm-key", required_argument, NULL, 'r' },
		{ "user-key", required_argument, NULL, 'u' },
		{ "output", required_argument, NULL, 'o' },
		{},
	};
	int option;

	options_start();
	while ((option = options_next(argc, argv, ":o:", options)) != OPTIONS_END) {
		if (option == 'r')
			arguments->realm_key = optarg;
		else if (option == 'u')
			arguments->user_key = optarg;
		else if (option == 'o')
			arguments->output = optarg;
		else
			return USAGE;
	}
	option = options_words(argc, argv, 0, NULL);
	if (option < 0)
		return option;
	if (!arguments->realm_key || !arguments->user_key)
		return usage("--realm-key and --user-key are both needed");
	return 0;
}

static int derive(const struct tapctl *tapctl, const struct arguments *arguments)
{
	struct {
		unsigned char user[TAP_USER_KEY_BYTES];
		struct realm_key realm;
		unsigned char tag[TAP_DERIVED_KEY_BYTES];
		struct tap_sipkey words;
	} key;
	int err;

	sodium_mlock(&key, sizeof(key));
	err = keyfile_read(arguments->realm_key, (unsigned char *)&key.realm, sizeof(key.realm));
	if (!err)
		err = keyfile_read(arguments->user_key, key.user, sizeof(key.user));
	if (!err)
		err = derive_tag(key.user, key.realm.id, &key.words);
	if (!err) {
		derive_to_bytes(&key.words, key.tag);
		err = arguments->output ?
			      keyfile_write(arguments->output, key.tag, sizeof(key.tag)) :
			      keyfile_print(key.tag, sizeof(key.tag), tapctl->json);
	}
	sodium_munlock(&key, sizeof(key)); /* wipes them, too */
	return err;
}

int key_derive(const struct tapctl *tapctl, int argc, char **argv)
{
	struct arguments arguments = {};
	int err = read_arguments(argc, argv, &arguments);

	if (!err)
		err = derive(tapctl, &arguments);
	if (!err && arguments.output)
		err = output_done(tapctl, json_pack("{s:o}", "file", json_text(arguments.output)),
				  "tag key written to %s", arguments.output);
	return err;
}
