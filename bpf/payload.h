/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cuts the payload off a SYN that carries one (TCP Fast Open): of a group, only SYN0 keeps it.
 */
#ifndef TAP_PAYLOAD_H
#define TAP_PAYLOAD_H

#include "bpf/parse.h"

#define TAP_PAYLOAD_CHUNK 128
#define TAP_PAYLOAD_CHUNKS 512 /* 64 KiB */

struct payload_sum {
	struct __sk_buff *skb;
	__u32 offset; /* of the next chunk */
	__u32 left;
	__u32 sum; /* what the checksum gains by losing the bytes so far */
};

/* For bpf_loop(): takes one chunk out of the sum. */
static long payload_sum_chunk(__u32 i, void *context)
{
	struct payload_sum *s = context;
	__u8 chunk[TAP_PAYLOAD_CHUNK] = {};
	__u32 size = s->left;

	if (!size)
		return 1;
	if (size > sizeof(chunk))
		size = sizeof(chunk);
	/* As it is; but the verifier of Linux 6.1 does not see that it is not 0. */
	TAP_KEEP_ORDER(size);
	size = ((size - 1) & (sizeof(chunk) - 1)) + 1;
	if (bpf_skb_load_bytes(s->skb, s->offset, chunk, size))
		return 1;
	s->sum = bpf_csum_diff((__be32 *)chunk, sizeof(chunk), NULL, 0, s->sum);
	s->offset += size;
	s->left -= size;
	return 0;
}

/* Lengths in the IP header and in the pseudo-header, from `from` to `to` bytes of TCP. */
static __always_inline int payload_set_length(struct __sk_buff *skb, __u32 l3, __u32 tcp, bool ipv6,
					      __u16 from, __u16 to)
{
	__u32 length = ipv6 ? l3 + offsetof(struct ipv6hdr, payload_len) :
			      l3 + offsetof(struct iphdr, tot_len);
	__be16 before, after;
	int error;

	error = bpf_skb_load_bytes(skb, length, &before, sizeof(before));
	if (error)
		return error;
	after = bpf_htons(bpf_ntohs(before) - (from - to));
	if (!ipv6) {
		error = bpf_l3_csum_replace(skb, l3 + offsetof(struct iphdr, check), before, after,
					    sizeof(after));
		if (error)
			return error;
	}
	error = bpf_skb_store_bytes(skb, length, &after, sizeof(after), 0);
	if (error)
		return error;
	return bpf_l4_csum_replace(skb, tcp + offsetof(struct tcphdr, check), bpf_htons(from),
				   bpf_htons(to), BPF_F_PSEUDO_HDR | sizeof(from));
}

/*
 * p is the SYN in skb, as parsed. Returns 0 or a negative errno; the helpers' checksum functions
 * do the right thing for finished and unfinished checksums alike. Packet pointers are void after.
 */
static __always_inline int payload_cut(struct __sk_buff *skb, const struct tap_packet *p)
{
	__u32 header = p->tcp->doff * 4;
	__u32 tcp = tap_offset(skb, p->tcp);
	__u32 l3 = tap_offset(skb, p->l3);
	__u32 bytes = p->tcp_bytes;
	bool ipv6 = p->ipv6;
	struct payload_sum s = {
		.skb = skb,
		.offset = tcp + header,
		.left = bytes - header,
	};
	int error;

	bpf_loop(TAP_PAYLOAD_CHUNKS, payload_sum_chunk, &s, 0);
	if (s.left)
		return -1;
	error = bpf_l4_csum_replace(skb, tcp + offsetof(struct tcphdr, check), 0, s.sum, 0);
	if (error)
		return error;
	error = payload_set_length(skb, l3, tcp, ipv6, bytes, header);
	if (error)
		return error;
	return bpf_skb_change_tail(skb, tcp + header, 0);
}

#endif /* TAP_PAYLOAD_H */
