// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The floor under any gate, for measurements: what it costs to drop a frame unseen, and to drop it
 * after reading the same headers a gate must read (Ethernet, two VLAN tags, IPv4 or IPv6, TCP).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct vlan {
	__be16 tci;
	__be16 proto;
};

enum { FLOOR_SYN, FLOOR_OTHER, FLOOR_COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FLOOR_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} floor_count SEC(".maps");

static __always_inline int count_and_drop(__u32 which)
{
	__u64 *count = bpf_map_lookup_elem(&floor_count, &which);

	if (count)
		(*count)++;
	return XDP_DROP;
}

SEC("xdp")
int floor_drop(struct xdp_md *ctx)
{
	return count_and_drop(FLOOR_OTHER);
}

SEC("xdp")
int floor_parse(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct tcphdr *tcp;
	void *at = eth + 1;
	__be16 proto;
	int i;

	if (at > end)
		return XDP_PASS;
	proto = eth->h_proto;
#pragma unroll
	for (i = 0; i < 2; i++) {
		struct vlan *vlan = at;

		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(vlan + 1) > end)
			return XDP_PASS;
		proto = vlan->proto;
		at = vlan + 1;
	}
	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = at;

		if ((void *)(ip + 1) > end || ip->ihl < 5 || ip->protocol != IPPROTO_TCP)
			return XDP_PASS;
		tcp = at + ip->ihl * 4;
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = at;

		if ((void *)(ip6 + 1) > end || ip6->nexthdr != IPPROTO_TCP)
			return XDP_PASS;
		tcp = (void *)(ip6 + 1);
	} else {
		return XDP_PASS;
	}
	if ((void *)(tcp + 1) > end || !tcp->dest)
		return XDP_PASS;
	return count_and_drop(tcp->syn && !tcp->ack ? FLOOR_SYN : FLOOR_OTHER);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
