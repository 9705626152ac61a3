/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys that TAP derives from a realm key and a user key (docs/protocol.md, section 1), and the
 * marks of a sealed realm (section 3). All functions that can fail return 0, or -errno after
 * fail(). What they write is secret, except fingerprints and realm IDs.
 */
#ifndef TAP_DERIVE_H
#define TAP_DERIVE_H

#include "tap/maps.h"

/* A realm key, as in its file. */
struct realm_key {
	unsigned char id[TAP_REALM_ID_BYTES]; /* public, and stays when the secret is replaced */
	unsigned char secret[TAP_REALM_SECRET_BYTES];
};

#define DERIVE_FINGERPRINT 8 /* bytes, as in struct tap_peer */
#define DERIVE_FINGERPRINT_BYTES 17 /* 16 hexadecimal digits and the NUL */
#define DERIVE_ID_TEXT 33 /* a realm ID in hexadecimal digits, and the NUL */

/* K_tag: what a server keeps of a user key, and what a client tags its groups with. */
int derive_tag(const unsigned char user_key[TAP_USER_KEY_BYTES],
	       const unsigned char realm_id[TAP_REALM_ID_BYTES], struct tap_sipkey *out);

/* K_veil: masks the fields of a veiled group. */
int derive_veil(const struct realm_key *realm, struct tap_sipkey *out);

/* K_mark: says which windows are marks. */
int derive_mark(const struct realm_key *realm, struct tap_sipkey *out);

/* All marks of a sealed realm: bit (m % 64) of word m / 64 is set if the window m is a mark. */
void derive_marks(const struct tap_sipkey *mark, __u64 bitmap[65536 / 64]);

/* A secret with all that the gate derives from it. */
int derive_realm_secret(const struct realm_key *realm, struct tap_realm_secret *out);

/* Draws a new secret for the realm, under which no common window is a mark. */
int derive_new_secret(struct realm_key *realm);

/*
 * Distinguishes secrets without showing anything of them: for people to compare two machines. As
 * DERIVE_FINGERPRINT bytes, and in hexadecimal digits.
 */
int derive_fingerprint_bytes(const unsigned char secret[TAP_REALM_SECRET_BYTES],
			     unsigned char fingerprint[DERIVE_FINGERPRINT]);
int derive_fingerprint(const unsigned char secret[TAP_REALM_SECRET_BYTES],
		       char hex[DERIVE_FINGERPRINT_BYTES]);
void derive_fingerprint_text(const unsigned char fingerprint[DERIVE_FINGERPRINT],
			     char hex[DERIVE_FINGERPRINT_BYTES]);

void derive_id_text(const unsigned char id[TAP_REALM_ID_BYTES], char hex[DERIVE_ID_TEXT]);

/* Between the 16 bytes of a derived key, as in a key file, and the two words that programs use. */
void derive_from_bytes(const unsigned char bytes[TAP_DERIVED_KEY_BYTES], struct tap_sipkey *out);
void derive_to_bytes(const struct tap_sipkey *key, unsigned char bytes[TAP_DERIVED_KEY_BYTES]);

#endif /* TAP_DERIVE_H */
