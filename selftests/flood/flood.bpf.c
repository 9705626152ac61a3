// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One SYN of a flood, made from the frame that BPF_PROG_RUN hands in: source address, source port,
 * sequence number and window are drawn anew. A frame's page is used again with what the last run
 * left in it, so every field that varies is written whole and no sum builds on an old one.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "selftests/flood/flood.h"

const volatile struct flood_settings settings;

#define FRAMES_PER_WAIT 16 /* power of two */
#define WAIT_STEPS 8000 /* some 40 ns each */

__u64 state; /* of the generator; BPF_PROG_RUN runs on one CPU at a time */
__u64 start_ns; /* CLOCK_MONOTONIC */
__u64 sent;

static __always_inline __u64 draw(void)
{
	__u64 x = state ? state : settings.seed;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	state = x;
	return x;
}

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static long wait_step(__u32 i, __u64 *due_ns)
{
	return bpf_ktime_get_ns() >= *due_ns;
}

/* A queue of a veth holds 256 frames: a rate must be kept frame by frame, not by bursts and sleep. */
static __always_inline void keep_pace(void)
{
	__u64 due_ns = start_ns + sent * settings.frame_ps / 1000;

	if (settings.frame_ps && !(sent & (FRAMES_PER_WAIT - 1)))
		bpf_loop(WAIT_STEPS, wait_step, &due_ns, 0);
}

SEC("xdp")
int flood(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 random = draw();
	/* xorshift's neighbouring words are too much alike for a hash table; a multiplication mends it */
	__u64 more = random * 0x2545f4914f6cdd1dULL;
	__u32 source = settings.source_base | ((__u32)random & settings.source_mask);
	__u32 seq = more >> 32;
	__u16 port = bpf_htons(1024 + ((__u16)more & 0x7fff));
	__u16 window = settings.window == FLOOD_WINDOW_ANY ? random >> 48 : bpf_htons(settings.window);
	struct ethhdr *eth = data;
	struct tcphdr *tcp;

	if (settings.ipv6) {
		struct ipv6hdr *ip6 = (void *)(eth + 1);

		tcp = (void *)(ip6 + 1);
		if ((void *)(tcp + 1) > end)
			return XDP_ABORTED;
		ip6->saddr.in6_u.u6_addr32[3] = source;
	} else {
		struct iphdr *ip = (void *)(eth + 1);

		tcp = (void *)(ip + 1);
		if ((void *)(tcp + 1) > end)
			return XDP_ABORTED;
		ip->saddr = source;
		ip->check = fold((__u64)settings.ip_sum + source);
	}
	keep_pace();
	tcp->source = port;
	tcp->seq = seq;
	tcp->window = window;
	tcp->check = fold((__u64)settings.tcp_sum + source + seq + port + window);
	sent++;
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
