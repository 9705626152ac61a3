/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ways to read four segments as a group: 24 permutations of who is SYN0, SYN1, SYN2, SYN3
 * (docs/protocol.md, "The server, per segment", step 3). In the veiled encoding SYN0 and SYN3 give the
 * mask, so the permutations come in twelve pairs that share one; most of them are ruled out by their
 * field 2, before any key is looked at.
 */
#ifndef TAP_CANDIDATES_H
#define TAP_CANDIDATES_H

#include "bpf/encoding.h"
#include "bpf/group.h"

#define TAP_PAIRS 12 /* of a SYN0 and a SYN3 */
#define TAP_PERMUTATIONS (2 * TAP_PAIRS)
#define TAP_PAIRS_ROOM 16 /* power of two, for the verifier */

/*
 * Each permutation: SYN0, SYN1, SYN2, SYN3 as numbers in the order of arrival. The first is the order
 * in which the splitter sends them. Permutations 2p and 2p + 1 are of pair p, and differ in who is SYN1
 * and who SYN2. Of three pairs with the same SYN0, the others' SYN3 is the first's SYN2, then its SYN1.
 */
static const __u8 tap_permutations[TAP_PERMUTATIONS][TAP_GROUP_SEGMENTS] = {
	{ 3, 0, 1, 2 }, { 3, 1, 0, 2 }, { 3, 0, 2, 1 }, { 3, 2, 0, 1 }, { 3, 1, 2, 0 }, { 3, 2, 1, 0 },
	{ 0, 1, 2, 3 }, { 0, 2, 1, 3 }, { 0, 1, 3, 2 }, { 0, 3, 1, 2 }, { 0, 2, 3, 1 }, { 0, 3, 2, 1 },
	{ 1, 0, 2, 3 }, { 1, 2, 0, 3 }, { 1, 0, 3, 2 }, { 1, 3, 0, 2 }, { 1, 2, 3, 0 }, { 1, 3, 2, 0 },
	{ 2, 0, 1, 3 }, { 2, 1, 0, 3 }, { 2, 0, 3, 1 }, { 2, 3, 0, 1 }, { 2, 1, 3, 0 }, { 2, 3, 1, 0 },
};

/* Reading number n takes permutation n / TAP_REALM_SECRETS, unveiled by secret n % TAP_REALM_SECRETS. */
#define TAP_READINGS (TAP_PERMUTATIONS * TAP_REALM_SECRETS)

struct tap_candidates {
	struct tap_segment segment[TAP_GROUP_SEGMENTS]; /* in the order of arrival, as far as known */
	__u32 secrets; /* bit s: the realm's secret s may have made the group */
	/* Bit n: reading number n, not yet taken, ... */
	__u64 fit; /* ... was unveiled and fits */
	__u64 clear; /* ... has no reserved flags, whatever its time; not known before it is asked */
	__u64 mask[TAP_REALM_SECRETS][TAP_PAIRS_ROOM]; /* by secret and pair */
};

static __always_inline __u32 candidates_seq(const struct tap_candidates *c, __u32 arrived)
{
	return c->segment[arrived % TAP_GROUP_SEGMENTS].seq;
}

/* The source port of what the permutation takes for SYN0. */
static __always_inline __u16 candidates_sport(const struct tap_candidates *c, __u32 permutation)
{
	return c->segment[tap_permutations[permutation][0] % TAP_GROUP_SEGMENTS].sport;
}

/* seq: of what the permutation takes for SYN0 to SYN3. */
static __always_inline void candidates_deal(const struct tap_candidates *c, __u32 permutation,
					    __u32 seq[TAP_GROUP_SEGMENTS])
{
	const __u8 *role = tap_permutations[permutation];
	int i;

#pragma unroll
	for (i = 0; i < TAP_GROUP_SEGMENTS; i++)
		seq[i] = candidates_seq(c, role[i]);
}

static __always_inline __u64 candidates_mask(const struct tap_candidates *c, __u32 permutation,
					     __u32 secret)
{
	return c->mask[secret % TAP_REALM_SECRETS][permutation / 2 % TAP_PAIRS_ROOM];
}

/*
 * The mask of one pair, and which of its two readings fit: bit 0 the one with SYN1 and SYN2 as given,
 * bit TAP_REALM_SECRETS the other.
 */
static __always_inline __u64 candidates_pair(struct tap_candidates *c, const struct tap_sipkey *veil,
					     __u32 secret, __u32 pair, const __u32 seq[4], __u32 now,
					     __u32 skew)
{
	__u64 mask = tap_veil_mask(veil, seq[0], seq[3]);
	__u32 half = mask >> 32;

	c->mask[secret % TAP_REALM_SECRETS][pair % TAP_PAIRS_ROOM] = mask;
	return tap_veiled_fits(seq[2] ^ half, now, skew) |
	       tap_veiled_fits(seq[1] ^ half, now, skew) << TAP_REALM_SECRETS;
}

/* The first pair under one secret: its mask, and which of its readings fit. */
static __always_inline void candidates_unveil_first(struct tap_candidates *c,
						    const struct tap_sipkey *veil, __u32 secret,
						    __u32 now, __u32 skew)
{
	__u32 seq[TAP_GROUP_SEGMENTS];

	candidates_deal(c, 0, seq);
	c->fit |= candidates_pair(c, veil, secret, 0, seq, now, skew) << secret;
}

/*
 * The same for all others. The three pairs of a SYN0 at a time, so that little is looked up. Without
 * branches, for the verifier would follow 2^48.
 */
static __always_inline void candidates_unveil_others(struct tap_candidates *c,
						     const struct tap_sipkey *veil, __u32 secret,
						     __u32 now, __u32 skew)
{
	__u32 pair, seq[TAP_GROUP_SEGMENTS];
	__u64 fit = 0, fits;

	for (pair = 0; pair < TAP_PAIRS; pair += 3) {
		candidates_deal(c, 2 * pair, seq);
		fits = 0;
		if (pair)
			fits = candidates_pair(c, veil, secret, pair, seq, now, skew);
		fits |= candidates_pair(c, veil, secret, pair + 1,
					(__u32[]){ seq[0], seq[1], seq[3], seq[2] }, now, skew)
			<< 2 * TAP_REALM_SECRETS;
		fits |= candidates_pair(c, veil, secret, pair + 2,
					(__u32[]){ seq[0], seq[2], seq[3], seq[1] }, now, skew)
			<< 4 * TAP_REALM_SECRETS;
		fit |= fits << (2 * pair * TAP_REALM_SECRETS + secret);
	}
	c->fit |= fit;
}

/* Of the masks that there are under one secret: the readings without reserved flags. */
static __always_inline __u64 candidates_clear(const struct tap_candidates *c, __u32 secret)
{
	__u32 permutation;
	__u64 clear = 0;

	for (permutation = 0; permutation < TAP_PERMUTATIONS; permutation++) {
		__u32 seq2 = candidates_seq(c, tap_permutations[permutation][2]);
		__u32 field2 = seq2 ^ (__u32)(candidates_mask(c, permutation, secret) >> 32);

		clear |= tap_veiled_clear(field2) << (permutation * TAP_REALM_SECRETS + secret);
	}
	return clear;
}

/* log2 of a power of two, by the top six bits of its product with a de Bruijn sequence. */
static const __u8 tap_log2[64] = {
	0, 1, 48, 2, 57, 49, 28, 3, 61, 58, 50, 42, 38, 29, 17, 4,
	62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
	46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9, 13, 8, 7, 6,
};

/*
 * Takes the first reading out of a set; false: it is empty. All readings of a permutation come before
 * those of the next.
 */
static __always_inline bool candidates_take(__u64 *set, __u32 *permutation, __u32 *secret)
{
	__u64 first = *set & -*set;
	__u32 number = tap_log2[first * 0x03f79d71b4cb0a89ULL >> 58];

	/* Else clang would look into the table for what to compare with. */
	TAP_KEEP_ORDER(number);
	if (!first || number >= TAP_READINGS)
		return false;
	*set ^= first;
	*permutation = number / TAP_REALM_SECRETS;
	*secret = number % TAP_REALM_SECRETS;
	return true;
}

/* The key ID that a reading claims. */
static __always_inline __u16 candidates_key_id(const struct tap_candidates *c, __u32 permutation,
					       __u32 secret)
{
	return (candidates_seq(c, tap_permutations[permutation][1]) ^
		(__u32)candidates_mask(c, permutation, secret)) >> 16;
}

#endif /* TAP_CANDIDATES_H */
