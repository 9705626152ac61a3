/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys that TAP derives from a realm key and a user key (docs/protocol.md, section 1), and the
 * marks of a sealed realm (section 3). All functions that can fail return 0, or -errno after
 * fail(). What they write is secret, except the fingerprint.
 */
#ifndef TAP_DERIVE_H
#define TAP_DERIVE_H

#include "tap/maps.h"

#define DERIVE_FINGERPRINT_BYTES 17 /* 16 hexadecimal digits and the NUL */

/* K_tag: what a server keeps of a user key, and what a client tags its groups with. */
int derive_tag(const unsigned char user_key[TAP_USER_KEY_BYTES],
	       const unsigned char realm_key[TAP_REALM_KEY_BYTES], struct tap_sipkey *out);

/* K_veil: masks the fields of a veiled group. */
int derive_veil(const unsigned char realm_key[TAP_REALM_KEY_BYTES], struct tap_sipkey *out);

/* K_mark: says which windows are marks. */
int derive_mark(const unsigned char realm_key[TAP_REALM_KEY_BYTES], struct tap_sipkey *out);

/* All marks of a sealed realm: bit (m % 64) of word m / 64 is set if the window m is a mark. */
void derive_marks(const struct tap_sipkey *mark, __u64 bitmap[65536 / 64]);

/* Tells realm keys apart without showing anything of them: for people to compare two machines. */
int derive_fingerprint(const unsigned char realm_key[TAP_REALM_KEY_BYTES],
		       char hex[DERIVE_FINGERPRINT_BYTES]);

/* Between the 16 bytes of a derived key, as in a key file, and the two words that programs use. */
void derive_from_bytes(const unsigned char bytes[TAP_DERIVED_KEY_BYTES], struct tap_sipkey *out);
void derive_to_bytes(const struct tap_sipkey *key, unsigned char bytes[TAP_DERIVED_KEY_BYTES]);

#endif /* TAP_DERIVE_H */
