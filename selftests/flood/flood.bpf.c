// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One SYN of a flood: source address, source port, sequence number and window are drawn anew.
 */
#include "selftests/flood/flood.h"
#include "selftests/flood/live.bpf.h"

const volatile __s32 flood_window; /* host order, or FLOOD_WINDOW_ANY */

SEC("xdp")
int flood(struct xdp_md *ctx)
{
	__u64 random = draw();
	/* xorshift's neighbouring words are too much alike for a hash table; a multiplication mends it */
	__u64 more = random * 0x2545f4914f6cdd1dULL;
	__u32 source = invent_source(random);
	__u32 seq = more >> 32;
	__u16 port = invent_port(more);
	__u16 window = flood_window == FLOOD_WINDOW_ANY ? random >> 48 : bpf_htons(flood_window);
	struct tcphdr *tcp = write_source(ctx, source);

	if (!tcp)
		return XDP_ABORTED;
	keep_pace();
	tcp->source = port;
	tcp->seq = seq;
	tcp->window = window;
	tcp->check = fold((__u64)settings.tcp_sum + source + seq + port + window);
	sent++;
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
