/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The gate's two logs, of groups admitted and of groups refused: rings in an ARRAY map that anyone
 * may read at any time, so no process has to run to keep them.
 */
#ifndef TAP_EVENTS_H
#define TAP_EVENTS_H

#include "bpf/judge.h"
#include "bpf/parse.h"

/* The group as it came, for those who ask why it was refused. */
static __always_inline void event_write_segments(struct tap_event *event, struct xdp_md *ctx,
						 const struct judgement *j, const struct tap_packet *p)
{
	__u32 i, bytes = p->tcp->doff * 4u - sizeof(*p->tcp);

#pragma unroll
	for (i = 0; i < TAP_GROUP_SEGMENTS; i++) {
		event->segment[i].seq = j->c.segment[i].seq;
		event->segment[i].sport = j->c.segment[i].sport;
	}
	event->window = j->window;
	event->ttl = p->ipv6 ? ((struct ipv6hdr *)p->l3)->hop_limit : ((struct iphdr *)p->l3)->ttl;
	event->options_bytes = bytes;
	/* Two comparisons: of one, which clang would make, Linux 6.1 does not learn the bounds. */
	if (bytes < 4)
		return;
	TAP_KEEP_ORDER(bytes);
	if (bytes <= TAP_EVENT_OPTIONS)
		bpf_xdp_load_bytes(ctx, tap_offset(ctx, p->tcp + 1), event->options, bytes);
}

/* Logs what became of the group whose last segment is p. */
static __always_inline void event_write(struct xdp_md *ctx, const struct judgement *j,
					const struct tap_packet *p)
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
	event->secret = j->secret;
	event->sec = j->fields.sec;
	event->ifindex = TAP_READ_ONCE(ctx->ingress_ifindex);
	event->flags = j->fields.flags;
	event->encoding = j->encoding;
	event_write_segments(event, ctx, j, p);
	__sync_lock_test_and_set(&event->seq, number + 1);
}

#endif /* TAP_EVENTS_H */
