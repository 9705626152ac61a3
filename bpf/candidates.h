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
 * in which the splitter sends them. Permutations 2p and 2p + 1 are of pair p.
 */
static const __u8 tap_permutations[TAP_PERMUTATIONS][TAP_GROUP_SEGMENTS] = {
	{ 3, 0, 1, 2 }, { 3, 1, 0, 2 }, { 3, 0, 2, 1 }, { 3, 2, 0, 1 }, { 3, 1, 2, 0 }, { 3, 2, 1, 0 },
	{ 0, 1, 2, 3 }, { 0, 2, 1, 3 }, { 0, 1, 3, 2 }, { 0, 3, 1, 2 }, { 0, 2, 3, 1 }, { 0, 3, 2, 1 },
	{ 1, 0, 2, 3 }, { 1, 2, 0, 3 }, { 1, 0, 3, 2 }, { 1, 3, 0, 2 }, { 1, 2, 3, 0 }, { 1, 3, 2, 0 },
	{ 2, 0, 1, 3 }, { 2, 1, 0, 3 }, { 2, 0, 3, 1 }, { 2, 3, 0, 1 }, { 2, 1, 3, 0 }, { 2, 3, 1, 0 },
};

#define TAP_CANDIDATES_ROOM 64 /* of a list of them: power of two, more than 24 for each secret */
#define CANDIDATE_SECRET 5 /* bit from which on a candidate names its secret; below: its permutation */

struct tap_candidates {
	struct tap_segment segment[TAP_GROUP_SEGMENTS]; /* in the order of arrival, as far as known */
	__u32 secrets; /* bit s: the realm's secret s may have made the group */
	__u64 mask[TAP_REALM_SECRETS][TAP_PAIRS_ROOM]; /* by secret and pair */
	__u8 list[TAP_CANDIDATES_ROOM];
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

/* The masks of pairs from..to-1 under one secret. */
static __always_inline void candidates_unveil(struct tap_candidates *c, const struct tap_sipkey *veil,
					      __u32 secret, __u32 from, __u32 to)
{
	const __u8 *role;
	__u32 pair;

	for (pair = from; pair < to; pair++) {
		role = tap_permutations[2 * pair];
		c->mask[secret % TAP_REALM_SECRETS][pair] =
			tap_veil_mask(veil, candidates_seq(c, role[0]), candidates_seq(c, role[3]));
	}
}

/*
 * Lists the readings of pairs from..to-1 that fit, each under every one of n secrets before the next,
 * and returns how many. Without branches, for the verifier would follow 2^48.
 */
static __always_inline __u32 candidates_find(struct tap_candidates *c, __u32 from, __u32 to, __u32 n,
					     __u32 now, __u32 skew)
{
	__u32 count = 0, permutation, secret;

	for (permutation = 2 * from; permutation < 2 * to; permutation++) {
		__u32 seq2 = candidates_seq(c, tap_permutations[permutation][2]);

		for (secret = 0; secret < n; secret++) {
			c->list[count % TAP_CANDIDATES_ROOM] =
				permutation | secret << CANDIDATE_SECRET;
			count += tap_veiled_fits(candidates_mask(c, permutation, secret), seq2, now,
						 skew) &
				 (c->secrets >> secret & 1);
		}
	}
	return count;
}

/* The permutation of candidate number i, and its secret. */
static __always_inline __u32 candidates_at(const struct tap_candidates *c, __u32 i, __u32 *secret)
{
	__u8 candidate = c->list[i % TAP_CANDIDATES_ROOM];

	*secret = candidate >> CANDIDATE_SECRET & (TAP_REALM_SECRETS - 1);
	return candidate & ((1 << CANDIDATE_SECRET) - 1);
}

/* The key ID that a candidate claims. */
static __always_inline __u16 candidates_key_id(const struct tap_candidates *c, __u32 permutation,
					       __u32 secret)
{
	return (candidates_seq(c, tap_permutations[permutation][1]) ^
		(__u32)candidates_mask(c, permutation, secret)) >> 16;
}

#endif /* TAP_CANDIDATES_H */
