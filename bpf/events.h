/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The gate's two logs, of groups admitted and of groups refused: rings in an ARRAY map that anyone
 * may read at any time, so no process has to run to keep them.
 */
#ifndef TAP_EVENTS_H
#define TAP_EVENTS_H

#include "bpf/judge.h"
#include "bpf/parse.h"

/* Logs what became of the group whose last segment is p. */
static __always_inline void event_write(const struct judgement *j, const struct tap_packet *p,
					__u32 ifindex)
{
	__u32 log = j->reason == TAP_REASON_admitted ? TAP_LOG_ADMITTED : TAP_LOG_REFUSED;
	struct tap_gate_state *state = gate_state();
	struct tap_event *event;
	__u64 number;
	__u32 at;

	if (!state)
		return;
	number = __sync_fetch_and_add(&state->next_event[log], 1);
	at = log * TAP_LOG_EVENTS + number % TAP_LOG_EVENTS;
	event = bpf_map_lookup_elem(&tap_events, &at);
	if (!event)
		return;
	/* A reader takes the event only when seq is right before and after it copied the rest. */
	__sync_lock_test_and_set(&event->seq, 0);
	event->time_ns = j->now_ns;
	__builtin_memcpy(event->src, p->src, sizeof(event->src));
	__builtin_memcpy(event->dst, p->dst, sizeof(event->dst));
	event->sport = j->reason > TAP_REASON_unreadable ? j->sport : bpf_ntohs(p->tcp->source);
	event->dport = p->dport;
	event->key_id = j->fields.key_id;
	event->reason = j->reason;
	event->sec = j->fields.sec;
	event->ifindex = ifindex;
	__sync_lock_test_and_set(&event->seq, number + 1);
}

#endif /* TAP_EVENTS_H */
