/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the generators of live frames share, between each other and between their two halves. The
 * frame comes from user space with the varying fields zero; the program fills them in and adds them
 * to the checksums, so its work per frame is a few instructions.
 */
#ifndef LIVE_H
#define LIVE_H

#include <linux/types.h>

struct live_settings {
	__u64 seed; /* not 0 */
	__u64 frame_ps; /* picoseconds from one frame to the next; 0: as fast as it can */
	__u32 ip_sum; /* folded sums of the frame as it comes, without complement; 0 for IPv6 */
	__u32 tcp_sum;
	__u32 source_mask; /* network order: bits of the address's last word to vary */
	__u32 source_base; /* network order: its other bits */
	__u32 ipv6; /* 1: IPv6, 0: IPv4 */
	__u32 pad;
};

#ifndef __bpf__

#include <stdbool.h>
#include <stddef.h>

#define LIVE_FRAME_BYTES (14 + 40 + 60) /* the longest there can be */

/* Where the frames go, how many and how fast; and the frame itself. */
struct live {
	const char *dev, *dst_mac, *dst;
	unsigned int ifindex, dport;
	double seconds;
	unsigned long long count, rate; /* frames, frames a second; rate 0: as many as it can */
	bool ipv6;
	__u8 frame[LIVE_FRAME_BYTES];
	size_t bytes;
	struct live_settings settings;
};

/* The program that makes a frame of it, as its skeleton has it. */
struct live_program {
	int fd;
	volatile __u64 *sent;
	volatile __u64 *start_ns;
};

/* Options that all generators have, for getopt_long(). */
#define LIVE_LONGS                                                                                 \
	{ "dev", 1, NULL, 'i' }, { "dst-mac", 1, NULL, 'm' }, { "dst", 1, NULL, 'd' },             \
	{ "dport", 1, NULL, 'p' }, { "seconds", 1, NULL, 's' }, { "count", 1, NULL, 'c' },         \
	{ "rate", 1, NULL, 'r' }

/* Starts with what is so unless options say otherwise. */
void live_start(struct live *live);

/* Takes one of LIVE_LONGS, or '6'. 0, or -EINVAL: it is another one. */
int live_option(struct live *live, int option, const char *value);

/* Whether the options make sense together: 0 or -errno. */
int live_check(struct live *live);

/* Makes the frame, a SYN with these TCP options, and the settings. 0 or -errno. */
int live_frame(struct live *live, const void *options, size_t bytes);

/* Sends until the time or the count is up. 0 or -errno; took: seconds. */
int live_run(const struct live *live, const struct live_program *program, double *took);

#endif /* __bpf__ */

#endif /* LIVE_H */
