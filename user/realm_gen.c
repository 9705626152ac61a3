// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl realm gen: makes a realm key, or a new secret for a realm that there is.
 */
#include <string.h>

#include <sodium.h>

#include "user/derive.h"
#include "user/error.h"
#include "user/keyfile.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/secret.h"
#include "user/verbs.h"

struct arguments {
	const char *output;
	const char *rotate;
};

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "rotate", required_argument, NULL, 'r' },
		{},
	};
	int option;

	memset(arguments, 0, sizeof(*arguments));
	options_start();
	while ((option = options_next(argc, argv, ":o:", options)) != OPTIONS_END) {
		if (option == 'o')
			arguments->output = optarg;
		else if (option == 'r')
			arguments->rotate = optarg;
		else
			return USAGE;
	}
	option = options_words(argc, argv, 0, NULL);
	return option < 0 ? option : 0;
}

/* A new realm, or the one of the file. */
static int make(const char *rotate, struct realm_key *key)
{
	int err = 0;

	if (rotate)
		err = keyfile_read(rotate, (unsigned char *)key, sizeof(*key));
	else
		randombytes_buf(key->id, sizeof(key->id));
	return err ? err : derive_new_secret(key);
}

int realm_gen(const struct tapctl *tapctl, int argc, char **argv)
{
	char id[DERIVE_ID_TEXT], fingerprint[DERIVE_FINGERPRINT_BYTES];
	struct arguments arguments;
	struct realm_key key;
	int err;

	err = read_arguments(argc, argv, &arguments);
	if (err)
		return err;
	sodium_mlock(&key, sizeof(key));
	err = make(arguments.rotate, &key);
	if (!err)
		err = derive_fingerprint(key.secret, fingerprint);
	if (!err)
		err = secret_put(tapctl, arguments.output, (unsigned char *)&key, sizeof(key));
	derive_id_text(key.id, id);
	sodium_munlock(&key, sizeof(key)); /* wipes it, too */
	if (err || !arguments.output)
		return err;
	return output_done(tapctl,
			   json_pack("{s:o, s:s, s:s}", "file", json_text(arguments.output),
				     "realm_id", id, "fingerprint", fingerprint),
			   "realm key written to %s (realm %s, secret with fingerprint %s)",
			   arguments.output, id, fingerprint);
}
