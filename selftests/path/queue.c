// SPDX-License-Identifier: GPL-2.0-only
/*
 * A binary heap of frames.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "selftests/path/queue.h"

#define FRAMES_MAX 65536

static struct frame *heap[FRAMES_MAX];
static size_t frames;
static uint64_t serial;

static bool before(const struct frame *a, const struct frame *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->serial < b->serial;
}

static void swap(size_t a, size_t b)
{
	struct frame *other = heap[a];

	heap[a] = heap[b];
	heap[b] = other;
}

int queue_put(const struct frame *frame)
{
	struct frame *copy = frames < FRAMES_MAX ? malloc(sizeof(*copy)) : NULL;
	size_t at = frames;

	if (!copy)
		return -ENOBUFS;
	memcpy(copy, frame, offsetof(struct frame, bytes) + frame->length);
	copy->serial = serial++;
	heap[frames++] = copy;
	for (; at && before(heap[at], heap[(at - 1) / 2]); at = (at - 1) / 2)
		swap(at, (at - 1) / 2);
	return 0;
}

const struct frame *queue_first(void)
{
	return frames ? heap[0] : NULL;
}

void queue_drop_first(void)
{
	size_t at = 0, child;

	free(heap[0]);
	heap[0] = heap[--frames];
	while ((child = 2 * at + 1) < frames) {
		if (child + 1 < frames && before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], heap[at]))
			break;
		swap(at, child);
		at = child;
	}
}
