/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Source ports for SYN1 to SYN3: random ones of the range that the kernel takes its own from, that
 * no local socket uses towards the same destination.
 *
 * And that no connection is likely to use soon: a stateful NAT remembers each of these SYNs for a
 * while, and then takes the handshake of a real connection from the same port for nonsense, and
 * passes its segments on without translating them. connect() takes ports that are as even or odd as
 * the first one of the range while it finds any, so these are the others.
 */
#ifndef TAP_PORTS_H
#define TAP_PORTS_H

#include "bpf/parse.h"

#define TAP_PORT_TRIES 8

/* Ports in host order. */
struct port_search {
	__u64 local[2]; /* addresses as in struct tap_packet */
	__u64 remote[2];
	__u16 remote_port;
	__u16 lo; /* range to choose from */
	__u16 hi;
	__u16 taken[3]; /* the group's other ports; 0: none yet */
	bool ipv6;
};

static __always_inline bool port_in_use(struct __sk_buff *skb, const struct port_search *s,
					__u16 port)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *socket;
	__u32 size;

	/* As a segment from the server would find it. */
	if (s->ipv6) {
		__builtin_memcpy(tuple.ipv6.saddr, s->remote, sizeof(tuple.ipv6.saddr));
		__builtin_memcpy(tuple.ipv6.daddr, s->local, sizeof(tuple.ipv6.daddr));
		tuple.ipv6.sport = bpf_htons(s->remote_port);
		tuple.ipv6.dport = bpf_htons(port);
		size = sizeof(tuple.ipv6);
	} else {
		tuple.ipv4.saddr = s->remote[1] >> 32;
		tuple.ipv4.daddr = s->local[1] >> 32;
		tuple.ipv4.sport = bpf_htons(s->remote_port);
		tuple.ipv4.dport = bpf_htons(port);
		size = sizeof(tuple.ipv4);
	}
	socket = bpf_skc_lookup_tcp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	bpf_sk_release(socket);
	return true;
}

/* A random port of the range, which is not empty; 0 where it turns out to be taken. */
TAP_CHECKED_ALONE int port_try(struct __sk_buff *skb, const struct port_search *s, __u32 range)
{
	__u16 port;

	if (!s || !range)
		return 0;
	port = s->lo + 1 + bpf_get_prandom_u32() % range * 2;
	if (port == s->taken[0] || port == s->taken[1] || port == s->taken[2])
		return 0;
	return port_in_use(skb, s, port) ? 0 : port;
}

/*
 * A free port, or 0 where none was found in TAP_PORT_TRIES. Each try is a function: of the loop that
 * clang 14 makes with its branches inside, Linux 6.1 says that it never ends.
 */
TAP_CHECKED_ALONE int port_pick(struct __sk_buff *skb, const struct port_search *s)
{
	__u32 range, i;
	int port;

	if (!s || s->hi < s->lo)
		return 0;
	range = ((__u32)s->hi - s->lo + 1) / 2;
	for (i = 0; i < TAP_PORT_TRIES; i++) {
		port = port_try(skb, s, range);
		if (port)
			return port;
	}
	return 0;
}

#endif /* TAP_PORTS_H */
