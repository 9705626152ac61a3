// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key derivation with libsodium: BLAKE2b (crypto_generichash) makes the keys, SipHash-2-4
 * (crypto_shorthash) says which windows are marks.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "user/derive.h"
#include "user/tapctl.h"

#define TAG_LABEL "TAP2 tag"
#define TAG_LABEL_BYTES (sizeof(TAG_LABEL) - 1)

_Static_assert(crypto_shorthash_KEYBYTES == TAP_DERIVED_KEY_BYTES, "SipHash wants 16 bytes");

void derive_from_bytes(const unsigned char bytes[TAP_DERIVED_KEY_BYTES], struct tap_sipkey *out)
{
	memcpy(out->k, bytes, sizeof(out->k));
	out->k[0] = le64toh(out->k[0]);
	out->k[1] = le64toh(out->k[1]);
}

void derive_to_bytes(const struct tap_sipkey *key, unsigned char bytes[TAP_DERIVED_KEY_BYTES])
{
	__u64 words[2] = { htole64(key->k[0]), htole64(key->k[1]) };

	memcpy(bytes, words, sizeof(words));
	sodium_memzero(words, sizeof(words));
}

static int hash(unsigned char *out, size_t out_bytes, const unsigned char *message, size_t bytes,
		const unsigned char key[32])
{
	if (sodium_init() < 0)
		return fail(EIO, "libsodium does not start: the system has no source of randomness");
	if (crypto_generichash(out, out_bytes, message, bytes, key, 32))
		return fail(EIO, "libsodium cannot derive a key: is its library damaged?");
	return 0;
}

static int derive_key(const unsigned char *message, size_t bytes, const unsigned char key[32],
		      struct tap_sipkey *out)
{
	unsigned char derived[TAP_DERIVED_KEY_BYTES];
	int err = hash(derived, sizeof(derived), message, bytes, key);

	if (!err)
		derive_from_bytes(derived, out);
	sodium_memzero(derived, sizeof(derived));
	return err;
}

int derive_tag(const unsigned char user_key[TAP_USER_KEY_BYTES],
	       const unsigned char realm_key[TAP_REALM_KEY_BYTES], struct tap_sipkey *out)
{
	unsigned char message[TAG_LABEL_BYTES + TAP_REALM_KEY_BYTES];
	int err;

	memcpy(message, TAG_LABEL, TAG_LABEL_BYTES);
	memcpy(message + TAG_LABEL_BYTES, realm_key, TAP_REALM_KEY_BYTES);
	err = derive_key(message, sizeof(message), user_key, out);
	sodium_memzero(message, sizeof(message));
	return err;
}

int derive_veil(const unsigned char realm_key[TAP_REALM_KEY_BYTES], struct tap_sipkey *out)
{
	static const char message[] = "TAP2 veil";

	return derive_key((const unsigned char *)message, strlen(message), realm_key, out);
}

int derive_mark(const unsigned char realm_key[TAP_REALM_KEY_BYTES], struct tap_sipkey *out)
{
	static const char message[] = "TAP2 mark";

	return derive_key((const unsigned char *)message, strlen(message), realm_key, out);
}

void derive_marks(const struct tap_sipkey *mark, __u64 bitmap[65536 / 64])
{
	unsigned char key[TAP_DERIVED_KEY_BYTES];
	__u32 m;

	derive_to_bytes(mark, key);
	memset(bitmap, 0, 65536 / 8);
	for (m = TAP_MARK_MIN; m < 65536; m++) {
		unsigned char message[2] = { m >> 8, m & 0xff };
		unsigned char sum[crypto_shorthash_BYTES]; /* little-endian: sum[0] is mod 256 */

		crypto_shorthash(sum, message, sizeof(message), key);
		if (sum[0] % TAP_MARK_MODULUS == 0)
			bitmap[m / 64] |= 1ULL << (m % 64);
	}
	sodium_memzero(key, sizeof(key));
}

int derive_fingerprint(const unsigned char realm_key[TAP_REALM_KEY_BYTES],
		       char hex[DERIVE_FINGERPRINT_BYTES])
{
	static const char message[] = "TAP2 fingerprint";
	unsigned char sum[crypto_generichash_BYTES_MIN];
	int err;

	err = hash(sum, sizeof(sum), (const unsigned char *)message, strlen(message), realm_key);
	if (!err)
		sodium_bin2hex(hex, DERIVE_FINGERPRINT_BYTES, sum, (DERIVE_FINGERPRINT_BYTES - 1) / 2);
	return err;
}
