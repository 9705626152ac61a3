/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flood generator's settings, shared by its two halves. The frame itself comes from user space
 * with the varying fields zero; the program fills them in and adds them to the checksums, so its
 * work per frame is a few instructions.
 */
#ifndef FLOOD_H
#define FLOOD_H

#include <linux/types.h>

#define FLOOD_WINDOW_ANY (-1)

struct flood_settings {
	__u64 seed; /* not 0 */
	__u64 frame_ps; /* picoseconds from one frame to the next; 0: as fast as it can */
	__u32 ip_sum; /* folded sums of the frame as it comes, without complement; 0 for IPv6 */
	__u32 tcp_sum;
	__u32 source_mask; /* network order: bits of the address's last word to vary */
	__u32 source_base; /* network order: its other bits */
	__s32 window; /* host order, or FLOOD_WINDOW_ANY */
	__u32 ipv6; /* 1: IPv6, 0: IPv4 */
};

#endif /* FLOOD_H */
