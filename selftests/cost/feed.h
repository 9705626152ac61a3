/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times programs in the kernel's program test runner with many prepared frames, one after another;
 * see cost.bpf.c.
 */
#ifndef TAP_SELFTESTS_COST_FEED_H
#define TAP_SELFTESTS_COST_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "selftests/common/packet.h"
#include "selftests/cost/frames.h"

struct bpf_program;

enum feed_kind { FEED_XDP, FEED_SKB };

/* Programs to compare with. */
extern const struct bpf_program *feed_empty[2]; /* by kind */
extern const struct bpf_program *floor_drop; /* XDP: count, drop */
extern const struct bpf_program *floor_parse; /* XDP: parse Ethernet, IP and TCP, count, drop */
extern const struct bpf_program *floor_parser; /* the same with the gate's own parser */

/* Into a network namespace of our own. Exits when that is impossible. */
void feed_load(void);
void feed_unload(void);

/* Frame number `at`, below COST_FRAMES; all that are used at once must be of one length. */
void feed_frame(unsigned int at, const struct packet *packet);

/* From now on n frames (a power of two) come by turns, beginning with number `first`. */
void feed_start(unsigned int first, unsigned int n);

/* And each with another source address, port and sequence number; they all look like this one. */
void feed_vary(const struct packet *packet);

/* The frames themselves, COST_FRAMES of them, all of the length of the last feed_frame(). */
struct cost_frame *feed_frames(void);

/*
 * Runs the program so many times behind the feeder; nanoseconds for each, the feeder's included.
 * The last run must return that verdict. ifindex: the device that an skb is at, or 0.
 */
double feed_run(enum feed_kind kind, const struct bpf_program *program, unsigned int repeat,
		unsigned int verdict, unsigned int ifindex);

/* The empty program without a feeder: what the runner itself takes. */
double feed_runner(enum feed_kind kind, unsigned int repeat);

#endif /* TAP_SELFTESTS_COST_FEED_H */
