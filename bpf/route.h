/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds a source route among IPv4 options. Linux, where it is told to (accept_source_route), goes
 * on by it from the address in the IP header to another one, maybe of its own.
 */
#ifndef TAP_ROUTE_H
#define TAP_ROUTE_H

#include "bpf/kernel.h"

#define TAP_IPV4_OPTIONS_LAST (14 + 4 * 2 + 20) /* Ethernet, VLAN tags, what is before options */

/* The search for a source route among IPv4 options. */
struct tap_route_search {
	const __u8 *options;
	const void *data_end;
	__u32 length;
	__u32 at;
	__s32 found;
};

/* For bpf_loop(): one option. Linux drops a packet whose options are broken. */
static long tap_route_step(__u32 i, void *context)
{
	struct tap_route_search *s = context;
	const __u8 *option;
	__u32 at = s->at;

	if (at >= s->length || at > 39)
		return 1;
	option = s->options + at;
	if ((const void *)(option + 2) > s->data_end || option[0] == 0)
		return 1;
	if (option[0] == 131 || option[0] == 137) { /* loose, strict */
		s->found = 1;
		return 1;
	}
	s->at = at + (option[0] == 1 ? 1 : option[1]);
	return option[0] != 1 && option[1] < 2;
}

/* offset: of the options in the frame. */
TAP_CHECKED_ALONE int tap_ipv4_routed(TAP_CONTEXT *ctx, __u32 offset, __u32 length)
{
	struct tap_route_search s = {
		.data_end = TAP_DATA_END(ctx),
		.length = length,
		.at = TAP_UNKNOWN(0),
		.found = TAP_UNKNOWN(0),
	};

	if (offset > TAP_IPV4_OPTIONS_LAST)
		return 0;
	s.options = TAP_DATA(ctx) + offset;
	bpf_loop(40, tap_route_step, &s, 0);
	return s.found;
}

#endif /* TAP_ROUTE_H */
