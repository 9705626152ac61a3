/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a frame to its TCP header: Ethernet with up to two VLAN tags (or none, on layer-3 devices),
 * IPv4 with options, IPv6 with a bounded chain of extension headers. Tells apart what the gate has
 * to judge; all else is nobody's business.
 */
#ifndef TAP_BPF_PARSE_H
#define TAP_BPF_PARSE_H

#include "bpf/kernel.h"
#include "bpf/route.h"

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#define TAP_VLAN_TAGS 2 /* 802.1Q, QinQ */
#define TAP_IPV6_EXTENSIONS 8 /* extension headers walked; a longer chain is TAP_BURIED */

/*
 * A later fragment that starts before this byte of the TCP segment could overwrite the header of
 * the first one. A link carries at least 68 bytes, so an honest sender's second fragment starts at
 * byte 48 or later.
 */
#define TAP_FRAGMENT_FLOOR 48
/* The same with IPv6 extension headers before TCP; IPv6 links carry at least 1280 bytes. */
#define TAP_FRAGMENT_FLOOR_EXTENSIONS 1024

/* More than Ethernet, IP and TCP headers have, but for odd IPv6 ones. */
#define TAP_HEADERS_BYTES 256

#define TAP_IP_OFFSET_LAST (14 + 4 * TAP_VLAN_TAGS) /* Ethernet, VLAN tags */
/* The same, and the longest chain of extension headers that is followed. */
#define TAP_TCP_OFFSET_LAST (TAP_IP_OFFSET_LAST + 40 + TAP_IPV6_EXTENSIONS * 2048)

enum tap_kind {
	TAP_OTHER, /* nothing that could be, or become, TCP for a service */
	TAP_SEGMENT, /* TCP, but no SYN without ACK: of a connection, or a stray */
	TAP_SYN, /* SYN without ACK, with its whole TCP header */
	TAP_BROKEN_SYN, /* one whose header does not fit its packet */
	TAP_FRAGMENT, /* a fragment that is, hides or could become one */
	TAP_OPAQUE, /* its TCP header is out of reach: in another buffer */
	/*
	 * Not even the address is known: under more VLAN tags than are followed, in another buffer,
	 * by a source route, or behind too many IPv6 extension headers.
	 */
	TAP_BURIED,
};

struct tap_packet {
	void *l2; /* NULL on layer-3 devices */
	void *l3;
	struct tcphdr *tcp; /* TAP_SYN: 4 * doff bytes of it are before data_end; TAP_SEGMENT: 20 */
	__u64 src[2]; /* as in struct tap_prefix */
	__u64 dst[2];
	__u32 tcp_bytes; /* TCP header and payload, as IP says */
	__u16 dport; /* host order */
	bool ipv6;
	bool port_known; /* dport could be read */
};

struct tap_vlan_tag {
	__be16 tci;
	__be16 protocol;
};

struct tap_ipv6_extension {
	__u8 next;
	__u8 length; /* in units of 8 bytes, less one */
	/*
	 * Fragment header: offset in units of 8 bytes 13, 2 reserved, more 1. Routing header:
	 * type 8, addresses still to be visited 8.
	 */
	__be16 fragment;
};

/* The second half of ::ffff:address. */
static __always_inline __u64 tap_mapped_word(__be32 address)
{
	return 0xffff0000ULL | (__u64)address << 32;
}

/* Where the network layer says that the TCP header is. */
struct tap_transport {
	__u32 offset; /* from the start of the frame */
	__u32 bytes; /* from there to the end of the packet */
	__u32 next; /* protocol number of what stands there */
	__u32 fragment; /* 1: this is a first fragment, with more to come */
	__u32 routed; /* 1: from the address in the IP header it goes on to another one */
};

/* Where a header starts in the frame. */
static __always_inline __u32 tap_offset(TAP_CONTEXT *ctx, const void *header)
{
	/* Read afresh and kept whole: clang likes 32-bit copies, which are no pointers any more. */
	__s64 offset = header - TAP_DATA_AGAIN(ctx);

	TAP_KEEP_ORDER(offset);
	return offset;
}

/* Whether the frame goes on past data_end: in other buffers (jumbo frames), or other pieces. */
TAP_CHECKED_ALONE int tap_goes_on(TAP_CONTEXT *ctx)
{
	__u64 bytes = TAP_FRAME_BYTES(ctx);

	/* The verifier adds no more than this to a pointer, and subtracts none from data_end. */
	if (bytes > 0xffff)
		return 1;
	return TAP_DATA(ctx) + bytes > TAP_DATA_END(ctx);
}

/* What a frame is that ends before its IP header does: what no stack takes, unless it goes on. */
static __always_inline enum tap_kind tap_short(TAP_CONTEXT *ctx)
{
	return tap_goes_on(ctx) ? TAP_BURIED : TAP_OTHER;
}

static __always_inline enum tap_kind tap_parse_tcp(TAP_CONTEXT *ctx, struct tap_packet *p, void *at,
						   __u32 bytes, bool fragment)
{
	void *data_end = TAP_DATA_END(ctx);
	struct tcphdr *tcp = at;
	const __u8 *octet = at;
	__u32 header;

	p->tcp = tcp;
	p->tcp_bytes = bytes;
	if ((void *)(tcp + 1) > data_end || bytes < sizeof(*tcp)) {
		/* Without its flags it is no SYN to anyone, unless a fragment brings them. */
		p->port_known = bytes >= 4 && at + 4 <= data_end;
		if (p->port_known)
			p->dport = bpf_ntohs(*(__be16 *)(octet + 2));
		if (fragment)
			return TAP_FRAGMENT;
		if (bytes >= sizeof(*tcp) && tap_goes_on(ctx))
			return TAP_OPAQUE;
		if (!p->port_known || bytes < 14 || at + 14 > data_end)
			return TAP_OTHER;
		return (octet[13] & 0x12) == 0x02 ? TAP_BROKEN_SYN : TAP_OTHER;
	}
	p->port_known = true;
	p->dport = bpf_ntohs(tcp->dest);
	header = tcp->doff * 4;
	if (fragment && header > bytes)
		return TAP_FRAGMENT;
	if (!tcp->syn || tcp->ack)
		return TAP_SEGMENT;
	if (fragment)
		return TAP_FRAGMENT;
	if (header < sizeof(*tcp) || header > bytes)
		return TAP_BROKEN_SYN;
	if (at + header > data_end)
		return tap_goes_on(ctx) ? TAP_OPAQUE : TAP_BROKEN_SYN;
	return TAP_SYN;
}

/*
 * What a source-routed packet of this kind is. It may go on from one of the server's addresses to
 * another, so no rule can be told for a SYN by its address; others are none of the gate's.
 */
static __always_inline enum tap_kind tap_kind_routed(enum tap_kind kind)
{
	return kind == TAP_OTHER || kind == TAP_SEGMENT ? kind : TAP_BURIED;
}

static __always_inline enum tap_kind tap_parse_ipv4(TAP_CONTEXT *ctx, struct tap_packet *p)
{
	struct iphdr *ip = p->l3;
	__u32 header, total, fragment;
	enum tap_kind kind;

	if ((void *)(ip + 1) > TAP_DATA_END(ctx))
		return tap_short(ctx);
	if (ip->protocol != IPPROTO_TCP || ip->version != 4)
		return TAP_OTHER;
	header = ip->ihl * 4;
	/* 0: over 64 KiB in one piece. Linux takes that from virtual machines and containers. */
	total = bpf_ntohs(ip->tot_len);
	if (!total)
		total = TAP_FRAME_BYTES(ctx) - tap_offset(ctx, p->l3);
	if (header < sizeof(*ip) || total < header)
		return TAP_OTHER; /* no stack takes it */
	p->ipv6 = false;
	p->src[0] = 0;
	p->src[1] = tap_mapped_word(ip->saddr);
	p->dst[0] = 0;
	p->dst[1] = tap_mapped_word(ip->daddr);
	fragment = bpf_ntohs(ip->frag_off);
	if (fragment & 0x1fff)
		return (fragment & 0x1fff) * 8 < TAP_FRAGMENT_FLOOR ? TAP_FRAGMENT : TAP_OTHER;
	kind = tap_parse_tcp(ctx, p, p->l3 + header, total - header, fragment & 0x2000);
	if (header > sizeof(*ip) && kind != TAP_OTHER &&
	    tap_ipv4_routed(ctx, tap_offset(ctx, ip + 1), header - sizeof(*ip)))
		return tap_kind_routed(kind);
	return kind;
}

static __always_inline bool tap_ipv6_is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT;
}

/*
 * A fragment that is not the first, `offset` bytes on. `next` is what it says that it is a part of.
 * Receivers go by what the first one says, so that is believed only where it asks for more.
 */
static __always_inline enum tap_kind tap_ipv6_later_fragment(__u8 next, __u32 offset)
{
	__u32 floor = tap_ipv6_is_extension(next) ? TAP_FRAGMENT_FLOOR_EXTENSIONS :
						    TAP_FRAGMENT_FLOOR;

	return offset < floor ? TAP_FRAGMENT : TAP_OTHER;
}

/*
 * Walks the extension headers from t on. Returns TAP_SYN with *t at the TCP header, or what else
 * the packet is. (Encrypted and authenticated payloads end the walk: IPsec has its own keys.)
 */
TAP_CHECKED_ALONE int tap_ipv6_walk(TAP_CONTEXT *ctx, struct tap_transport *t)
{
	struct tap_ipv6_extension *extension;
	__u32 size, fragment, i;
	__u8 next;

	if (!t)
		return TAP_OTHER;
	for (i = 0; i < TAP_IPV6_EXTENSIONS; i++) {
		if (t->next == IPPROTO_TCP)
			return TAP_SYN;
		if (!tap_ipv6_is_extension(t->next))
			return TAP_OTHER;
		if (t->offset > TAP_TCP_OFFSET_LAST)
			return TAP_OPAQUE;
		extension = TAP_DATA(ctx) + t->offset;
		if (t->bytes < 8 || (void *)(extension + 1) > TAP_DATA_END(ctx)) {
			if (t->fragment)
				return TAP_FRAGMENT;
			return t->bytes >= 8 && tap_goes_on(ctx) ? TAP_OPAQUE : TAP_OTHER;
		}
		next = extension->next;
		size = 8;
		if (t->next == IPPROTO_FRAGMENT) {
			fragment = bpf_ntohs(extension->fragment);
			if (fragment & 0xfff8)
				return tap_ipv6_later_fragment(next, fragment & 0xfff8);
			if (fragment & 1) /* else an atomic fragment: whole */
				t->fragment = 1;
		} else {
			size += extension->length * 8;
		}
		if (t->next == IPPROTO_ROUTING && bpf_ntohs(extension->fragment) & 0xff)
			t->routed = 1;
		if (t->bytes < size)
			return t->fragment ? TAP_FRAGMENT : TAP_OTHER;
		t->next = next;
		t->bytes -= size;
		t->offset += size;
	}
	if (t->next == IPPROTO_TCP)
		return TAP_SYN;
	return tap_ipv6_is_extension(t->next) ? TAP_OPAQUE : TAP_OTHER;
}

static __always_inline enum tap_kind tap_parse_ipv6(TAP_CONTEXT *ctx, struct tap_packet *p)
{
	struct ipv6hdr *ip = p->l3;
	struct tap_transport t = {};
	enum tap_kind kind;
	void *at;

	if ((void *)(ip + 1) > TAP_DATA_END(ctx))
		return tap_short(ctx);
	if (ip->version != 6)
		return TAP_OTHER;
	t.next = ip->nexthdr;
	if (t.next != IPPROTO_TCP && !tap_ipv6_is_extension(t.next))
		return TAP_OTHER;
	p->ipv6 = true;
	__builtin_memcpy(p->src, &ip->saddr, sizeof(p->src));
	__builtin_memcpy(p->dst, &ip->daddr, sizeof(p->dst));
	t.bytes = bpf_ntohs(ip->payload_len);
	at = ip + 1;
	/* A jumbogram, or what Linux takes for one: it then goes by the length of the frame. */
	if (!t.bytes)
		t.bytes = TAP_FRAME_BYTES(ctx) - tap_offset(ctx, at);
	if (t.next != IPPROTO_TCP) {
		t.offset = tap_offset(ctx, at);
		kind = tap_ipv6_walk(ctx, &t);
		if (kind == TAP_FRAGMENT)
			return t.routed ? TAP_BURIED : TAP_FRAGMENT;
		if (kind == TAP_OPAQUE || t.offset > TAP_TCP_OFFSET_LAST)
			return TAP_BURIED; /* a source route may be in what was not followed */
		if (kind != TAP_SYN)
			return TAP_OTHER;
		at = TAP_DATA(ctx) + t.offset;
	}
	kind = tap_parse_tcp(ctx, p, at, t.bytes, t.fragment);
	return t.routed ? tap_kind_routed(kind) : kind;
}

static __always_inline bool tap_is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* A frame that starts with an Ethernet header. */
static __always_inline enum tap_kind tap_parse_ethernet(TAP_CONTEXT *ctx, struct tap_packet *p)
{
	void *data_end = TAP_DATA_END(ctx);
	struct ethhdr *ethernet = TAP_DATA(ctx);
	struct tap_vlan_tag *tag;
	__be16 protocol;
	int i;

	p->port_known = false;
	if ((void *)(ethernet + 1) > data_end)
		return tap_short(ctx);
	p->l2 = ethernet;
	p->l3 = ethernet + 1;
	protocol = ethernet->h_proto;
#pragma unroll
	for (i = 0; i < TAP_VLAN_TAGS; i++) {
		if (!tap_is_vlan(protocol))
			break;
		tag = p->l3;
		if ((void *)(tag + 1) > data_end)
			return tap_short(ctx);
		protocol = tag->protocol;
		p->l3 = tag + 1;
	}
	if (protocol == bpf_htons(ETH_P_IP))
		return tap_parse_ipv4(ctx, p);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return tap_parse_ipv6(ctx, p);
	/* Linux takes off any number of tags with VLAN ID 0, so what is below may reach it. */
	if (tap_is_vlan(protocol))
		return TAP_BURIED;
	return TAP_OTHER;
}

/* A frame that starts with the IP header: tun, WireGuard, ppp. */
static __always_inline enum tap_kind tap_parse_ip(TAP_CONTEXT *ctx, struct tap_packet *p)
{
	const __u8 *octet = TAP_DATA(ctx);

	p->port_known = false;
	p->l2 = NULL;
	p->l3 = TAP_DATA(ctx);
	if ((void *)(octet + 1) > TAP_DATA_END(ctx))
		return tap_short(ctx);
	if (*octet >> 4 == 4)
		return tap_parse_ipv4(ctx, p);
	if (*octet >> 4 == 6)
		return tap_parse_ipv6(ctx, p);
	return TAP_OTHER;
}

#endif /* TAP_BPF_PARSE_H */
