/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tells segments of connections from strays (docs/protocol.md, "Silence"): probes that are no SYN, to
 * a port that is to look as if nobody were there; and ACKs that could open a connection by a SYN
 * cookie alone. A segment is somebody's if this host has a socket of its connection; if the gate let
 * its connection begin; or if this host's connection tracking knows it, where the connection goes on
 * to another host. Never because it bears a good cookie: one random ACK in 2^29 does.
 */
#ifndef TAP_STRAY_H
#define TAP_STRAY_H

#include "bpf/gate_maps.h"
#include "bpf/parse.h"

/* sport: as on the wire; the packet's own, or what it was before the splitter. */
static __always_inline void flow_set(struct tap_flow *flow, const struct tap_packet *p, __be16 sport)
{
	__builtin_memcpy(flow->src, p->src, sizeof(flow->src));
	__builtin_memcpy(flow->dst, p->dst, sizeof(flow->dst));
	flow->sport = sport;
	flow->dport = p->tcp->dest;
}

/* A segment: what identifies its connection, and where its headers are in the frame. */
struct stray_segment {
	struct tap_flow flow;
	struct bpf_sock_tuple tuple; /* the same, as the kernel's helpers want it */
	__u32 ip_offset;
	__u32 tcp_offset;
	bool ipv6;
};

/*
 * A socket that listens; in all other states it is of one connection. A handshake by SYN cookie has no
 * other socket before its ACK is in, but the gate admitted its SYN, so tap_flows has it.
 */
#define STRAY_LISTENS 10

/*
 * Connection tracking, as XDP programs may ask for it since Linux 6.0. Weak, because it may be a
 * module that is not there; gate.conntrack says whether it is.
 */
struct nf_conn {
	unsigned long status;
} __attribute__((preserve_access_index));
struct bpf_ct_opts___tap {
	__s32 netns_id;
	__s32 error;
	__u8 protocol;
	__u8 direction;
	__u8 reserved[2];
};
extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
					 __u32 tuple_bytes, struct bpf_ct_opts___tap *opts,
					 __u32 opts_bytes) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *connection) __ksym __weak;

static __always_inline bool stray_has_socket(struct xdp_md *ctx, struct stray_segment *s)
{
	struct bpf_sock *socket;
	bool has;

	if (s->ipv6)
		socket = bpf_skc_lookup_tcp(ctx, &s->tuple, sizeof(s->tuple.ipv6),
					    BPF_F_CURRENT_NETNS, 0);
	else
		socket = bpf_skc_lookup_tcp(ctx, &s->tuple, sizeof(s->tuple.ipv4),
					    BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	has = socket->state != STRAY_LISTENS;
	bpf_sk_release(socket);
	return has;
}

static __always_inline bool stray_is_tracked(struct xdp_md *ctx, struct stray_segment *s)
{
	struct bpf_ct_opts___tap opts = { .netns_id = BPF_F_CURRENT_NETNS, .protocol = IPPROTO_TCP };
	struct nf_conn *connection;

	if (s->ipv6)
		connection = bpf_xdp_ct_lookup(ctx, &s->tuple, sizeof(s->tuple.ipv6), &opts,
					       sizeof(opts));
	else
		connection = bpf_xdp_ct_lookup(ctx, &s->tuple, sizeof(s->tuple.ipv4), &opts,
					       sizeof(opts));
	if (!connection)
		return false;
	bpf_ct_release(connection);
	return true;
}

/* Reads what identifies the connection; false: the headers are not there. */
static __always_inline bool stray_read(struct xdp_md *ctx, struct stray_segment *s)
{
	void *data_end = TAP_DATA_END(ctx);
	struct tcphdr *tcp;
	struct ipv6hdr *ipv6;
	struct iphdr *ipv4;

	tcp = TAP_DATA(ctx) + s->tcp_offset;
	if ((void *)(tcp + 1) > data_end)
		return false;
	s->flow.sport = tcp->source;
	s->flow.dport = tcp->dest;
	if (s->ipv6) {
		ipv6 = TAP_DATA(ctx) + s->ip_offset;
		if ((void *)(ipv6 + 1) > data_end)
			return false;
		__builtin_memcpy(s->flow.src, &ipv6->saddr, sizeof(s->flow.src));
		__builtin_memcpy(s->flow.dst, &ipv6->daddr, sizeof(s->flow.dst));
		__builtin_memcpy(s->tuple.ipv6.saddr, s->flow.src, sizeof(s->flow.src));
		__builtin_memcpy(s->tuple.ipv6.daddr, s->flow.dst, sizeof(s->flow.dst));
		s->tuple.ipv6.sport = s->flow.sport;
		s->tuple.ipv6.dport = s->flow.dport;
		return true;
	}
	ipv4 = TAP_DATA(ctx) + s->ip_offset;
	if ((void *)(ipv4 + 1) > data_end)
		return false;
	s->tuple.ipv4.saddr = ipv4->saddr;
	s->tuple.ipv4.daddr = ipv4->daddr;
	s->tuple.ipv4.sport = s->flow.sport;
	s->tuple.ipv4.dport = s->flow.dport;
	s->flow.src[1] = tap_mapped_word(ipv4->saddr);
	s->flow.dst[1] = tap_mapped_word(ipv4->daddr);
	return true;
}

/* --- Connections found lately --- */

/*
 * Most segments come many to a connection, and looking for its socket costs more than all else here:
 * so each CPU remembers some that it found. For this long a connection may be over and its
 * segments still pass; only who had one can know its ports.
 */
#define STRAY_RECENT 256 /* power of two */
#define STRAY_RECENT_NS TAP_NS_PER_SEC

struct stray_recent {
	struct tap_flow flow;
	__u64 until_ns; /* monotonic; 0: empty */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STRAY_RECENT);
	__type(key, __u32);
	__type(value, struct stray_recent);
} tap_recent SEC(".maps");

static __always_inline struct stray_recent *recent_slot(const struct tap_packet *p)
{
	__u64 words = p->src[0] ^ p->src[1] ^ *(__u32 *)&p->tcp->source * 0x9e3779b1ULL;
	__u32 at = (words ^ words >> 32 ^ words >> 16) & (STRAY_RECENT - 1);

	return bpf_map_lookup_elem(&tap_recent, &at);
}

static __always_inline bool recent_holds(const struct stray_recent *recent,
					 const struct tap_packet *p)
{
	return recent->flow.src[1] == p->src[1] && recent->flow.src[0] == p->src[0] &&
	       recent->flow.sport == p->tcp->source && recent->flow.dport == p->tcp->dest &&
	       recent->flow.dst[1] == p->dst[1] && recent->flow.dst[0] == p->dst[0] &&
	       bpf_ktime_get_coarse_ns() < recent->until_ns;
}

static __always_inline void recent_keep(struct stray_recent *recent, const struct tap_packet *p)
{
	flow_set(&recent->flow, p, p->tcp->source);
	recent->until_ns = bpf_ktime_get_coarse_ns() + STRAY_RECENT_NS;
}

/* --- The whole question --- */

/* Whether the segment with these headers is a stray. Offsets from the start of the frame. */
TAP_CHECKED_ALONE int stray_found(struct xdp_md *ctx, __u32 ip_offset, __u32 tcp_offset, bool ipv6)
{
	struct stray_segment s = {
		.ip_offset = ip_offset,
		.tcp_offset = tcp_offset,
		.ipv6 = ipv6,
	};

	if (ip_offset > TAP_IP_OFFSET_LAST || tcp_offset > TAP_TCP_OFFSET_LAST ||
	    !stray_read(ctx, &s))
		return 1;
	if (stray_has_socket(ctx, &s) || bpf_map_lookup_elem(&tap_flows, &s.flow))
		return 0;
	return !gate.conntrack || !stray_is_tracked(ctx, &s);
}

static __always_inline bool is_stray(struct xdp_md *ctx, const struct tap_packet *p)
{
	struct stray_recent *recent = recent_slot(p);

	if (recent && recent_holds(recent, p))
		return false;
	if (stray_found(ctx, tap_offset(ctx, p->l3), tap_offset(ctx, p->tcp), p->ipv6))
		return true;
	if (recent)
		recent_keep(recent, p);
	return false;
}

#endif /* TAP_STRAY_H */
