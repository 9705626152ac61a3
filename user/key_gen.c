// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key gen: makes a user key.
 */
#include <sodium.h>

#include "tap/wire.h"
#include "user/error.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/secret.h"
#include "user/verbs.h"

static int read_arguments(int argc, char **argv, const char **path)
{
	static const struct option options[] = { { "output", required_argument, NULL, 'o' }, {} };
	int option;

	*path = NULL;
	options_start();
	while ((option = options_next(argc, argv, ":o:", options)) != OPTIONS_END) {
		if (option == OPTIONS_BAD)
			return USAGE;
		*path = optarg;
	}
	option = options_words(argc, argv, 0, NULL);
	return option < 0 ? option : 0;
}

int key_gen(const struct tapctl *tapctl, int argc, char **argv)
{
	unsigned char key[TAP_USER_KEY_BYTES];
	const char *path;
	int err;

	err = read_arguments(argc, argv, &path);
	if (err)
		return err;
	sodium_mlock(key, sizeof(key));
	randombytes_buf(key, sizeof(key));
	err = secret_put(tapctl, path, key, sizeof(key));
	sodium_munlock(key, sizeof(key)); /* wipes it, too */
	if (err || !path)
		return err;
	return output_done(tapctl, json_pack("{s:o}", "file", json_text(path)),
			   "user key written to %s", path);
}
