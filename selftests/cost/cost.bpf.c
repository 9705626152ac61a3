// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Measures other programs in the kernel's program test runner, which hands one packet over again
 * and again, as the run before left it. A program here goes first, writes the next of many prepared
 * frames over it, and calls the program that is measured. Its own cost is told by an empty program
 * behind it.
 */
#define TAP_CONTEXT struct xdp_md
#define TAP_FRAME_BYTES(ctx) bpf_xdp_get_buff_len(ctx)
#include "bpf/kernel.h"
#include <linux/pkt_cls.h>

#include "bpf/parse.h"
#include "selftests/cost/frames.h"

/* The frames; written by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, COST_FRAMES);
	__type(key, __u32);
	__type(value, struct cost_frame);
} cost_frames SEC(".maps");

/* Entry 0: the program that is measured. One map for each kind. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} behind_xdp SEC(".maps"), behind_skb SEC(".maps");

/*
 * Always 0. Not as a constant, or the kernel would turn the call into a jump, and to change that it
 * waits for all CPUs.
 */
__u32 entry;

__u32 first; /* of the frames in use */
__u32 mask; /* how many they are, less one; a power of two */
__u32 next;
__u32 length; /* of each */
__u32 vary; /* 1: another source address, port and sequence number each time, */
__u32 source_at; /* which are at these offsets: the address's last 32 bits, */
__u32 tcp_at; /* and the TCP header */

static __always_inline struct cost_frame *next_frame(void)
{
	__u32 at = first + (next++ & mask), random;
	struct cost_frame *frame = bpf_map_lookup_elem(&cost_frames, &at);

	if (!frame || !vary)
		return frame;
	random = bpf_get_prandom_u32();
	*(__u32 *)&frame->bytes[source_at & 63] = random;
	*(__u16 *)&frame->bytes[tcp_at & 63] = random >> 7;
	*(__u32 *)&frame->bytes[(tcp_at & 63) + 4] = random * 2654435761u;
	return frame;
}

SEC("xdp.frags")
int feed_xdp(struct xdp_md *ctx)
{
	struct cost_frame *frame = next_frame();
	__u32 size = length;

	if (!frame || !size || size > COST_FRAME_BYTES ||
	    bpf_xdp_store_bytes(ctx, 0, frame, size))
		return XDP_ABORTED;
	bpf_tail_call(ctx, &behind_xdp, entry);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int empty_xdp(struct xdp_md *ctx)
{
	return XDP_DROP;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} cost_count SEC(".maps");

/* The gate's own way of parsing, and nothing of what comes after. */
SEC("xdp.frags")
int parser_xdp(struct xdp_md *ctx)
{
	struct tap_packet p = {};
	__u32 zero = 0;
	__u64 *count;

	if (tap_parse_ethernet(ctx, &p) == TAP_OTHER)
		return XDP_PASS;
	/* All that was parsed is wanted: or clang would leave out what nobody looks at here. */
	asm volatile("" : : "r"(&p) : "memory");
	count = bpf_map_lookup_elem(&cost_count, &zero);
	if (count)
		(*count)++;
	return XDP_DROP;
}

SEC("tc")
int feed_skb(struct __sk_buff *skb)
{
	struct cost_frame *frame = next_frame();
	__u32 size = length;

	if (!frame || !size || size > COST_FRAME_BYTES ||
	    bpf_skb_store_bytes(skb, 0, frame, size, 0))
		return TC_ACT_SHOT;
	bpf_tail_call(skb, &behind_skb, entry);
	return TC_ACT_SHOT;
}

SEC("tc")
int empty_skb(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
