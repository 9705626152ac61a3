// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The splitter: TC egress program at the client's network device. Turns each SYN that a client rule
 * matches into a group of four (docs/protocol.md, "The four SYNs"); the kernel's retransmissions
 * too, each from scratch. SYN1 to SYN3 leave as clones, SYN0 is the kernel's own packet.
 */
#define TAP_CONTEXT struct __sk_buff
#define TAP_FRAME_BYTES(ctx) ((ctx)->len)
#include "bpf/kernel.h"

#include "bpf/checksum.h"
#include "bpf/clock.h"
#include "bpf/encoding.h"
#include "bpf/payload.h"
#include "bpf/ports.h"
#include "bpf/rules.h"
#include "bpf/signature.h"
#include "bpf/splitter_maps.h"

#define TAP_NEXT (-1) /* TCX_NEXT, TC_ACT_UNSPEC: on to whoever is next at this hook */

/* The fields that differ between the SYNs of a group, as on the wire. */
struct syn_fields {
	__be32 seq;
	__be16 sport;
	__be16 window;
};

static __always_inline void count(enum tap_split what)
{
	__u32 zero = 0;
	__u64 *counters = bpf_map_lookup_elem(&tap_client_stats, &zero);

	if (counters)
		counters[what]++; /* per CPU; clones nest, but not in the middle of this */
}

static __always_inline const struct tap_ruleset *rules_in_force(void)
{
	__u32 zero = 0;
	void *set = bpf_map_lookup_elem(&tap_rules, &zero);

	return set ? bpf_map_lookup_elem(set, &zero) : NULL;
}

/* --- SYNs that the splitter itself sent --- */

/* The key's destination stays as it is. */
static __always_inline void sent_key_set(struct tap_sent_key *key, const struct syn_fields *f)
{
	key->seq = f->seq;
	key->sport = f->sport;
	key->window = f->window;
}

/* Lets one pass that a device above this one split, less the payload that a clone still has. */
static __always_inline void pass_own(struct __sk_buff *skb, const struct tap_packet *p, __u32 what)
{
	count(TAP_SPLIT_own);
	if (what == TAP_SENT_CUT_PAYLOAD && p->tcp_bytes > p->tcp->doff * 4u &&
	    payload_cut(skb, p))
		count(TAP_SPLIT_failed);
}

/* --- What the group says --- */

static __always_inline void fields_of_now(const struct tap_client *client,
					  const struct tap_peer *peer, __u16 dport, __u32 isn,
					  struct tap_fields *f)
{
	__u64 ns = clock_utc_ns(client->tai_minus_utc_ns);
	__u64 fractions = peer->encoding == TAP_ENCODING_CLASSIC ? CLASSIC_FRACTIONS :
								   VEILED_FRACTIONS;

	f->isn = isn;
	f->sec = ns / TAP_NS_PER_SEC;
	f->frac = ns % TAP_NS_PER_SEC * fractions / TAP_NS_PER_SEC;
	f->key_id = peer->key_id;
	f->flags = peer->bind;
	f->port = dport;
	f->encoding = peer->encoding;
}

/*
 * A fresh mark, never the window that the kernel chose: that is how its retransmission is told from
 * the SYN0 that the splitter sent.
 */
static __always_inline __be16 mark_pick(const struct tap_peer *peer, __be16 window)
{
	__u64 at = bpf_get_prandom_u32();
	__u16 mark;

	if (peer->mark_mode == TAP_MARK_OPEN) {
		mark = TAP_MARK_MIN + at % (65536 - TAP_MARK_MIN);
		if (mark == bpf_ntohs(window))
			mark ^= 1;
		return bpf_htons(mark);
	}
	at = peer->n_marks ? at % peer->n_marks : 0;
	/* The verifier knows nothing of a remainder's upper half: all 64 bits are to be compared. */
	TAP_KEEP_ORDER(at);
	mark = peer->marks[at < TAP_PEER_MARKS ? at : 0];
	if (mark == bpf_ntohs(window)) {
		at = at + 1 < peer->n_marks ? at + 1 : 0;
		mark = peer->marks[at < TAP_PEER_MARKS ? at : 0];
	}
	return bpf_htons(mark);
}

/* Own source ports for SYN1 to SYN3; where none is free, the SYN's own does. */
static __always_inline void ports_choose(struct __sk_buff *skb, const struct tap_packet *p,
					 const struct tap_client *client, struct syn_fields syn[4])
{
	struct port_search search = {
		.remote_port = p->dport,
		.lo = client->port_lo,
		.hi = client->port_hi,
		.taken = { bpf_ntohs(syn[0].sport) },
		.ipv6 = p->ipv6,
	};
	int port, i;

	__builtin_memcpy(search.local, p->src, sizeof(search.local));
	__builtin_memcpy(search.remote, p->dst, sizeof(search.remote));
#pragma unroll
	for (i = 1; i < TAP_GROUP_SEGMENTS; i++) {
		port = port_pick(skb, &search);
		if (port > 0)
			syn[i].sport = bpf_htons(port);
		else
			count(TAP_SPLIT_port_reused);
		if (i < 3)
			search.taken[i] = port;
	}
}

/* --- Sending --- */

/*
 * Turns the SYN in skb, whose fields are *from, into the one whose fields are *to. tcp: offset of the
 * TCP header in the frame.
 */
static __always_inline int syn_rewrite(struct __sk_buff *skb, __u32 tcp,
				       const struct syn_fields *from, const struct syn_fields *to)
{
	__u64 change = checksum_change16(from->sport, to->sport) +
		       checksum_change32(from->seq, to->seq) +
		       checksum_change16(from->window, to->window);
	int error;

	error = bpf_skb_store_bytes(skb, tcp + offsetof(struct tcphdr, source), &to->sport,
				    sizeof(to->sport), 0);
	error = error ?: bpf_skb_store_bytes(skb, tcp + offsetof(struct tcphdr, seq), &to->seq,
					     sizeof(to->seq), 0);
	error = error ?: bpf_skb_store_bytes(skb, tcp + offsetof(struct tcphdr, window),
					     &to->window, sizeof(to->window), 0);
	/* By difference, so that it leaves alone a checksum that the device has yet to finish. */
	return error ?: bpf_l4_csum_replace(skb, tcp + offsetof(struct tcphdr, check), 0,
					    checksum_fold(change), 0);
}

/* The group on its way: what it needs between the steps of sending. */
struct group_plan {
	__u32 tcp; /* offset of the TCP header in the frame */
	struct syn_fields syn[TAP_GROUP_SEGMENTS]; /* by role */
	struct syn_fields now; /* what skb is at the moment */
	struct tap_sent_key *sent; /* written for each SYN */
};

/*
 * Makes skb the SYN of that role, and remembers it as our own. It is the SYN of that role even where
 * it could not be remembered: at worst a device below splits it again.
 */
static __always_inline int group_become(struct __sk_buff *skb, struct group_plan *plan, __u32 role)
{
	__u32 what = role ? TAP_SENT_CUT_PAYLOAD : TAP_SENT_WHOLE;
	int error, forgotten;

	sent_key_set(plan->sent, &plan->syn[role]);
	forgotten = bpf_map_update_elem(&tap_sent, plan->sent, &what, BPF_ANY);
	error = syn_rewrite(skb, plan->tcp, &plan->now, &plan->syn[role]);
	if (error)
		return error;
	plan->now = plan->syn[role];
	return forgotten;
}

/* SYN1, SYN2, SYN3 as clones, then skb is SYN0. */
static __always_inline int group_send(struct __sk_buff *skb, struct group_plan *plan)
{
	int error = 0, failed = 0;
	__u32 role;

#pragma unroll
	for (role = 1; role < TAP_GROUP_SEGMENTS; role++) {
		error = group_become(skb, plan, role);
		error = error ?: bpf_clone_redirect(skb, skb->ifindex, 0);
		failed = failed ?: error;
	}
	error = group_become(skb, plan, 0);
	return failed ?: error;
}

static __always_inline int split(struct __sk_buff *skb, const struct tap_packet *p,
				 const struct syn_fields *orig, struct tap_sent_key *sent,
				 const struct tap_peer *peer)
{
	struct group_plan plan = {
		.tcp = tap_offset(skb, p->tcp),
		.now = *orig,
		.sent = sent,
	};
	struct tap_client *client;
	struct tap_endpoints ends = { .src = { p->src[0], p->src[1] } };
	struct tap_fields f = {};
	__u32 seq[3], zero = 0;

	client = bpf_map_lookup_elem(&tap_client, &zero);
	if (!client)
		return -1;
	fields_of_now(client, peer, p->dport, bpf_ntohl(orig->seq), &f);
	tap_dialled_address(p->dst, ends.dst);
	f.tag = tap_tag(&peer->tag, &f, &ends);
	tap_encode(&f, &peer->veil, seq);

	plan.syn[0] = *orig;
	plan.syn[0].window = mark_pick(peer, orig->window);
	plan.syn[1] = plan.syn[2] = plan.syn[3] = plan.syn[0];
	plan.syn[1].seq = bpf_htonl(seq[0]);
	plan.syn[2].seq = bpf_htonl(seq[1]);
	plan.syn[3].seq = bpf_htonl(seq[2]);
	if (peer->ports_mode == TAP_PORTS_DISTINCT)
		ports_choose(skb, p, client, plan.syn);
	return group_send(skb, &plan);
}

static __always_inline const struct tap_rule *rule_for(struct __sk_buff *skb,
						       const struct tap_packet *p)
{
	const struct tap_ruleset *set = rules_in_force();
	__u32 class = set ? rules_at_port(set, p) : TAP_CLASS_NONE;

	if (class == TAP_CLASS_NONE)
		return NULL;

	struct rules_search search = {
		.set = set,
		.class = class,
		.ifindex = skb->ifindex,
		.uid = bpf_get_socket_uid(skb),
		.origin = skb->ingress_ifindex ? TAP_ORIGIN_FORWARD : TAP_ORIGIN_LOCAL,
		.client = true,
	};

	return rule_at(set, rules_find(&search, p));
}

static __always_inline int split_run(struct __sk_buff *skb, bool ethernet)
{
	struct syn_fields orig = {};
	struct tap_sent_key sent = {};
	struct tap_packet p = {};
	const struct tap_rule *rule;
	struct tap_peer *peer;
	enum tap_kind kind;
	__u32 *own, at;

	kind = ethernet ? tap_parse_ethernet(skb, &p) : tap_parse_ip(skb, &p);
	if (kind == TAP_BROKEN_SYN || kind == TAP_OPAQUE || kind == TAP_BURIED) {
		/* Maybe its headers are only not in one piece. */
		if (bpf_skb_pull_data(skb, skb->len < TAP_HEADERS_BYTES ? skb->len : TAP_HEADERS_BYTES))
			return TAP_NEXT;
		kind = ethernet ? tap_parse_ethernet(skb, &p) : tap_parse_ip(skb, &p);
	}
	if (kind != TAP_SYN)
		return TAP_NEXT;
	orig.seq = p.tcp->seq;
	orig.sport = p.tcp->source;
	orig.window = p.tcp->window;
	__builtin_memcpy(sent.dst, p.dst, sizeof(sent.dst));
	sent.dport = p.tcp->dest;
	sent_key_set(&sent, &orig);
	own = bpf_map_lookup_elem(&tap_sent, &sent);
	if (own) {
		pass_own(skb, &p, *own);
		return TAP_NEXT;
	}

	rule = rule_for(skb, &p);
	if (!rule) {
		count(TAP_SPLIT_passed);
		return TAP_NEXT;
	}
	at = rule->client.peer;
	peer = bpf_map_lookup_elem(&tap_peers, &at);
	if (!peer || !peer->key_id || syn_is_signed(skb, tap_offset(skb, p.tcp))) {
		count(TAP_SPLIT_failed);
		return TAP_NEXT;
	}
	count(split(skb, &p, &orig, &sent, peer) ? TAP_SPLIT_failed : TAP_SPLIT_split);
	return TAP_NEXT;
}

/* For devices whose frames start with an Ethernet header. */
SEC("tc")
int tap_split(struct __sk_buff *skb)
{
	return split_run(skb, true);
}

/* For layer-3 devices (tun, WireGuard, ppp), whose frames start with the IP header. */
SEC("tc")
int tap_split_l3(struct __sk_buff *skb)
{
	return split_run(skb, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
