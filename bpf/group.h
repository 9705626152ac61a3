/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Collects the four segments of a group without a lock (docs/protocol.md, "The server, per segment").
 *
 * A bucket is one cache line of seven slots, shared by the groups whose hash falls on it. A segment
 * is one word, so one compare-and-swap puts it in place; each word carries 16 more bits of its
 * group's hash, so what an earlier group left behind is simply another group's, and nothing is ever
 * cleared by time. New segments push out the oldest: a group survives three strangers in its bucket.
 *
 * Every CPU puts its segment in first and looks for the others then, so of four CPUs with one
 * segment each the last one sees all four. Those that see all four compete for the one in the
 * lowest slot; the winner judges.
 */
#ifndef TAP_GROUP_H
#define TAP_GROUP_H

#include "bpf/siphash.h"

/* One segment of a group, integers in host order. */
struct tap_segment {
	__u32 seq;
	__u32 tsecr;
	__u16 sport;
	__u16 pad;
};

enum tap_collected { TAP_COLLECTING, TAP_DUPLICATE, TAP_COMPLETE };

/* Where a group is collected. */
struct tap_place {
	__u32 bucket; /* index into tap_pending */
	__u16 group; /* tells it from others in the bucket; never 0 */
};

/*
 * Hash of what identifies a group. w: the addresses; the last word holds port 16 | mark 16 | TSval
 * 32, without what the setting leaves out. The key is random, so strangers cannot aim at a bucket.
 */
static __always_inline struct tap_place tap_place_group(const struct tap_sipkey *key, bool ipv6,
							const __u64 src[2], const __u64 dst[2],
							__u64 last)
{
	struct sip_state s = sip_start(key);
	struct tap_place place;
	__u64 hash;

	if (ipv6) {
		sip_word(&s, src[0], 1);
		sip_word(&s, src[1], 1);
		sip_word(&s, dst[0], 1);
		sip_word(&s, dst[1], 1);
	} else { /* the words' halves that are not ::ffff: */
		sip_word(&s, (src[1] & ~0xffffffffULL) | dst[1] >> 32, 1);
	}
	sip_word(&s, last, 1);
	hash = sip_end(&s, 3);
	place.bucket = hash % TAP_PENDING_BUCKETS;
	place.group = hash >> 48 | 1;
	return place;
}

static __always_inline __u64 tap_slot_word(const struct tap_segment *segment, __u16 group)
{
	return (__u64)segment->seq << 32 | (__u64)segment->sport << 16 | group;
}

/* Puts the segment's word into this slot, unless it holds a segment of the same group. */
static __always_inline bool tap_slot_try(struct tap_bucket *bucket, __u32 slot, __u64 word,
					 __u32 tsecr)
{
	__u64 seen;

	if (slot >= TAP_BUCKET_SLOTS)
		return false;
	seen = TAP_READ_ONCE(bucket->segment[slot]);
	if ((__u16)seen == (__u16)word)
		return false;
	/* Before the word, so that whoever sees the word sees this too. */
	if (tsecr)
		TAP_WRITE_ONCE(bucket->tsecr[slot], (word & ~0xffffffffULL) | tsecr);
	if (__sync_val_compare_and_swap(&bucket->segment[slot], seen, word) != seen)
		return false;
	TAP_WRITE_ONCE(bucket->cursor, slot + 1);
	return true;
}

/* The slot to try first: the one after the last that was taken, so the oldest. */
static __always_inline __u32 tap_slot_oldest(const struct tap_bucket *bucket)
{
	__u64 slot = TAP_READ_ONCE(bucket->cursor);

	return slot < TAP_BUCKET_SLOTS ? slot : 0;
}

/* Tries every slot in turn; -1: no luck. */
TAP_CHECKED_ALONE int tap_slot_search(struct tap_bucket *bucket, __u64 word, __u32 tsecr)
{
	__u32 slot, i;

	if (!bucket)
		return -1;
	slot = tap_slot_oldest(bucket);
	for (i = 0; i < TAP_BUCKET_SLOTS; i++) {
		if (tap_slot_try(bucket, slot, word, tsecr))
			return 0;
		slot = slot + 1 < TAP_BUCKET_SLOTS ? slot + 1 : 0;
	}
	return -1;
}

/* Whether the word is in the bucket already. */
static __always_inline bool tap_slots_hold(const struct tap_bucket *bucket, __u64 word)
{
	int i;

#pragma unroll
	for (i = 0; i < TAP_BUCKET_SLOTS; i++)
		if (TAP_READ_ONCE(bucket->segment[i]) == word)
			return true;
	return false;
}

/* How many of the slots hold a segment of the group. No branches: the verifier would follow 2^7. */
static __always_inline int tap_slots_of(const struct tap_bucket *bucket, __u16 group)
{
	__u64 count = 0, difference;
	int i;

#pragma unroll
	for (i = 0; i < TAP_BUCKET_SLOTS; i++) {
		difference = (TAP_READ_ONCE(bucket->segment[i]) ^ group) & 0xffff;
		count += (difference - 1) >> 63; /* 1 when it is 0 */
	}
	return count;
}

/* One segment out of its slot; its TSecr only if that is still the same segment's. */
static __always_inline struct tap_segment tap_slot_read(const struct tap_bucket *bucket, __u32 slot,
							__u64 word)
{
	__u64 tsecr = slot < TAP_BUCKET_SLOTS ? TAP_READ_ONCE(bucket->tsecr[slot]) : 0;
	struct tap_segment segment = {
		.seq = word >> 32,
		.sport = word >> 16,
		.tsecr = tsecr >> 32 == word >> 32 ? (__u32)tsecr : 0,
	};

	return segment;
}

/*
 * Takes four different segments of the group out of the bucket; false: there are fewer, or another
 * CPU took them. (Two copies of one segment can only both be there when two CPUs stored them at the
 * same instant.) Unrolled with plain variables: the verifier follows those better than an array.
 */
static __always_inline bool tap_take_group(struct tap_bucket *bucket, __u16 group,
					   struct tap_segment out[TAP_GROUP_SEGMENTS])
{
	__u64 a = 0, b = 0, c = 0, d = 0, word;
	__u32 at_a = 0, at_b = 0, at_c = 0, at_d = 0, i;

#pragma unroll
	for (i = 0; i < TAP_BUCKET_SLOTS; i++) {
		word = TAP_READ_ONCE(bucket->segment[i]);
		if ((__u16)word != group || word == a || word == b || word == c)
			continue;
		if (!a) {
			a = word;
			at_a = i;
		} else if (!b) {
			b = word;
			at_b = i;
		} else if (!c) {
			c = word;
			at_c = i;
		} else if (!d) {
			d = word;
			at_d = i;
		}
	}
	if (!d || at_a >= TAP_BUCKET_SLOTS)
		return false;
	out[0] = tap_slot_read(bucket, at_a, a);
	out[1] = tap_slot_read(bucket, at_b, b);
	out[2] = tap_slot_read(bucket, at_c, c);
	out[3] = tap_slot_read(bucket, at_d, d);
	if (__sync_val_compare_and_swap(&bucket->segment[at_a], a, 0) != a)
		return false;
#pragma unroll
	for (i = 0; i < TAP_BUCKET_SLOTS; i++) {
		word = TAP_READ_ONCE(bucket->segment[i]);
		if ((__u16)word == group)
			__sync_val_compare_and_swap(&bucket->segment[i], word, 0);
	}
	return true;
}

/*
 * Adds a segment to its group. TAP_COMPLETE: the bucket may hold a whole group now, and the caller
 * goes on with tap_take_group(), which tells for certain.
 */
static __always_inline enum tap_collected tap_collect(struct tap_bucket *bucket, __u16 group,
						      const struct tap_segment *segment)
{
	__u64 word = tap_slot_word(segment, group);

	if (tap_slots_hold(bucket, word))
		return TAP_DUPLICATE;
	if (!tap_slot_try(bucket, tap_slot_oldest(bucket), word, segment->tsecr) &&
	    tap_slot_search(bucket, word, segment->tsecr))
		return TAP_COLLECTING; /* a crowd on this bucket: the kernel will send again */
	return tap_slots_of(bucket, group) < TAP_GROUP_SEGMENTS ? TAP_COLLECTING : TAP_COMPLETE;
}

#endif /* TAP_GROUP_H */
