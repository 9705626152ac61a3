/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the two halves of the flood of groups have in common besides live.h: who makes them.
 */
#ifndef GROUPS_H
#define GROUPS_H

#include "tap/maps.h"

/* Options of Linux's SYNs, and where in the TCP header their timestamp is. */
#define GROUPS_OPTIONS_BYTES 20
#define GROUPS_TIMESTAMP 28

struct groups_settings {
	struct tap_peer peer; /* its keys, key ID, frame and marks */
	__s64 tai_minus_utc_ns;
	__u16 port; /* that is dialled */
	__u16 noise; /* not 0: no groups, but this mark and else nothing that makes sense */
	__u8 pad[4];
};

#endif /* GROUPS_H */
