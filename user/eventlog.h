/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the gate's two logs of judged groups (struct tap_event) without disturbing the gate, which
 * writes on and overwrites the oldest events.
 */
#ifndef TAP_EVENTLOG_H
#define TAP_EVENTLOG_H

#include "tap/maps.h"
#include "user/tapctl.h"

struct eventlog {
	int events; /* tap_events */
	int state; /* tap_gate_state */
	int names; /* tap_key_names */
	__u64 next[2]; /* by log: number of the first event not read yet */
	unsigned int waits[2]; /* how often that one was found half-written */
	__u64 lost; /* overwritten before they were read */
	struct tap_event batch[2 * TAP_LOG_EVENTS];
	size_t n; /* events in batch, in order of time */
};

/* Opens the logs, from their oldest event on; 0, or -errno after fail(). */
int eventlog_open(const struct tapctl *tapctl, struct eventlog **log);
void eventlog_close(struct eventlog *log);

/* Reads what is new into the batch. */
int eventlog_read(struct eventlog *log);

#endif /* TAP_EVENTLOG_H */
