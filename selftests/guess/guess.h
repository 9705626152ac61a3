/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the two halves of the guessing test share: what kind of groups the program is to make.
 */
#ifndef TAP_SELFTESTS_GUESS_H
#define TAP_SELFTESTS_GUESS_H

#include <linux/types.h>

#include "tap/maps.h"

struct guess_settings {
	struct tap_sipkey tag; /* the forger is told right tags, less the bits that he has to guess */
	struct tap_sipkey veil;
	__u64 guessed; /* bits of the tag that are random */
	__u64 seed;
	__u32 sec;
	__u32 timestamp_at; /* TSval's place in the TCP options */
	__u16 key_id;
	__u16 port;
	__u16 window;
	__u8 veiled;
	__u8 noise; /* 1: no groups, but four segments with random numbers from each source */
	__u8 pad[7];
};

#endif /* TAP_SELFTESTS_GUESS_H */
