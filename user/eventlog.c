// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the logs of judged groups.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "user/eventlog.h"
#include "user/pins.h"

/* An event that stays half-written for so many reads is given up. */
#define WAITS_MAX 10

enum found { FOUND_WHOLE, FOUND_WRITING, FOUND_OVERWRITTEN };

/* The gate may write while the kernel copies, so only two equal copies are a whole event. */
static enum found read_event(const struct eventlog *log, int which, __u64 number,
			     struct tap_event *event)
{
	__u32 entry = which * TAP_LOG_EVENTS + number % TAP_LOG_EVENTS;
	struct tap_event again;

	if (bpf_map_lookup_elem(log->events, &entry, event) ||
	    bpf_map_lookup_elem(log->events, &entry, &again))
		return FOUND_WRITING;
	if (event->seq > number + 1 || again.seq > number + 1)
		return FOUND_OVERWRITTEN;
	if (event->seq != number + 1 || memcmp(event, &again, sizeof(again)))
		return FOUND_WRITING;
	return FOUND_WHOLE;
}

/* Reads one log up to event number `end`, or to one that is still being written. */
static void read_log(struct eventlog *log, int which, __u64 end)
{
	__u64 *next = &log->next[which];

	if (end > TAP_LOG_EVENTS && *next < end - TAP_LOG_EVENTS) {
		log->lost += end - TAP_LOG_EVENTS - *next;
		*next = end - TAP_LOG_EVENTS;
	}
	for (; *next < end; ++*next) {
		switch (read_event(log, which, *next, &log->batch[log->n])) {
		case FOUND_WHOLE:
			log->n++;
			break;
		case FOUND_WRITING:
			if (++log->waits[which] < WAITS_MAX)
				return;
			/* fall through */
		case FOUND_OVERWRITTEN:
			log->lost++;
			break;
		}
		log->waits[which] = 0;
	}
}

static int by_time(const void *a, const void *b)
{
	__s64 x = ((const struct tap_event *)a)->time_ns, y = ((const struct tap_event *)b)->time_ns;

	return x < y ? -1 : x > y;
}

static int read_ends(const struct eventlog *log, struct tap_gate_state *state)
{
	static const __u32 only_entry;

	if (bpf_map_lookup_elem(log->state, &only_entry, state))
		return fail(errno, "cannot read the gate's state: %s", cause(errno));
	return 0;
}

int eventlog_read(struct eventlog *log)
{
	struct tap_gate_state state;
	int err = read_ends(log, &state);

	log->n = 0;
	if (err)
		return err;
	read_log(log, TAP_LOG_ADMITTED, state.next_event[TAP_LOG_ADMITTED]);
	read_log(log, TAP_LOG_REFUSED, state.next_event[TAP_LOG_REFUSED]);
	qsort(log->batch, log->n, sizeof(log->batch[0]), by_time);
	return 0;
}

/* What was overwritten before we came is not lost to us. */
static int start_at_oldest(struct eventlog *log)
{
	struct tap_gate_state state;
	int err = read_ends(log, &state), which;

	for (which = 0; which < 2 && !err; which++)
		if (state.next_event[which] > TAP_LOG_EVENTS)
			log->next[which] = state.next_event[which] - TAP_LOG_EVENTS;
	return err;
}

static int open_maps(const struct tapctl *tapctl, struct eventlog *log)
{
	int lock = pins_open(tapctl, PINS_READ);

	if (lock < 0)
		return lock;
	log->events = pins_map(tapctl, "tap_events");
	if (log->events >= 0)
		log->state = pins_map(tapctl, "tap_gate_state");
	if (log->state >= 0)
		log->names = pins_map(tapctl, "tap_key_names");
	close(lock); /* following may take days */
	if (log->events < 0)
		return log->events;
	return log->state < 0 ? log->state : log->names < 0 ? log->names : 0;
}

int eventlog_open(const struct tapctl *tapctl, struct eventlog **log)
{
	struct eventlog *opened = calloc(1, sizeof(*opened));
	int err;

	if (!opened)
		return fail(ENOMEM, "out of memory");
	opened->events = opened->state = opened->names = -1;
	err = open_maps(tapctl, opened);
	if (!err)
		err = start_at_oldest(opened);
	if (err)
		eventlog_close(opened);
	else
		*log = opened;
	return err;
}

void eventlog_close(struct eventlog *log)
{
	if (log->names >= 0)
		close(log->names);
	if (log->state >= 0)
		close(log->state);
	if (log->events >= 0)
		close(log->events);
	free(log);
}
