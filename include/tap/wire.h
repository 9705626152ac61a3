/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Constants of the wire protocol, version 2 (docs/protocol.md). Shared by the programs in the
 * kernel, by tapctl and by the tests.
 */
#ifndef TAP_WIRE_H
#define TAP_WIRE_H

#include <linux/types.h>

#define TAP_VERSION 0x02u /* seventh byte from the end of the tag's message */
#define TAP_GROUP_SEGMENTS 4 /* SYNs in a group */

#define TAP_REALM_KEY_BYTES 32
#define TAP_USER_KEY_BYTES 32
#define TAP_DERIVED_KEY_BYTES 16 /* K_tag, K_veil, K_mark */

#define TAP_KEY_ID_MIN 1u /* 0 is reserved */
#define TAP_KEY_ID_MAX 65535u

/* How the group's fields are laid out in the sequence numbers; the value is the message's FRAME. */
enum tap_frame {
	TAP_FRAME_CLASSIC = 0, /* type bits in clear, as in the 2005 paper */
	TAP_FRAME_VEILED = 1, /* masked: an observer sees four random numbers */
};

/* FLAGS: all bits but this one are reserved; a group that has one is refused (reason: version). */
#define TAP_FLAG_EXTENDED 0x01u /* SYN3's TSecr carries bits 63..32 of the tag */

/* A sealed realm's marks are the windows m >= 1024 with SipHash(K_mark, m) mod 64 == 0. */
#define TAP_MARK_MIN 1024u
#define TAP_MARK_MODULUS 64u

#define TAP_ADMITTED_WINDOW 65535u /* the window of the SYN that the gate passes on */

#endif /* TAP_WIRE_H */
