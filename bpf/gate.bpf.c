// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The gate: XDP program at the server's network device. Finds the service that a SYN is for,
 * collects the four segments of a group, has them judged, and passes one SYN on to the stack. All
 * that is no SYN to a protected service goes on untouched, but for strays to one that hides, and for
 * ACKs that could open a connection by a SYN cookie.
 */
#define TAP_CONTEXT struct xdp_md
#define TAP_FRAME_BYTES(ctx) bpf_xdp_get_buff_len(ctx)
#include "bpf/kernel.h"
#include "tap/maps.h"

/*
 * Written by tapctl before the program is loaded. Volatile, and never to be cast to anything else:
 * clang would take the zeros that stand here now for its values.
 */
const volatile struct tap_gate_constants gate;

#include "bpf/admit.h"
#include "bpf/events.h"
#include "bpf/gate_maps.h"
#include "bpf/glance.h"
#include "bpf/group.h"
#include "bpf/judge.h"
#include "bpf/reject.h"
#include "bpf/rules.h"
#include "bpf/stray.h"
#include "bpf/timestamps.h"

static __always_inline const struct tap_ruleset *services_in_force(void)
{
	__u32 zero = 0;
	void *set = bpf_map_lookup_elem(&tap_services, &zero);

	return set ? bpf_map_lookup_elem(set, &zero) : NULL;
}

static __always_inline void count(enum tap_reason reason)
{
	__u32 zero = 0;
	__u64 *counters = bpf_map_lookup_elem(&tap_stats, &zero);

	if (counters && reason < TAP_REASON_COUNT)
		counters[reason]++; /* per CPU, and XDP does not nest */
}

static __always_inline bool is_mark(__u16 window)
{
	return !gate.sealed || (gate.marks[window / 64] >> (window % 64) & 1);
}

/*
 * What identifies a group here: of mark and TSval what the setting says. Where no TSval takes part, the
 * mark always does, and the time by about a second: else three segments of a group that lost one would
 * spoil every later attempt from their address.
 */
static __always_inline struct tap_place place_group(const struct tap_packet *p,
						    const struct timestamps *ts)
{
	bool by_ts = gate.group_by & TAP_GROUP_BY_TS && ts->at != TAP_NO_TIMESTAMP;
	bool by_mark = gate.group_by & TAP_GROUP_BY_MARK || !by_ts;

	return tap_place_group(&gate.place, p, by_mark ? bpf_ntohs(p->tcp->window) : 0,
			       by_ts ? ts->tsval : 0,
			       by_ts ? 0 : bpf_ktime_get_coarse_ns() >> TAP_GROUP_EPOCH_SHIFT);
}

TAP_CHECKED_ALONE int admit(struct xdp_md *ctx, const struct admission *a)
{
	void *data = TAP_DATA(ctx);
	void *data_end = TAP_DATA_END(ctx);
	struct tcphdr *tcp;

	if (!a || a->tcp_offset > TAP_TCP_OFFSET_LAST)
		return -1;
	tcp = data + a->tcp_offset;
	if ((void *)(tcp + 1) > data_end)
		return -1;
	admit_rewrite(tcp, data_end, a);
	return 0;
}

/* The port that the client dialled to get here. */
static __always_inline __u16 dialled_port(const struct tap_rule *rule, __u16 dport)
{
	if (!rule->service.public_port)
		return dport;
	return rule->service.public_port + (dport - rule->ports[0].lo);
}

/* The addresses that the client dialled, and dialled from. */
static __always_inline void dialled_addresses(const struct tap_rule *rule, const struct tap_packet *p,
					      struct tap_endpoints *ends)
{
	const __u64 *public = rule->service.public_address;

	ends->src[0] = p->src[0];
	ends->src[1] = p->src[1];
	if (public[0] | public[1]) {
		ends->dst[0] = public[0];
		ends->dst[1] = public[1];
	} else {
		tap_dialled_address(p->dst, ends->dst);
	}
}

/* The encoding that this service takes. */
static __always_inline __u8 encoding_of(const struct tap_service *service)
{
	if (service->encoding == TAP_SERVICE_DEFAULT)
		return gate.encoding;
	return service->encoding == TAP_SERVICE_CLASSIC ? TAP_ENCODING_CLASSIC : TAP_ENCODING_VEILED;
}

/* The connection of an admitted group, for when its other segments come. */
static __always_inline void remember_flow(const struct tap_packet *p, struct judgement *j)
{
	__u8 known = 1;

	flow_set(&j->flow, p, bpf_htons(j->sport));
	bpf_map_update_elem(&tap_flows, &j->flow, &known, BPF_ANY);
}

/* The four are together: judges them, and rewrites the segment in hand if they are admitted. */
static __always_inline enum tap_reason judge_whole_group(struct xdp_md *ctx,
							 const struct tap_packet *p,
							 const struct tap_rule *rule,
							 struct tap_bucket *bucket,
							 const struct tap_place *place)
{
	struct judgement *j = judgement_start();
	int reason;

	if (!j)
		return TAP_REASON_collecting;
	dialled_addresses(rule, p, &j->ends);
	j->port = dialled_port(rule, p->dport);
	j->acl = rule->service.acl;
	j->bind = rule->service.bind;
	j->encoding = encoding_of(&rule->service);
	j->window = bpf_ntohs(p->tcp->window);
	j->group = place->group;
	j->seq_mask = place->mask;
	reason = judge_group(bucket, j);
	if (reason < 0 || reason == TAP_REASON_collecting)
		return TAP_REASON_collecting;
	if (reason == TAP_REASON_admitted) {
		struct admission a = {
			.tcp_offset = tap_offset(ctx, p->tcp),
			.tcp_bytes = p->tcp_bytes,
			.seq = j->fields.isn,
			.sport = j->sport,
			.pseudo = checksum_pseudo(p),
		};

		admit(ctx, &a);
		remember_flow(p, j);
	}
	event_write(ctx, j, p);
	return reason;
}

/* ::ffff:0:0/96: an IPv4 address, in an IPv6 packet. No host sends to it, and tags hold IPv4 so. */
static __always_inline bool is_mapped(const __u64 address[2])
{
	return !address[0] && (__u32)address[1] == 0xffff0000;
}

/* One SYN with a whole header, for a service that is protected. */
static __always_inline enum tap_reason judge_syn(struct xdp_md *ctx, const struct tap_packet *p,
						 const struct tap_rule *rule)
{
	struct tap_segment segment = {};
	struct tap_bucket *bucket;
	enum tap_collected collected;
	struct timestamps ts = {};
	struct tap_place place;
	__u32 window = bpf_ntohs(p->tcp->window);

	/* Linux 6.1 does not know that what it turned has 16 bits, and clang does: it must cut it anew. */
	TAP_KEEP_ORDER(window);
	if (!is_mark(window) || !mark_is_taken(window))
		return TAP_REASON_no_mark;
	if (p->ipv6 && is_mapped(p->dst))
		return TAP_REASON_malformed;
	if (p->tcp->doff > 5 && !linux_timestamps(p->tcp, TAP_DATA_END(ctx), &ts) &&
	    read_timestamps(ctx, tap_offset(ctx, p->tcp), &ts))
		return TAP_REASON_malformed;
	if (ts.at == TAP_BAD_OPTIONS)
		return TAP_REASON_malformed;
	place = place_group(p, &ts);
	segment.seq = bpf_ntohl(p->tcp->seq) ^ place.mask;
	segment.sport = bpf_ntohs(p->tcp->source);

	bucket = bpf_map_lookup_elem(&tap_pending, &place.bucket);
	if (!bucket)
		return TAP_REASON_collecting;
	collected = tap_collect(bucket, place.group, &segment);
	if (collected == TAP_DUPLICATE)
		return TAP_REASON_duplicate;
	if (collected == TAP_COLLECTING)
		return TAP_REASON_collecting;
	return judge_whole_group(ctx, p, rule, bucket, &place);
}

static __always_inline enum tap_reason judge(struct xdp_md *ctx, const struct tap_packet *p,
					     enum tap_kind kind, const struct tap_rule *rule)
{
	if (kind == TAP_SEGMENT)
		return TAP_REASON_stray;
	if (rule->service.action == TAP_ACTION_DROP)
		return TAP_REASON_service_drop;
	if (kind == TAP_FRAGMENT)
		return TAP_REASON_fragment;
	if (kind != TAP_SYN)
		return TAP_REASON_malformed;
	return judge_syn(ctx, p, rule);
}

/* The services whose segments are looked at: TAP_SET_*. */
static __always_inline __u32 looks_at_segments(void)
{
	return gate.cookie_acks ? TAP_SET_HIDES | TAP_SET_TAP : TAP_SET_HIDES;
}

/*
 * Whether a kernel or a SYN proxy that takes cookies could open a connection at this service for the
 * segment. With RST the kernel does not, but nftables' SYN proxy does.
 */
static __always_inline bool could_open(const struct tap_packet *p, const struct tap_rule *rule)
{
	return gate.cookie_acks && rule->service.action == TAP_ACTION_TAP && p->tcp->ack &&
	       !p->tcp->syn;
}

/* Whether the segment can do no harm: it is of a connection, or its service lets such in. */
static __always_inline bool is_harmless(struct xdp_md *ctx, const struct tap_packet *p,
					const struct tap_rule *rule)
{
	return !(tap_service_hides(&rule->service) || could_open(p, rule)) || !is_stray(ctx, p);
}

/* Since Linux 6.18; gate.pull says whether it is there. */
extern int bpf_xdp_pull_data(struct xdp_md *ctx, __u32 bytes) __ksym __weak;

/* Some drivers put even the headers of a frame of several buffers into a later one: gets them. */
static __always_inline bool pull_headers(struct xdp_md *ctx)
{
	__u64 bytes = TAP_FRAME_BYTES(ctx);

	return gate.pull && tap_goes_on(ctx) &&
	       !bpf_xdp_pull_data(ctx, bytes < TAP_HEADERS_BYTES ? bytes : TAP_HEADERS_BYTES);
}

/* Whether the frame is a stranger's SYN, and nothing else has to be known to drop it. */
static __always_inline bool is_flood(struct xdp_md *ctx, bool ethernet)
{
	const struct tcphdr *tcp = glance(ctx, ethernet);
	const struct tap_ruleset *set;

	if (!tcp || is_mark(bpf_ntohs(tcp->window)))
		return false;
	set = services_in_force();
	return set && glance_is_shut(set, tcp);
}

static __always_inline const struct tap_rule *service_for(struct xdp_md *ctx,
							  const struct tap_packet *p,
							  enum tap_kind kind,
							  const struct tap_ruleset *set)
{
	struct rules_search who = { .set = set, .class = rules_at_port(set, p) };

	/* Here and at once, or clang would compute the field's address apart: the verifier says no. */
	TAP_KEEP_ORDER(ctx);
	who.ifindex = TAP_READ_ONCE(ctx->ingress_ifindex);
	return rule_at(set, kind == TAP_BURIED ? rules_any(set) : rules_find(&who, p));
}

static __always_inline int gate_run(struct xdp_md *ctx, bool ethernet)
{
	const struct tap_ruleset *set;
	const struct tap_rule *rule;
	struct tap_packet p = {};
	enum tap_reason reason;
	bool pulled = false;
	enum tap_kind kind;

	if (gate.sealed && is_flood(ctx, ethernet)) {
		count(TAP_REASON_no_mark);
		return gate.monitor ? XDP_PASS : XDP_DROP;
	}
again:
	kind = ethernet ? tap_parse_ethernet(ctx, &p) : tap_parse_ip(ctx, &p);
	if (kind >= TAP_OPAQUE && !pulled) {
		pulled = true;
		if (pull_headers(ctx))
			goto again;
	}
	if (kind == TAP_OTHER)
		return XDP_PASS;
	set = services_in_force();
	if (!set)
		return XDP_PASS;
	if (kind == TAP_SEGMENT && !(set->has & looks_at_segments()))
		return XDP_PASS;
	rule = service_for(ctx, &p, kind, set);
	if (!rule || rule->service.action == TAP_ACTION_PASS)
		return XDP_PASS;
	if (kind == TAP_SEGMENT && is_harmless(ctx, &p, rule))
		return XDP_PASS;

	reason = judge(ctx, &p, kind, rule);
	count(reason);
	if (reason == TAP_REASON_admitted || gate.monitor)
		return XDP_PASS;
	if (rule->service.reject == TAP_REJECT_RST)
		return reject(ctx, &p, kind, reason);
	return XDP_DROP;
}

/* For devices whose frames start with an Ethernet header. */
SEC("xdp.frags")
int tap_gate(struct xdp_md *ctx)
{
	return gate_run(ctx, true);
}

/* For layer-3 devices (tun, WireGuard, ppp), whose frames start with the IP header. */
SEC("xdp.frags")
int tap_gate_l3(struct xdp_md *ctx)
{
	return gate_run(ctx, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
