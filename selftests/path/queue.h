/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames on their way, ordered by when they are due; of those due at the same time the one first put
 * in comes out first.
 */
#ifndef PATH_QUEUE_H
#define PATH_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_BYTES 2048

struct frame {
	uint64_t due_ns; /* CLOCK_MONOTONIC */
	uint64_t serial;
	int fd; /* the device that it leaves by */
	struct group *group; /* of the SYNs that it is one of, or NULL */
	unsigned int place; /* in the group, from 0 */
	size_t length;
	uint8_t bytes[FRAME_BYTES];
};

/* Puts a copy of the frame in; -ENOBUFS: there are too many. */
int queue_put(const struct frame *frame);

/* The first one, which stays in the queue, or NULL. */
const struct frame *queue_first(void);

/* Takes the first one out and frees it. */
void queue_drop_first(void);

#endif /* PATH_QUEUE_H */
