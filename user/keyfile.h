/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that hold one secret key, in base64. They return 0, or -errno after fail(), and
 * leave nothing of the key in memory but what the caller asked for.
 */
#ifndef TAP_KEYFILE_H
#define TAP_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads a key of exactly `bytes` bytes from PATH, or from standard input if PATH is "-". Blanks
 * and newlines do not matter. A regular file must be no symbolic link and closed to group and
 * others; pipes are taken as they are.
 */
int keyfile_read(const char *path, unsigned char *out, size_t bytes);

/*
 * Writes a key to a new file of mode 0600 that is there whole or not at all. An existing file is
 * never overwritten.
 */
int keyfile_write(const char *path, const unsigned char *key, size_t bytes);

/* Writes a key to standard output, as {"key": BASE64} if so told. */
int keyfile_print(const unsigned char *key, size_t bytes, bool json);

/* The checks of keyfile_read() alone, for other files with secrets: a descriptor to read from. */
int keyfile_open(const char *path);

/* Decodes the base64 of exactly `bytes` bytes; 0 or -EINVAL, without fail(). */
int keyfile_decode(const char *text, size_t length, unsigned char *out, size_t bytes);

#endif /* TAP_KEYFILE_H */
