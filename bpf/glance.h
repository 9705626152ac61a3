/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a flood is made of, told at a glance: a plain SYN to a service that refuses strangers' SYNs in
 * silence, and whose window is no mark. Knows nothing but Ethernet, one VLAN tag, IP without options,
 * TCP; all that it does not know it leaves to the whole way through the gate, which comes to the same
 * end.
 */
#ifndef TAP_GLANCE_H
#define TAP_GLANCE_H

#include "bpf/parse.h"
#include "bpf/rules.h"

/* bytes: of the segment, as IP says. The header is all there, as tap_parse_tcp() asks of a TAP_SYN. */
static __always_inline bool glance_is_syn(const struct tcphdr *tcp, const void *data_end, __s32 bytes)
{
	__s32 header = tcp->doff * 4;

	return tcp->syn && !tcp->ack && header >= (int)sizeof(*tcp) && header <= bytes &&
	       (const void *)tcp + header <= data_end;
}

/* The TCP header of a plain SYN over IPv4, or NULL. */
static __always_inline const struct tcphdr *glance_ipv4(const void *l3, const void *data_end)
{
	const struct iphdr *ip = l3;
	const struct tcphdr *tcp = (const void *)(ip + 1);

	if ((const void *)(tcp + 1) > data_end || *(const __u8 *)l3 != 0x45 ||
	    ip->protocol != IPPROTO_TCP || ip->frag_off & bpf_htons(0x3fff))
		return NULL;
	return glance_is_syn(tcp, data_end, bpf_ntohs(ip->tot_len) - (int)sizeof(*ip)) ? tcp : NULL;
}

static __always_inline const struct tcphdr *glance_ipv6(const void *l3, const void *data_end)
{
	const struct ipv6hdr *ip = l3;
	const struct tcphdr *tcp = (const void *)(ip + 1);

	if ((const void *)(tcp + 1) > data_end || ip->version != 6 || ip->nexthdr != IPPROTO_TCP)
		return NULL;
	return glance_is_syn(tcp, data_end, bpf_ntohs(ip->payload_len)) ? tcp : NULL;
}

/* The TCP header of a plain SYN, or NULL: it is none, or takes a closer look. */
static __always_inline const struct tcphdr *glance(TAP_CONTEXT *ctx, bool ethernet)
{
	const void *data = TAP_DATA(ctx), *data_end = TAP_DATA_END(ctx);
	const struct ethhdr *frame = data;
	const void *l3 = frame + 1;
	__be16 protocol;

	if (!ethernet)
		return glance_ipv4(data, data_end);
	if (l3 > data_end)
		return NULL;
	protocol = frame->h_proto;
	if (tap_is_vlan(protocol)) {
		const struct tap_vlan_tag *tag = l3;

		l3 = tag + 1;
		if (l3 > data_end)
			return NULL;
		protocol = tag->protocol;
	}
	if (protocol == bpf_htons(ETH_P_IP))
		return glance_ipv4(l3, data_end);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return glance_ipv6(l3, data_end);
	return NULL;
}

/* Whether the service there lets only groups in, and refuses all else in silence. */
static __always_inline bool glance_is_shut(const struct tap_ruleset *set, const struct tcphdr *tcp)
{
	return set->port_class[bpf_ntohs(tcp->dest)] & TAP_RULE_SHUT;
}

#endif /* TAP_GLANCE_H */
