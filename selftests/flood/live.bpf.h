/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs share that make live frames from the frame which BPF_PROG_RUN hands in. A
 * frame's page is used again with what the last run left in it, so every field that varies is
 * written whole and no sum builds on an old one.
 */
#ifndef LIVE_BPF_H
#define LIVE_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "selftests/flood/live.h"

const volatile struct live_settings settings;

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

/* An invented address, or the last word of one, as on the wire. */
static __always_inline __u32 invent_source(__u32 random)
{
	return settings.source_base | (random & settings.source_mask);
}

/* A source port, as on the wire. */
static __always_inline __u16 invent_port(__u16 random)
{
	return bpf_htons(1024 + (random & 0x7fff));
}

/* Gives the frame that source; its TCP header, or NULL where that does not fit in. */
static __always_inline struct tcphdr *write_source(struct xdp_md *ctx, __u32 source)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct tcphdr *tcp;

	if (settings.ipv6) {
		struct ipv6hdr *ip6 = (void *)(eth + 1);

		tcp = (void *)(ip6 + 1);
		if ((void *)(tcp + 1) > end)
			return NULL;
		ip6->saddr.in6_u.u6_addr32[3] = source;
	} else {
		struct iphdr *ip = (void *)(eth + 1);

		tcp = (void *)(ip + 1);
		if ((void *)(tcp + 1) > end)
			return NULL;
		ip->saddr = source;
		ip->check = fold((__u64)settings.ip_sum + source);
	}
	return tcp;
}

#endif /* LIVE_BPF_H */
