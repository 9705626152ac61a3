/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds and reads the TCP timestamp option: TSval is part of what identifies a group.
 */
#ifndef TAP_TIMESTAMPS_H
#define TAP_TIMESTAMPS_H

#include "bpf/parse.h"

/* Where the timestamp option stands, as tap_find_timestamp() returns it. */
#define TAP_NO_TIMESTAMP 0
#define TAP_BAD_OPTIONS (-1)
#define TAP_TIMESTAMP_LAST 50 /* 10 bytes before the end of the longest header */

/* The search for the option: where it is in the header, and what it found. */
struct timestamp_search {
	const struct tcphdr *tcp;
	const void *data_end;
	__u32 end; /* of the header */
	__u32 at;
	__s32 found;
};

/* For bpf_loop(): one option. */
static long timestamp_step(__u32 i, void *context)
{
	struct timestamp_search *s = context;
	const __u8 *option;
	__u32 at = s->at;
	__u8 length;

	if (at >= s->end || at > 59)
		return 1;
	option = (const __u8 *)s->tcp + at;
	if ((const void *)(option + 1) > s->data_end)
		goto bad;
	if (option[0] == 0) /* end of list */
		return 1;
	if (option[0] == 1) { /* no operation */
		s->at = at + 1;
		return 0;
	}
	if (at + 2 > s->end || (const void *)(option + 2) > s->data_end)
		goto bad;
	length = option[1];
	if (length < 2 || at + length > s->end)
		goto bad;
	if (option[0] == 8 && length == 10) {
		s->found = at;
		return 1;
	}
	s->at = at + length;
	return 0;
bad:
	s->found = TAP_BAD_OPTIONS;
	return 1;
}

/*
 * The offset of the timestamp option (its kind byte) from the start of the TCP header, or
 * TAP_NO_TIMESTAMP, or TAP_BAD_OPTIONS where the options overrun the header. Bounded by doff; forty
 * one-byte options are the most there can be. (bpf_loop: the verifier checks the step once, where a
 * plain loop of forty is too much for that of Linux 6.1.)
 */
static __always_inline int tap_find_timestamp(const struct tcphdr *tcp, const void *data_end)
{
	struct timestamp_search s = {
		.tcp = tcp,
		.data_end = data_end,
		.end = tcp->doff * 4,
		.at = TAP_UNKNOWN(sizeof(*tcp)),
		.found = TAP_NO_TIMESTAMP,
	};

	bpf_loop(40, timestamp_step, &s, 0);
	return s.found;
}

/* The timestamp option of a SYN, integers in host order, 0 where there is none. */
struct timestamps {
	__s32 at; /* as tap_find_timestamp() returns it */
	__u32 tsval;
};

/* tcp_offset: of the TCP header in the frame. */
TAP_CHECKED_ALONE int read_timestamps(TAP_CONTEXT *ctx, __u32 tcp_offset, struct timestamps *out)
{
	void *data_end = TAP_DATA_END(ctx);
	struct tcphdr *tcp;
	const __u8 *option;
	__u32 at;

	if (!out || tcp_offset > TAP_TCP_OFFSET_LAST)
		return -1;
	tcp = TAP_DATA(ctx) + tcp_offset;
	if ((void *)(tcp + 1) > data_end)
		return -1;
	out->at = tap_find_timestamp(tcp, data_end);
	if (out->at <= 0)
		return 0;
	at = out->at;
	option = (const __u8 *)tcp + at;
	if (at > TAP_TIMESTAMP_LAST || (const void *)(option + 10) > data_end)
		return -1;
	__builtin_memcpy(&out->tsval, option + 2, sizeof(out->tsval));
	out->tsval = bpf_ntohl(out->tsval);
	return 0;
}

/*
 * The same, at once, for a SYN as Linux sends it: MSS, SACK permitted, timestamps. False where the
 * options begin otherwise.
 */
static __always_inline bool linux_timestamps(const struct tcphdr *tcp, const void *data_end,
					     struct timestamps *out)
{
	const __u16 *word = (const __u16 *)(tcp + 1);
	__be32 value;

	if (tcp->doff < 9 || (const void *)(word + 8) > data_end)
		return false;
	if (word[0] != bpf_htons(2 << 8 | 4) || word[2] != bpf_htons(4 << 8 | 2) ||
	    word[3] != bpf_htons(8 << 8 | 10))
		return false;
	out->at = 26;
	__builtin_memcpy(&value, word + 4, sizeof(value));
	out->tsval = bpf_ntohl(value);
	return true;
}

#endif /* TAP_TIMESTAMPS_H */
