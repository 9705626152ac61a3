// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A forger, as fast as the gate can judge: in front of the gate's program (by a tail call) it makes
 * of the frame that comes in the next segment of a group whose tag is guessed in part.
 */
#define TAP_CONTEXT struct xdp_md
#include "bpf/kernel.h"

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include "bpf/encoding.h"
#include "selftests/guess/guess.h"

struct guess_settings settings;
__u64 segments; /* made so far */

/* Entry 0: the gate. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} behind SEC(".maps");

static __always_inline __u64 mix(__u64 z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* Sequence number of segment `role` of the group that came of these random bits. */
static __always_inline __u32 guess_segment(__u64 random, __u32 role)
{
	struct tap_fields f = {
		.isn = random,
		.sec = settings.sec,
		.key_id = settings.key_id,
		.frac = random >> 32 & (settings.veiled ? 0xf : 0xff),
		.port = settings.port,
		.encoding = settings.veiled ? TAP_ENCODING_VEILED : TAP_ENCODING_CLASSIC,
	};
	const struct tap_endpoints ends = {};
	__u32 seq[3];

	if (role == 0)
		return f.isn;
	f.tag = tap_tag(&settings.tag, &f, &ends);
	f.tag = (f.tag & ~settings.guessed) | (mix(random + 1) & settings.guessed);
	tap_encode(&f, &settings.veil, seq);
	return role == 1 ? seq[0] : role == 2 ? seq[1] : seq[2];
}

SEC("xdp.frags")
int guess(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 role = segments % 4, at = settings.timestamp_at;
	__u64 random = mix(settings.seed + segments / 4 * 0x9e3779b97f4a7c15ULL);
	__be32 *stamp;

	segments++;
	if (at > 32)
		return XDP_ABORTED;
	stamp = (void *)(tcp + 1) + at;
	if ((void *)(tcp + 1) > data_end || (void *)(stamp + 2) > data_end)
		return XDP_ABORTED;
	/* All that the gate may have rewritten, too: the frame is used again. */
	ip->saddr = random >> 24;
	tcp->source = bpf_htons(40000 + role);
	tcp->window = bpf_htons(settings.window);
	tcp->seq = bpf_htonl(settings.noise ? mix(random + role) :
					      guess_segment(random, role));
	stamp[0] = bpf_htonl(random >> 16);
	bpf_tail_call(ctx, &behind, 0);
	return XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
