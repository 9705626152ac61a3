// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a new key goes: see secret.h.
 */
#include "user/keyfile.h"
#include "user/secret.h"

int secret_put(const struct tapctl *tapctl, const char *path, const unsigned char *key, size_t bytes)
{
	return path ? keyfile_write(path, key, bytes) : keyfile_print(key, bytes, tapctl->json);
}
