// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets on their way out, and the helpers that read and change them, as net/core/filter.c does
 * it: the program sees the first part of the packet, the helpers all of it. See host.h.
 */
#include <errno.h>

#include "selftests/fuzz/fuzz.h"
#include "selftests/fuzz/host.h"

void (*host_send_clone)(struct host_skb *clone);

static struct host_skb skbs[HOST_SKBS];

static struct host_skb *of(const struct __sk_buff *skb)
{
	return (struct host_skb *)skb; /* ctx is its first member */
}

/* Gives the program so much of the packet in one piece. */
static void show(struct host_skb *s, size_t linear)
{
	uint8_t *frame = host_frame(s->slot, s->bytes, linear);

	s->ctx.data = (uintptr_t)frame;
	s->ctx.data_end = s->ctx.data + linear;
}

static size_t shown(const struct host_skb *s)
{
	return s->ctx.data_end - s->ctx.data;
}

struct host_skb *host_skb(unsigned int slot, const void *bytes, size_t length, size_t linear)
{
	struct host_skb *s = &skbs[slot];

	MUST(slot < HOST_SKBS && length <= HOST_FRAME_BYTES && linear <= length, "%u", slot);
	memset(&s->ctx, 0, sizeof(s->ctx));
	s->slot = slot;
	s->partial = false;
	s->uid = 0;
	s->ctx.len = length;
	if (length)
		memcpy(s->bytes, bytes, length);
	show(s, linear);
	return s;
}

static bool within(const struct host_skb *s, uint32_t at, uint32_t length)
{
	return at <= s->ctx.len && length <= s->ctx.len - at;
}

long host_skb_load_bytes(const struct __sk_buff *skb, uint32_t at, void *to, uint32_t length)
{
	if (host_fails() || !within(of(skb), at, length)) {
		memset(to, 0, length);
		return -EFAULT;
	}
	memcpy(to, of(skb)->bytes + at, length);
	return 0;
}

/* What is written must be in one piece, so it becomes that. */
long host_skb_store_bytes(struct __sk_buff *skb, uint32_t at, const void *from, uint32_t length,
			  uint64_t flags)
{
	struct host_skb *s = of(skb);

	if (host_fails() || !within(s, at, length))
		return -EFAULT;
	memcpy(s->bytes + at, from, length);
	show(s, shown(s) > at + length ? shown(s) : at + length);
	return 0;
}

long host_skb_pull_data(struct __sk_buff *skb, uint32_t length)
{
	struct host_skb *s = of(skb);

	if (host_fails() || length > s->ctx.len)
		return -ENOMEM;
	show(s, shown(s) > length ? shown(s) : length);
	return 0;
}

long host_skb_change_tail(struct __sk_buff *skb, uint32_t length, uint64_t flags)
{
	struct host_skb *s = of(skb);

	MUST(length <= s->ctx.len, "from %u to %u bytes", s->ctx.len, length);
	if (host_fails())
		return -ENOMEM;
	s->ctx.len = length;
	show(s, shown(s) < length ? shown(s) : length);
	return 0;
}

static uint32_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static long change_sum(struct __sk_buff *skb, uint32_t at, uint64_t difference, bool unfinished)
{
	uint16_t sum;

	if (host_skb_load_bytes(skb, at, &sum, sizeof(sum)))
		return -EFAULT;
	sum = unfinished ? fold(sum + difference) : ~fold((uint16_t)~sum + difference);
	return host_skb_store_bytes(skb, at, &sum, sizeof(sum), 0);
}

static uint64_t difference(uint64_t from, uint64_t to, uint64_t size)
{
	return size == 2 ? (uint64_t)(uint16_t)~from + (uint16_t)to :
			   (uint64_t)(uint32_t)~from + (uint32_t)to;
}

long host_l3_csum_replace(struct __sk_buff *skb, uint32_t at, uint64_t from, uint64_t to,
			  uint64_t size)
{
	MUST(size == 2 || size == 4, "%d", (int)size);
	return change_sum(skb, at, difference(from, to, size), false);
}

/* A checksum left to the device changes with the pseudo-header only. */
long host_l4_csum_replace(struct __sk_buff *skb, uint32_t at, uint64_t from, uint64_t to,
			  uint64_t flags)
{
	uint64_t size = flags & BPF_F_HDR_FIELD_MASK;
	bool pseudo = flags & BPF_F_PSEUDO_HDR;
	bool partial = of(skb)->partial;

	MUST(size == 0 || size == 2 || size == 4, "%d", (int)size);
	if (host_fails() || (!size && from))
		return -EINVAL;
	if (partial && !pseudo)
		return within(of(skb), at, 2) ? 0 : -EFAULT;
	return change_sum(skb, at, size ? difference(from, to, size) : to, partial);
}

static uint64_t sum_words(const __be32 *words, uint32_t size, uint32_t flip)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < size / 4; i++)
		sum += words[i] ^ flip;
	return sum;
}

int64_t host_csum_diff(const __be32 *from, uint32_t from_size, const __be32 *to, uint32_t to_size,
		       uint32_t seed)
{
	uint64_t sum = seed + sum_words(from, from_size, 0xffffffff) + sum_words(to, to_size, 0);

	return (sum & 0xffffffff) + (sum >> 32);
}

/* The clone leaves by the same hook, where the program meets it again. */
long host_clone_redirect(struct __sk_buff *skb, uint32_t ifindex, uint64_t flags)
{
	struct host_skb *s = of(skb), *clone;

	MUST(ifindex == skb->ifindex && !flags, "%u", ifindex);
	if (host_fails())
		return -ENOMEM;
	clone = host_skb(s->slot + 1, s->bytes, s->ctx.len, shown(s));
	clone->partial = s->partial;
	clone->uid = s->uid;
	clone->ctx.ifindex = s->ctx.ifindex;
	clone->ctx.ingress_ifindex = s->ctx.ingress_ifindex;
	host_send_clone(clone);
	return 0;
}

uint32_t host_socket_uid(struct __sk_buff *skb)
{
	return of(skb)->uid;
}
