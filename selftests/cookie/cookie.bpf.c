// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has the kernel make the SYN cookie for a SYN: Ethernet, IPv4 or IPv6, and TCP, all without options.
 * The kernel's secret is the same in every network namespace, so the cookie is good in all of them.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

__s64 cookie; /* the answer: MSS 32 | cookie 32, or a negative errno */

SEC("xdp")
int make_cookie(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	struct ipv6hdr *ipv6 = (void *)(ethernet + 1);
	struct iphdr *ipv4 = (void *)(ethernet + 1);
	struct tcphdr *tcp;

	cookie = -1;
	if ((void *)(ethernet + 1) > data_end)
		return XDP_ABORTED;
	if (ethernet->h_proto == bpf_htons(ETH_P_IPV6)) {
		tcp = (void *)(ipv6 + 1);
		if ((void *)(tcp + 1) > data_end)
			return XDP_ABORTED;
		cookie = bpf_tcp_raw_gen_syncookie_ipv6(ipv6, tcp, sizeof(*tcp));
	} else {
		tcp = (void *)(ipv4 + 1);
		if ((void *)(tcp + 1) > data_end)
			return XDP_ABORTED;
		cookie = bpf_tcp_raw_gen_syncookie_ipv4(ipv4, tcp, sizeof(*tcp));
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
