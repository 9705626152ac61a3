// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A flood of groups: four SYNs one after the other as the splitter makes them of one that Linux
 * sent, each group from another source. Whether they are worth anything is up to the key.
 */
#define TAP_CONTEXT struct xdp_md
#define TAP_FRAME_BYTES(ctx) bpf_xdp_get_buff_len(ctx)
#include "bpf/kernel.h"

#include "bpf/encoding.h"
#include "selftests/flood/groups.h"
#include "selftests/flood/live.bpf.h"

const volatile struct groups_settings groups_settings;

/* The group on its way; all as on the wire. */
struct group {
	__u32 source;
	__u32 tsval;
	__u32 seq[TAP_GROUP_SEGMENTS]; /* by role */
	__u16 port[TAP_GROUP_SEGMENTS];
	__u16 window;
};
static struct group group;

/* xorshift's words are too much alike for some uses; a multiplication makes up for it. */
static __always_inline __u64 draw_well(void)
{
	return draw() * 0x2545f4914f6cdd1dULL;
}

static __always_inline __u16 pick_mark(void)
{
	__u64 at = (draw_well() >> 32) % (groups_settings.peer.n_marks ?: 1);

	TAP_KEEP_ORDER(at);
	return groups_settings.peer.marks[at < TAP_PEER_MARKS ? at : 0];
}

/* The sequence numbers of a SYN from that source with that ISN, sent now. Without flags. */
static __always_inline void write_fields(__u32 isn)
{
	const struct tap_sipkey veil = { { groups_settings.peer.veil.k[0],
					   groups_settings.peer.veil.k[1] } };
	const struct tap_sipkey key = { { groups_settings.peer.tag.k[0],
					  groups_settings.peer.tag.k[1] } };
	__u64 ns = bpf_ktime_get_tai_ns() - groups_settings.tai_minus_utc_ns;
	struct tap_fields f = {
		.isn = isn,
		.sec = ns / TAP_NS_PER_SEC,
		.frac = ns % TAP_NS_PER_SEC * VEILED_FRACTIONS / TAP_NS_PER_SEC,
		.key_id = groups_settings.peer.key_id,
		.port = groups_settings.port,
		.encoding = TAP_ENCODING_VEILED,
	};
	const struct tap_endpoints ends = {};
	__u32 seq[3];

	f.tag = tap_tag(&key, &f, &ends);
	tap_encode(&f, &veil, seq);
	group.seq[0] = bpf_htonl(isn);
	group.seq[1] = bpf_htonl(seq[0]);
	group.seq[2] = bpf_htonl(seq[1]);
	group.seq[3] = bpf_htonl(seq[2]);
}

static __always_inline void write_noise(void)
{
	__u64 random = draw_well(), more = draw_well();

	group.seq[0] = random;
	group.seq[1] = random >> 32;
	group.seq[2] = more;
	group.seq[3] = more >> 32;
}

/* Four ports of their own, as with the splitter. */
static __always_inline void next_group(void)
{
	__u64 random = draw(), ports = draw_well();
	__u16 step = 2 | (ports >> 48 & 0x7e);

	group.source = invent_source(random);
	group.tsval = draw_well() >> 32;
	group.port[0] = invent_port(ports);
	group.port[1] = invent_port(ports + step + 1);
	group.port[2] = invent_port(ports + 2 * step + 1);
	group.port[3] = invent_port(ports + 3 * step + 1);
	group.window = bpf_htons(groups_settings.noise ?: pick_mark());
	if (groups_settings.noise)
		write_noise();
	else
		write_fields(draw_well() >> 32);
}

SEC("xdp")
int groups(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	__u32 role = (sent + 1) % TAP_GROUP_SEGMENTS; /* SYN1, SYN2, SYN3, SYN0 */
	struct tcphdr *tcp;
	__u32 *timestamp;

	if (role == 1)
		next_group();
	tcp = write_source(ctx, group.source);
	if (!tcp)
		return XDP_ABORTED;
	timestamp = (void *)tcp + GROUPS_TIMESTAMP;
	if ((void *)(timestamp + 2) > end)
		return XDP_ABORTED;
	keep_pace();
	tcp->source = group.port[role];
	tcp->seq = group.seq[role];
	tcp->window = group.window;
	timestamp[0] = group.tsval;
	tcp->check = fold((__u64)settings.tcp_sum + group.source + group.seq[role] +
			  group.port[role] + group.window + group.tsval);
	sent++;
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
