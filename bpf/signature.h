/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds a signature among a SYN's options: TCP-MD5 (RFC 2385) or TCP-AO (RFC 5925). It covers the
 * window, which becomes the mark, so that such a SYN cannot be split.
 */
#ifndef TAP_SIGNATURE_H
#define TAP_SIGNATURE_H

#include "bpf/parse.h"

#define SIGNATURE_MD5 19
#define SIGNATURE_AO 29

struct signature_search {
	const struct tcphdr *tcp;
	const void *data_end;
	__u32 end; /* of the header */
	__u32 at;
	__u32 found;
};

/* For bpf_loop(): one option. Options that overrun the header end the search. */
static long signature_step(__u32 i, void *context)
{
	struct signature_search *s = context;
	const __u8 *option;
	__u32 at = s->at;

	if (at >= s->end || at > 59)
		return 1;
	option = (const __u8 *)s->tcp + at;
	if ((const void *)(option + 2) > s->data_end || option[0] == 0)
		return 1;
	if (option[0] == SIGNATURE_MD5 || option[0] == SIGNATURE_AO) {
		s->found = 1;
		return 1;
	}
	if (option[0] != 1 && option[1] < 2)
		return 1;
	s->at = at + (option[0] == 1 ? 1 : option[1]);
	return 0;
}

/* tcp_offset: of the TCP header in the frame. 1 if the SYN is signed, else 0. */
TAP_CHECKED_ALONE int syn_is_signed(TAP_CONTEXT *ctx, __u32 tcp_offset)
{
	struct signature_search s = {
		.data_end = TAP_DATA_END(ctx),
		.at = TAP_UNKNOWN(sizeof(struct tcphdr)),
		.found = TAP_UNKNOWN(0),
	};

	if (tcp_offset > TAP_TCP_OFFSET_LAST)
		return 0;
	s.tcp = TAP_DATA(ctx) + tcp_offset;
	if ((const void *)(s.tcp + 1) > s.data_end)
		return 0;
	s.end = s.tcp->doff * 4;
	bpf_loop(40, signature_step, &s, 0);
	return s.found;
}

#endif /* TAP_SIGNATURE_H */
