// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the gate's cost is compared with: the least that any filter does (parse the same headers,
 * bump one counter, drop), and nothing at all. And a program in front of either that makes each
 * packet another stranger's, so that caches are cold as in a real flood.
 */
#define TAP_CONTEXT struct xdp_md
#define TAP_FRAME_BYTES(ctx) bpf_xdp_get_buff_len(ctx)
#include "bpf/kernel.h"

#include "bpf/parse.h"

/* One counter. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} floor_count SEC(".maps");

/* Entry 0: the program that is measured. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} behind SEC(".maps");

SEC("xdp.frags")
int cost_floor(struct xdp_md *ctx)
{
	struct tap_packet p = {};
	__u32 zero = 0;
	__u64 *count;

	if (tap_parse_ethernet(ctx, &p) != TAP_SYN)
		return XDP_PASS;
	/* All that was parsed is wanted: or clang would leave out what nobody looks at here. */
	asm volatile("" : : "r"(&p) : "memory");
	count = bpf_map_lookup_elem(&floor_count, &zero);
	if (count)
		(*count)++;
	return XDP_DROP;
}

SEC("xdp.frags")
int cost_nothing(struct xdp_md *ctx)
{
	return XDP_DROP;
}

/* Another source, port and sequence number in every packet (plain Ethernet, IPv4, TCP). */
SEC("xdp.frags")
int cost_vary(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 random;

	if ((void *)(tcp + 1) > data_end)
		return XDP_ABORTED;
	random = bpf_get_prandom_u32();
	ip->saddr = random;
	tcp->source = random >> 7;
	tcp->seq = random * 2654435761u;
	bpf_tail_call(ctx, &behind, 0);
	return XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
