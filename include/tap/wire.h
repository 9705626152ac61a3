/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Constants of the wire protocol, version 3 (docs/protocol.md). Shared by the programs in the
 * kernel, by tapctl and by the tests.
 */
#ifndef TAP_WIRE_H
#define TAP_WIRE_H

#include <linux/types.h>

#define TAP_VERSION 0x03u /* byte 14 of the tag's message */
#define TAP_GROUP_SEGMENTS 4 /* SYNs in a group */

/* A realm key: the public ID, which tags are bound to, and the secret, which hides marks and fields. */
#define TAP_REALM_ID_BYTES 16
#define TAP_REALM_SECRET_BYTES 32
#define TAP_REALM_KEY_BYTES (TAP_REALM_ID_BYTES + TAP_REALM_SECRET_BYTES)
#define TAP_USER_KEY_BYTES 32
#define TAP_DERIVED_KEY_BYTES 16 /* K_tag, K_veil, K_mark */

#define TAP_KEY_ID_MIN 1u /* 0 is reserved */
#define TAP_KEY_ID_MAX 65535u

/* How the group's fields are laid out in the sequence numbers; the value is the message's ENC. */
enum tap_encoding {
	TAP_ENCODING_CLASSIC = 0, /* type bits in clear, as in the 2005 paper; 30 bits of tag */
	TAP_ENCODING_VEILED = 1, /* masked: an observer sees four random numbers; 56 bits of tag */
};

/* FLAGS: what the tag covers besides. All other bits are reserved and 0. */
#define TAP_FLAG_DST 0x01u /* D: the destination address that the client dialled */
#define TAP_FLAG_SRC 0x02u /* A: the client's own address */
#define TAP_FLAGS_KNOWN (TAP_FLAG_DST | TAP_FLAG_SRC)

/* Tags computed for a group at most, over all candidates, realm secrets and secrets of a key. */
#define TAP_GROUP_TAGS 4

/* A sealed realm's marks are the windows m >= 1024 with SipHash(K_mark, m) mod 64 == 0. */
#define TAP_MARK_MIN 1024u
#define TAP_MARK_MODULUS 64u

#define TAP_ADMITTED_WINDOW 65535u /* the window of the SYN that the gate passes on */

#endif /* TAP_WIRE_H */
