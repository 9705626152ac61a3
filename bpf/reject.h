/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The answer of a closed port: turns a refused SYN into the RST that a stack with no listener sends
 * (RFC 9293, 3.10.7.1), to be sent back through the same device.
 */
#ifndef TAP_REJECT_H
#define TAP_REJECT_H

#include "bpf/checksum.h"

#define TAP_REJECT_TTL 64

static __always_inline void reject_swap_ethernet(struct ethhdr *ethernet)
{
	__u8 address[ETH_ALEN];

	__builtin_memcpy(address, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, address, ETH_ALEN);
}

static __always_inline void reject_make_ipv4(struct iphdr *ip)
{
	__be32 address = ip->saddr;
	const __u16 *word = (const __u16 *)ip;
	__u64 sum = 0;
	int i;

	ip->saddr = ip->daddr;
	ip->daddr = address;
	ip->tos = 0;
	ip->tot_len = bpf_htons(sizeof(*ip) + sizeof(struct tcphdr));
	ip->id = 0;
	ip->frag_off = bpf_htons(0x4000); /* don't fragment */
	ip->ttl = TAP_REJECT_TTL;
	ip->check = 0;
#pragma unroll
	for (i = 0; i < (int)sizeof(*ip) / 2; i++)
		sum += word[i];
	ip->check = ~checksum_fold(sum);
}

static __always_inline void reject_make_ipv6(struct ipv6hdr *ip)
{
	struct in6_addr address = ip->saddr;

	ip->saddr = ip->daddr;
	ip->daddr = address;
	ip->payload_len = bpf_htons(sizeof(struct tcphdr));
	ip->hop_limit = TAP_REJECT_TTL;
}

/* The SYN's header becomes the RST's; acknowledged: sequence numbers that the SYN took. */
static __always_inline void reject_make_tcp(struct tap_packet *p, __u32 acknowledged)
{
	struct tcphdr *tcp = p->tcp;
	__be32 ack = bpf_htonl(bpf_ntohl(tcp->seq) + acknowledged);
	__be16 port = tcp->source;
	const __u32 *word = (const __u32 *)tcp;
	__u64 sum;
	int i;

	tcp->source = tcp->dest;
	tcp->dest = port;
	tcp->seq = 0;
	tcp->ack_seq = ack;
	((__u16 *)tcp)[6] = bpf_htons(5 << 12 | 0x14); /* five words; RST, ACK */
	tcp->window = 0;
	tcp->check = 0;
	tcp->urg_ptr = 0;
	p->tcp_bytes = sizeof(*tcp);
	sum = checksum_pseudo(p); /* the same with the addresses exchanged */
#pragma unroll
	for (i = 0; i < 5; i++)
		sum += word[i];
	tcp->check = ~checksum_fold(sum);
}

/*
 * Returns XDP_TX with the RST in place of the SYN, or XDP_DROP where the packet is not of the plain
 * shape that this knows how to answer (IPv4 options, IPv6 extension headers).
 */
static __always_inline int reject_with_rst(struct xdp_md *ctx, struct tap_packet *p)
{
	void *data_end = TAP_DATA_END(ctx);
	void *header = p->ipv6 ? p->l3 + sizeof(struct ipv6hdr) : p->l3 + sizeof(struct iphdr);
	__u32 bytes;
	__s64 kept;

	if (header != (void *)p->tcp || header + sizeof(struct tcphdr) > data_end)
		return XDP_DROP;
	bytes = p->tcp_bytes - p->tcp->doff * 4 + 1 + p->tcp->fin;
	kept = header + sizeof(struct tcphdr) - TAP_DATA(ctx);
	/* Or clang would subtract the length from the pointer first, which the verifier refuses. */
	TAP_KEEP_ORDER(kept);
	reject_make_tcp(p, bytes);
	if (p->ipv6)
		reject_make_ipv6(p->l3);
	else
		reject_make_ipv4(p->l3);
	if (p->l2)
		reject_swap_ethernet(p->l2);
	if (bpf_xdp_adjust_tail(ctx, kept - (int)bpf_xdp_get_buff_len(ctx)))
		return XDP_DROP;
	return XDP_TX;
}

#endif /* TAP_REJECT_H */
