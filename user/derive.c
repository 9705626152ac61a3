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

#define LABEL_MAX 16

_Static_assert(sizeof(struct realm_key) == TAP_REALM_KEY_BYTES, "as in a key file");
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

/* The messages of all derived keys: a label, then the realm's ID. No NUL between them. */
static int derive_for_realm(const char *label, const unsigned char id[TAP_REALM_ID_BYTES],
			    const unsigned char key[32], struct tap_sipkey *out)
{
	unsigned char message[LABEL_MAX + TAP_REALM_ID_BYTES];
	size_t length = strlen(label);

	memcpy(message, label, length);
	memcpy(message + length, id, TAP_REALM_ID_BYTES);
	return derive_key(message, length + TAP_REALM_ID_BYTES, key, out);
}

int derive_tag(const unsigned char user_key[TAP_USER_KEY_BYTES],
	       const unsigned char realm_id[TAP_REALM_ID_BYTES], struct tap_sipkey *out)
{
	return derive_for_realm("TAP3 tag", realm_id, user_key, out);
}

int derive_veil(const struct realm_key *realm, struct tap_sipkey *out)
{
	return derive_for_realm("TAP3 veil", realm->id, realm->secret, out);
}

int derive_mark(const struct realm_key *realm, struct tap_sipkey *out)
{
	return derive_for_realm("TAP3 mark", realm->id, realm->secret, out);
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

/*
 * Windows that are common in ordinary SYNs (docs/protocol.md, "Keys"). Were one a mark, every SYN of
 * those systems would get past the first check.
 */
static const __u16 common_windows[] = {
	1024,  2048,  3072,  4096,  5840,  8192,  14600, 16384, 26883, 28960,
	29200, 32120, 42340, 43690, 62727, 64240, 64800, 65160, 65535,
};

static bool has_common_mark(const __u64 bitmap[65536 / 64])
{
	for (size_t i = 0; i < sizeof(common_windows) / sizeof(common_windows[0]); i++)
		if (bitmap[common_windows[i] / 64] >> (common_windows[i] % 64) & 1)
			return true;
	return false;
}

int derive_new_secret(struct realm_key *realm)
{
	__u64 bitmap[65536 / 64];
	struct tap_sipkey mark;
	int err;

	sodium_mlock(bitmap, sizeof(bitmap));
	sodium_mlock(&mark, sizeof(mark));
	do {
		randombytes_buf(realm->secret, sizeof(realm->secret));
		err = derive_mark(realm, &mark);
		if (!err)
			derive_marks(&mark, bitmap);
	} while (!err && has_common_mark(bitmap));
	sodium_munlock(bitmap, sizeof(bitmap)); /* wipes them, too */
	sodium_munlock(&mark, sizeof(mark));
	return err;
}

int derive_realm_secret(const struct realm_key *realm, struct tap_realm_secret *out)
{
	int err = derive_veil(realm, &out->veil);

	if (!err)
		err = derive_mark(realm, &out->mark);
	if (!err)
		memcpy(out->secret, realm->secret, sizeof(out->secret));
	return err;
}

int derive_fingerprint_bytes(const unsigned char secret[TAP_REALM_SECRET_BYTES],
			     unsigned char fingerprint[DERIVE_FINGERPRINT])
{
	static const char message[] = "TAP3 fingerprint";
	unsigned char sum[crypto_generichash_BYTES_MIN];
	int err;

	err = hash(sum, sizeof(sum), (const unsigned char *)message, strlen(message), secret);
	if (!err)
		memcpy(fingerprint, sum, DERIVE_FINGERPRINT);
	return err;
}

int derive_fingerprint(const unsigned char secret[TAP_REALM_SECRET_BYTES],
		       char hex[DERIVE_FINGERPRINT_BYTES])
{
	unsigned char fingerprint[DERIVE_FINGERPRINT];
	int err = derive_fingerprint_bytes(secret, fingerprint);

	if (!err)
		derive_fingerprint_text(fingerprint, hex);
	return err;
}

void derive_fingerprint_text(const unsigned char fingerprint[DERIVE_FINGERPRINT],
			     char hex[DERIVE_FINGERPRINT_BYTES])
{
	sodium_bin2hex(hex, DERIVE_FINGERPRINT_BYTES, fingerprint, DERIVE_FINGERPRINT);
}

void derive_id_text(const unsigned char id[TAP_REALM_ID_BYTES], char hex[DERIVE_ID_TEXT])
{
	sodium_bin2hex(hex, DERIVE_ID_TEXT, id, TAP_REALM_ID_BYTES);
}
