/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP checksums after a few fields changed (RFC 1624). Sums are of 16-bit words as they are in
 * memory, so they need no byte swaps; a 64-bit sum holds more of them than a packet has.
 */
#ifndef TAP_CHECKSUM_H
#define TAP_CHECKSUM_H

#include "bpf/parse.h"

static __always_inline __u16 checksum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* What the sum gains when a field of 16 or 32 bits goes from `from` to `to` (as on the wire). */
static __always_inline __u64 checksum_change16(__u16 from, __u16 to)
{
	return (__u64)(__u16)~from + to;
}

static __always_inline __u64 checksum_change32(__u32 from, __u32 to)
{
	return (__u64)(__u32)~from + to;
}

/* The checksum field after its segment's sum gained `change`. */
static __always_inline __u16 checksum_apply(__u16 check, __u64 change)
{
	return ~checksum_fold((__u64)(__u16)~check + change);
}

/*
 * Sum of the pseudo-header. The ::ffff: before an IPv4 address adds 0xffff, which is nothing in a
 * ones' complement sum.
 */
static __always_inline __u16 checksum_pseudo(const struct tap_packet *p)
{
	__u64 sum = bpf_htons(IPPROTO_TCP) + (__u64)bpf_htons(p->tcp_bytes);
	int i;

#pragma unroll
	for (i = 0; i < 2; i++) {
		sum += (p->src[i] & 0xffffffff) + (p->src[i] >> 32);
		sum += (p->dst[i] & 0xffffffff) + (p->dst[i] >> 32);
	}
	return checksum_fold(sum);
}

/* Whether the checksum of a segment that is a header only is right. */
static __always_inline bool checksum_finished(const struct tcphdr *tcp, const void *data_end,
					      __u16 pseudo)
{
	const __u32 *word = (const __u32 *)tcp;
	__u64 sum = pseudo;
	__u32 i;

	for (i = 0; i < 15; i++, word++) {
		if (i >= tcp->doff || (const void *)(word + 1) > data_end)
			break;
		sum += *word;
	}
	return checksum_fold(sum) == 0xffff;
}

/*
 * Whether the checksum field only holds the sum of the pseudo-header, for the hardware to finish: a
 * segment from this very machine (veth, virtio) comes like that. The rest of the header must
 * then stay out of it. One finished checksum in 65,536 looks the same, so without a payload, sum the
 * header to tell.
 */
static __always_inline bool checksum_unfinished(const struct tcphdr *tcp, const void *data_end,
						__u16 pseudo, __u32 tcp_bytes)
{
	if (tcp->check != pseudo)
		return false;
	return tcp_bytes != tcp->doff * 4u || !checksum_finished(tcp, data_end, pseudo);
}

#endif /* TAP_CHECKSUM_H */
