// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a new secret from the kernel's random numbers.
 */
#include <sodium.h>

#include "user/derive.h"
#include "user/error.h"
#include "user/keyfile.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/secret.h"

_Static_assert(TAP_REALM_KEY_BYTES == TAP_USER_KEY_BYTES, "one length for both");

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

static int tell(const struct tapctl *tapctl, const char *path, const char *what,
		const char *fingerprint)
{
	if (!fingerprint)
		return output_done(tapctl, json_pack("{s:o}", "file", json_text(path)), "%s written to %s", what,
				   path);
	return output_done(tapctl, json_pack("{s:o, s:s}", "file", json_text(path), "fingerprint",
					     fingerprint),
			   "%s written to %s (fingerprint %s)", what, path, fingerprint);
}

int secret_gen(const struct tapctl *tapctl, int argc, char **argv, const char *what, bool realm)
{
	char fingerprint[DERIVE_FINGERPRINT_BYTES];
	unsigned char key[TAP_REALM_KEY_BYTES];
	const char *path;
	int err;

	err = read_arguments(argc, argv, &path);
	if (err)
		return err;
	sodium_mlock(key, sizeof(key));
	randombytes_buf(key, sizeof(key));
	err = derive_fingerprint(key, fingerprint);
	if (!err)
		err = path ? keyfile_write(path, key, sizeof(key)) :
			     keyfile_print(key, sizeof(key), tapctl->json);
	sodium_munlock(key, sizeof(key)); /* wipes it, too */
	if (!err && path)
		err = tell(tapctl, path, what, realm ? fingerprint : NULL);
	return err;
}
