/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a new key goes: what `realm gen` and `key gen` share.
 */
#ifndef TAP_SECRET_H
#define TAP_SECRET_H

#include <stddef.h>

#include "user/tapctl.h"

/* Writes it to a new file, or to standard output where `path` is NULL; 0 or -errno after fail(). */
int secret_put(const struct tapctl *tapctl, const char *path, const unsigned char *key, size_t bytes);

#endif /* TAP_SECRET_H */
