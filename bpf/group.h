/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Collects the four segments of a group without a lock (docs/protocol.md, "The server, per segment").
 *
 * A bucket is one cache line of seven slots, shared by the groups whose hash falls on it. A segment
 * is one word, so one compare-and-swap puts it in place; each word carries 16 more bits of its
 * group's hash, so what an earlier group left behind is simply another group's, and nothing is ever
 * cleared by time. New segments push out the oldest: a group survives three strangers in its bucket
 * with a segment each, unless two CPUs store there at the same instant. (A segment that joins others of
 * its group passes them by, and so takes a younger slot.)
 *
 * Of four CPUs with one segment each the last one sees all four. Those that see all four compete
 * for the one in the lowest slot; the winner judges.
 */
#ifndef TAP_GROUP_H
#define TAP_GROUP_H

#include "bpf/parse.h"
#include "tap/maps.h"

/* One segment of a group, integers in host order. */
struct tap_segment {
	__u32 seq;
	__u16 sport;
	__u16 pad;
};

enum tap_collected { TAP_COLLECTING, TAP_DUPLICATE, TAP_COMPLETE };

/* Where a group is collected. */
struct tap_place {
	__u32 bucket; /* index into tap_pending */
	__u16 group; /* tells it from others in the bucket; never 0 */
	__u16 pad;
	__u32 mask; /* over the sequence numbers there: segments of two groups do not make a third */
};

/*
 * How often the identity of groups without a TSval changes: about once a second, so that a segment
 * that was left behind cannot spoil later groups for longer.
 */
#define TAP_GROUP_EPOCH_SHIFT 30 /* of monotonic nanoseconds */

/*
 * Places a group by what identifies it: addresses, destination port, and what of mark, TSval and
 * epoch the setting takes (else 0). Multilinear hashing with random keys is strongly universal: to
 * anyone who does not know the keys, any two groups collide by pure chance, whatever they choose. It
 * costs a tenth of what SipHash does.
 */
static __always_inline struct tap_place tap_place_group(const volatile struct tap_place_key *key,
							const struct tap_packet *p, __u16 mark,
							__u32 tsval, __u32 epoch)
{
	__u64 hash = key->start;
	struct tap_place place;

	hash += key->k[0] * (__u32)(p->src[1] >> 32);
	hash += key->k[1] * (__u32)(p->dst[1] >> 32);
	hash += key->k[2] * ((__u32)p->dport << 16 | mark);
	hash += key->k[3] * tsval;
	hash += key->k[11] * epoch;
	if (p->ipv6) {
		hash += key->k[4] * (__u32)p->src[1];
		hash += key->k[5] * (__u32)p->dst[1];
		hash += key->k[6] * (__u32)p->src[0];
		hash += key->k[7] * (__u32)p->dst[0];
		hash += key->k[8] * (__u32)(p->src[0] >> 32);
		hash += key->k[9] * (__u32)(p->dst[0] >> 32);
		hash += key->k[10];
	}
	/* The upper half is what is universal. */
	place.bucket = hash >> 32 & (TAP_PENDING_BUCKETS - 1);
	place.group = hash >> 48 ?: 1;
	/*
	 * 28 bits are few for someone who sends what he knows of others' groups from an address of his
	 * own, say a classic field 2. With the lower half too, all 64 differ but for the trailing zeros
	 * of the difference.
	 */
	place.mask = hash;
	return place;
}

static __always_inline __u64 tap_slot_word(const struct tap_segment *segment, __u16 group)
{
	return (__u64)segment->seq << 32 | (__u64)segment->sport << 16 | group;
}

/*
 * The bucket's cursor: the slot to fill next in the low bits, above them something of the segment
 * that was stored last, so that no two are likely to be the same.
 */
#define TAP_CURSOR_SLOT 7u

static __always_inline __u64 tap_cursor_after(__u32 slot, __u64 word)
{
	return (word & ~(__u64)TAP_CURSOR_SLOT) | (slot + 1 < TAP_BUCKET_SLOTS ? slot + 1 : 0);
}

/* Puts the segment's word into this slot, unless it holds a segment of the same group. */
static __always_inline bool tap_slot_try(struct tap_bucket *bucket, __u32 slot, __u64 word)
{
	__u64 seen;

	if (slot >= TAP_BUCKET_SLOTS)
		return false;
	seen = TAP_READ_ONCE(bucket->segment[slot]);
	if ((__u16)seen == (__u16)word)
		return false;
	return __sync_val_compare_and_swap(&bucket->segment[slot], seen, word) == seen;
}

typedef __u16 __attribute__((may_alias)) tap_half_word;

/* How many of the slots hold a segment of the group. No branches: the verifier would follow 2^7. */
static __always_inline int tap_slots_of(const struct tap_bucket *bucket, __u16 group)
{
	__u64 count = 0, difference;
	int i;

#pragma unroll
	for (i = 0; i < TAP_BUCKET_SLOTS; i++) {
		/* Only the low half-word, where the group is. */
		difference = TAP_READ_ONCE(*(const tap_half_word *)&bucket->segment[i]) ^ group;
		count += (difference - 1) >> 63; /* 1 when it is 0 */
	}
	return count;
}

static __always_inline __u32 tap_slot_after(__u32 slot)
{
	slot++;
	/* clang 14 compares it before it is incremented, and Linux 6.1 does not see what that says. */
	TAP_KEEP_ORDER(slot);
	return slot < TAP_BUCKET_SLOTS ? slot : 0;
}

/* Stores the segment in the oldest slot that is not its own group's; -1: no luck. */
static __always_inline int tap_store(struct tap_bucket *bucket, __u64 word)
{
	__u32 slot = TAP_READ_ONCE(bucket->cursor) & TAP_CURSOR_SLOT;
	__u32 i;

	for (i = 0; i < TAP_BUCKET_SLOTS; i++) {
		if (tap_slot_try(bucket, slot, word)) {
			__sync_lock_test_and_set(&bucket->cursor, tap_cursor_after(slot, word));
			return 0;
		}
		slot = tap_slot_after(slot);
	}
	return -1;
}

/* Whether this very segment is in the bucket. */
static __always_inline bool tap_is_stored(const struct tap_bucket *bucket, __u64 word)
{
	int i;

	for (i = 0; i < TAP_BUCKET_SLOTS; i++)
		if (TAP_READ_ONCE(bucket->segment[i]) == word)
			return true;
	return false;
}

/*
 * Another CPU is at work in the bucket: stores the segment unless it is `stored` or there already, and
 * looks once more whether the group is all there.
 */
TAP_CHECKED_ALONE int tap_collect_more(struct tap_bucket *bucket, __u64 word, bool stored)
{
	if (!bucket)
		return TAP_COLLECTING;
	if (!stored && tap_is_stored(bucket, word))
		return TAP_DUPLICATE;
	if (!stored && tap_store(bucket, word))
		return TAP_COLLECTING; /* a crowd on this bucket: the kernel will send again */
	return tap_slots_of(bucket, word) < TAP_GROUP_SEGMENTS ? TAP_COLLECTING : TAP_COMPLETE;
}

/*
 * Adds a segment to its group. TAP_COMPLETE: the bucket may hold a whole group now, and the caller
 * goes on with tap_take_group(), which tells for certain.
 *
 * It looks before it stores, while the cache line is on its way, and not again after. That is enough
 * unless another CPU stored something in between, and then the cursor has changed: it is exchanged
 * after the segment is in place, so of two CPUs the one whose exchange comes second finds either a
 * cursor that is not the one it started from, or had the other's segment before its eyes from the
 * start. (On machines that reorder loads a group may now and then stay incomplete, and costs a
 * retransmission.)
 */
static __always_inline int tap_collect(struct tap_bucket *bucket, __u16 group,
				       const struct tap_segment *segment)
{
	__u64 cursor = TAP_READ_ONCE(bucket->cursor);
	__u64 word = tap_slot_word(segment, group);
	__u32 slot = cursor & TAP_CURSOR_SLOT;
	int others = tap_slots_of(bucket, group);
	bool stored = false;

	if (others && tap_is_stored(bucket, word))
		return TAP_DUPLICATE;
	if (tap_slot_try(bucket, slot, word)) {
		stored = true;
		if (__sync_lock_test_and_set(&bucket->cursor, tap_cursor_after(slot, word)) ==
		    cursor)
			return others + 1 < TAP_GROUP_SEGMENTS ? TAP_COLLECTING : TAP_COMPLETE;
	}
	return tap_collect_more(bucket, word, stored);
}

/* --- Taking a whole group out --- */

#define TAP_GATHER_ROOM 8 /* power of two, more than a bucket's slots */

/* Words of the group, by slot; each once, though two CPUs may have stored it at the same instant. */
struct tap_gathering {
	__u64 word[TAP_GATHER_ROOM]; /* the first TAP_GROUP_SEGMENTS of them count */
	__u64 slot[TAP_GATHER_ROOM]; /* where each was found */
	__u64 count;
	__u64 younger; /* how many stand before the cursor: the one after these came first */
};

/*
 * 1 if x is 0, else 0. Without a branch, like all that follows: the verifier would follow each way
 * through. (clang 22 would see the comparison behind it, and make a branch of it.)
 */
static __always_inline __u64 tap_is_zero(__u64 x)
{
	__u64 less = x - 1;

	TAP_KEEP_ORDER(less);
	return (~x & less) >> 63;
}

/* once: leaves out words that were gathered before, for which g->word must be 0. */
static __always_inline void tap_gather(const struct tap_bucket *bucket, __u16 group,
				       struct tap_gathering *g, bool once)
{
	__u64 cursor = TAP_READ_ONCE(bucket->cursor) & TAP_CURSOR_SLOT;
	__u64 count = 0, younger = 0, found, word, i, k;

	for (i = 0; i < TAP_BUCKET_SLOTS; i++) {
		word = TAP_READ_ONCE(bucket->segment[i]);
		found = tap_is_zero((word ^ group) & 0xffff);
#pragma unroll
		for (k = 0; k < TAP_GROUP_SEGMENTS && once; k++)
			found &= ~tap_is_zero(word ^ g->word[k]);
		g->word[count % TAP_GATHER_ROOM] = word;
		g->slot[count % TAP_GATHER_ROOM] = i;
		younger += found & (i - cursor) >> 63 & (count - TAP_GROUP_SEGMENTS) >> 63;
		count += found;
	}
	g->count = count;
	g->younger = younger;
}

/* Whether exactly four were gathered, all different. */
static __always_inline bool tap_gathered_four(const struct tap_gathering *g)
{
	__u64 same = 0;
	int i, k;

#pragma unroll
	for (i = 0; i < TAP_GROUP_SEGMENTS; i++)
#pragma unroll
		for (k = 0; k < i; k++)
			same |= tap_is_zero(g->word[i] ^ g->word[k]);
	return g->count == TAP_GROUP_SEGMENTS && !same;
}

/* Puts an empty word in place of `word`; false: another CPU did, or stored something else there. */
static __always_inline bool tap_slot_clear(struct tap_bucket *bucket, __u64 slot, __u64 word)
{
	if (slot >= TAP_BUCKET_SLOTS)
		return false;
	return __sync_val_compare_and_swap(&bucket->segment[slot], word, 0) == word;
}

/*
 * Takes four different segments of the group out of the bucket, in the order of their arrival (unless
 * several CPUs stored them: then in any order); false: there are fewer, or another CPU took them.
 * g: room to work in, too large for the stack.
 */
static __always_inline bool tap_take_group(struct tap_bucket *bucket, __u16 group,
					   struct tap_gathering *g,
					   struct tap_segment out[TAP_GROUP_SEGMENTS])
{
	__u64 word;
	__u32 i;

	tap_gather(bucket, group, g, false);
	if (!tap_gathered_four(g)) {
		__builtin_memset(g, 0, sizeof(*g));
		tap_gather(bucket, group, g, true);
	}
	/* The word in the lowest slot is what all CPUs that see the four compete for. */
	if (g->count < TAP_GROUP_SEGMENTS ||
	    !tap_slot_clear(bucket, g->slot[0], g->word[0]))
		return false;
	for (i = 0; i < TAP_BUCKET_SLOTS; i++) {
		word = TAP_READ_ONCE(bucket->segment[i]);
		if ((__u16)word == group)
			tap_slot_clear(bucket, i, word);
	}
	for (i = 0; i < TAP_GROUP_SEGMENTS; i++) {
		word = g->word[(g->younger + i) % TAP_GROUP_SEGMENTS];
		out[i].seq = word >> 32;
		out[i].sport = word >> 16;
		out[i].pad = 0;
	}
	return true;
}

#endif /* TAP_GROUP_H */
