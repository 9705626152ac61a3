/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What cost.bpf.c and the program that loads it agree on: frames prepared for measuring.
 */
#ifndef TAP_SELFTESTS_COST_FRAMES_H
#define TAP_SELFTESTS_COST_FRAMES_H

#define COST_FRAMES 4096
#define COST_FRAME_BYTES 128

struct cost_frame {
	unsigned char bytes[COST_FRAME_BYTES];
};

#endif /* TAP_SELFTESTS_COST_FRAMES_H */
