// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key files: what is read as a key, by way of a real descriptor, must be that key in base64 and
 * nothing else but blanks; what does not is refused, leaving nothing behind. And a key written
 * reads back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "selftests/fuzz/fuzz.h"
#include "tap/wire.h"
#include "user/keyfile.h"
#include "user/tapctl.h"

#define KEY_BYTES_MAX TAP_REALM_KEY_BYTES

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The base64 of `bytes` bytes with blanks anywhere, decoded the long way. */
static bool decode(const uint8_t *text, size_t length, uint8_t *out, size_t bytes)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t wanted = (bytes + 2) / 3 * 4, padding = wanted - (bytes * 8 + 5) / 6, n = 0, i;
	uint32_t collected = 0, bits = 0, got = 0;
	const char *digit;

	for (i = 0; i < length; i++) {
		if (is_blank(text[i]))
			continue;
		if (n++ >= wanted)
			return false;
		if (n > wanted - padding) {
			if (text[i] != '=')
				return false;
			continue;
		}
		digit = text[i] ? strchr(digits, text[i]) : NULL;
		if (!digit)
			return false;
		collected = collected << 6 | (digit - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[got++] = collected >> bits;
		}
	}
	return n == wanted && got == bytes && !(collected & ((1u << bits) - 1));
}

/* A file with these bytes, closed to others. */
static int file_with(const uint8_t *bytes, size_t length, char path[32])
{
	int fd = memfd_create("key", 0);

	MUST(fd >= 0 && !fchmod(fd, 0600), "no file");
	MUST(write(fd, bytes, length) == (ssize_t)length && !lseek(fd, 0, SEEK_SET), "no space");
	snprintf(path, 32, "/dev/fd/%d", fd);
	return fd;
}

static void read_back(const uint8_t *key, size_t bytes)
{
	char text[80], path[32];
	uint8_t got[KEY_BYTES_MAX];
	int fd;

	sodium_bin2base64(text, sizeof(text), key, bytes, sodium_base64_VARIANT_ORIGINAL);
	fd = file_with((uint8_t *)text, strlen(text), path);
	MUST(!keyfile_read(path, got, bytes) && !memcmp(got, key, bytes), "%s", text);
	close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return sodium_init() < 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t nothing[KEY_BYTES_MAX];
	static const size_t lengths[] = { TAP_DERIVED_KEY_BYTES, TAP_USER_KEY_BYTES,
					  TAP_REALM_KEY_BYTES };
	uint8_t got[KEY_BYTES_MAX], want[KEY_BYTES_MAX] = { 0 };
	struct input input = { data, size };
	size_t bytes = lengths[take8(&input) % 3];
	bool good = input.left < 1024 && decode(input.at, input.left, want, bytes);
	char path[32];
	int fd, err;

	memset(got, 0xaa, sizeof(got));
	err = keyfile_decode((const char *)input.at, input.left, got, bytes);
	if (input.left < 1024)
		MUST(!err == good, "decoded: %d", err);
	if (err)
		MUST(!memcmp(got, nothing, bytes), "left something behind");
	else
		MUST(input.left >= 1024 || !memcmp(got, want, bytes), "another key");
	fd = file_with(input.at, input.left, path);
	err = keyfile_read(path, got, bytes);
	MUST(!err == good, "read: %d", err);
	MUST(!err || failure(), "without a word");
	if (!err)
		MUST(!memcmp(got, want, bytes), "another key");
	forget_failure();
	close(fd);
	if (good)
		read_back(got, bytes);
	return 0;
}
