/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes the one segment that goes on to the stack: the one in hand, rewritten to what the client's
 * kernel sent (docs/protocol.md, "The server, per segment", step 5).
 */
#ifndef TAP_ADMIT_H
#define TAP_ADMIT_H

#include "bpf/checksum.h"
#include "tap/wire.h"

/* What the rewriting needs to know. */
struct admission {
	__u32 tcp_offset; /* of the TCP header in the frame */
	__u32 tcp_bytes; /* as in struct tap_packet */
	__u32 seq; /* SYN0's, host order */
	__u16 sport; /* likewise */
	__u16 pseudo; /* checksum_pseudo() */
};

/* Keeps a finished checksum right, and an unfinished one as it is. */
static __always_inline void admit_rewrite(struct tcphdr *tcp, const void *data_end,
					  const struct admission *a)
{
	bool unfinished = checksum_unfinished(tcp, data_end, a->pseudo, a->tcp_bytes);
	__be32 seq = bpf_htonl(a->seq);
	__be16 sport = bpf_htons(a->sport);
	__be16 window = bpf_htons(TAP_ADMITTED_WINDOW);
	__u64 change;

	change = checksum_change16(tcp->source, sport) + checksum_change32(tcp->seq, seq) +
		 checksum_change16(tcp->window, window);
	tcp->source = sport;
	tcp->seq = seq;
	tcp->window = window;
	if (!unfinished)
		tcp->check = checksum_apply(tcp->check, change);
}

#endif /* TAP_ADMIT_H */
