/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The answer of a closed port: turns a refused segment into the RST that a stack with no listener
 * sends (RFC 9293, 3.10.7.1), to be sent back through the same device. Where Linux would say nothing
 * (wrong checksums, broadcasts, another RST), so does this.
 */
#ifndef TAP_REJECT_H
#define TAP_REJECT_H

#include "bpf/checksum.h"
#include "tap/reasons.h"

#define TAP_REJECT_TTL 64

/* The word of a TCP header with doff and flags: five words long, and these flags. */
#define REJECT_FLAGS(flags) bpf_htons(5 << 12 | (flags))
#define REJECT_RST 0x04
#define REJECT_ACK 0x10

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
	ip->tos &= ~3; /* as Linux does: the class of the SYN, without ECN */
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
	/* Version 6, the SYN's traffic class without ECN, a flow label of its own. */
	*(__be32 *)ip &= bpf_htonl(0xffc00000);
	*(__be32 *)ip |= bpf_htonl(bpf_get_prandom_u32() & 0xfffff);
	ip->payload_len = bpf_htons(sizeof(struct tcphdr));
	ip->hop_limit = TAP_REJECT_TTL;
}

/*
 * The segment's header becomes the RST's: where it acknowledges something, that number tells its
 * sender which segment is meant, and else an acknowledgement of all that it took.
 */
static __always_inline void reject_make_tcp(struct tap_packet *p)
{
	struct tcphdr *tcp = p->tcp;
	__be16 port = tcp->source;
	const __u32 *word = (const __u32 *)tcp;
	__u64 sum;
	int i;

	tcp->source = tcp->dest;
	tcp->dest = port;
	if (tcp->ack) {
		tcp->seq = tcp->ack_seq;
		tcp->ack_seq = 0;
		((__u16 *)tcp)[6] = REJECT_FLAGS(REJECT_RST);
	} else {
		tcp->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + tcp->syn + tcp->fin);
		tcp->seq = 0;
		((__u16 *)tcp)[6] = REJECT_FLAGS(REJECT_RST | REJECT_ACK);
	}
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
 * Whether the address is one that hosts have: no broadcast, multicast, loopback, "this network", or
 * IPv4 in IPv6's clothes.
 */
static __always_inline bool reject_is_unicast(const struct tap_packet *p, const __u64 address[2])
{
	__u32 ipv4 = bpf_ntohl(address[1] >> 32);

	if (p->ipv6)
		return (__u8)address[0] != 0xff &&
		       (address[0] || (address[1] && address[1] != 1ULL << 56 &&
				       (__u32)address[1] != 0xffff0000));
	return ipv4 >> 24 != 0 && ipv4 >> 24 != 127 && ipv4 >> 28 < 0xe;
}

static __always_inline bool reject_ipv4_sum_holds(const struct iphdr *ip)
{
	const __u16 *word = (const __u16 *)ip;
	__u64 sum = 0;
	int i;

#pragma unroll
	for (i = 0; i < (int)sizeof(*ip) / 2; i++)
		sum += word[i];
	return checksum_fold(sum) == 0xffff;
}

/* Sums of a segment that is a header only: right, or left for the hardware to finish. */
static __always_inline bool reject_checksums_hold(const struct tap_packet *p, const void *data_end)
{
	__u16 pseudo = checksum_pseudo(p);

	if (!p->ipv6 && !reject_ipv4_sum_holds(p->l3))
		return false;
	return p->tcp->check == pseudo || checksum_finished(p->tcp, data_end, pseudo);
}

/* Whether it came from one host to one host. */
static __always_inline bool reject_is_addressed(const struct tap_packet *p)
{
	const struct ethhdr *ethernet = p->l2;

	if (ethernet && ethernet->h_dest[0] & 1) /* broadcast, multicast */
		return false;
	return reject_is_unicast(p, p->src) && reject_is_unicast(p, p->dst);
}

/*
 * Whether a closed port would answer this segment, and it is of the plain shape that this can turn
 * round: no IPv4 options, no IPv6 extension headers, no payload.
 */
static __always_inline bool reject_would_answer(const struct tap_packet *p, const void *data_end)
{
	const void *header = p->l3 + (p->ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));

	if (header != (void *)p->tcp || p->tcp_bytes != p->tcp->doff * 4u || p->tcp->rst)
		return false;
	return reject_is_addressed(p) && reject_checksums_hold(p, data_end);
}

/* The segment becomes an RST, in place: all headers that it has, as they are to be sent. */
static __always_inline void reject_turn_round(struct tap_packet *p)
{
	reject_make_tcp(p);
	if (p->ipv6)
		reject_make_ipv6(p->l3);
	else
		reject_make_ipv4(p->l3);
	if (p->l2)
		reject_swap_ethernet(p->l2);
}

/* Returns XDP_TX with the RST in place of the segment, or XDP_DROP where none is due. */
static __always_inline int reject_with_rst(struct xdp_md *ctx, struct tap_packet *p)
{
	void *data_end = TAP_DATA_END(ctx);
	void *header = p->l3 + (p->ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	__s64 kept;

	if (header + sizeof(struct tcphdr) > data_end || !reject_would_answer(p, data_end))
		return XDP_DROP;
	kept = header + sizeof(struct tcphdr) - TAP_DATA(ctx);
	/* Or clang would subtract the length from the pointer first, which the verifier refuses. */
	TAP_KEEP_ORDER(kept);
	reject_turn_round(p);
	if (bpf_xdp_adjust_tail(ctx, kept - (int)bpf_xdp_get_buff_len(ctx)))
		return XDP_DROP;
	return XDP_TX;
}

/*
 * What to do with a refused segment: XDP_TX with its answer, or XDP_DROP. Segments that wait for the
 * rest of their group may still be somebody's: they get none. Nor do fragments: where small ones
 * are dropped, no port answers them, closed or not.
 */
static __always_inline int reject(struct xdp_md *ctx, struct tap_packet *p, enum tap_kind kind,
				  enum tap_reason reason)
{
	if (kind == TAP_SEGMENT || (kind == TAP_SYN && reason != TAP_REASON_collecting &&
				    reason != TAP_REASON_duplicate))
		return reject_with_rst(ctx, p);
	return XDP_DROP;
}

#endif /* TAP_REJECT_H */
