/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The checks that a readable group has to pass, less those that need a map: keys in force, tags, the
 * key's rate, and whether the replay records of its time are sure to be complete.
 */
#ifndef TAP_VERIFY_H
#define TAP_VERIFY_H

#include "bpf/encoding.h"
#include "bpf/group.h"

/* Whether there is a key at all: one with a secret that was not given up yet. */
static __always_inline bool tap_key_known(const struct tap_key *key)
{
	return key->until[0] || key->until[1] || key->not_after == TAP_REVOKED;
}

/* now: Unix seconds at the server. */
static __always_inline bool tap_key_active(const struct tap_key *key, __s64 now)
{
	return now >= key->not_before && now < key->not_after;
}

/* What came of a key's secrets. */
enum tap_tag_check {
	TAP_TAG_WRONG,
	TAP_TAG_RIGHT,
	TAP_TAG_LIMIT, /* no more tags may be computed for this group */
};

/*
 * Whether one of the key's live secrets made the group's tag; *tag is then the whole of it. *tags
 * counts the tags computed for the group.
 */
static __always_inline enum tap_tag_check tap_key_made(const struct tap_key *key, __s64 now,
						       const struct tap_fields *f,
						       const struct tap_endpoints *ends, __u8 *tags,
						       __u64 *tag)
{
	int i;

#pragma unroll
	for (i = 0; i < 2; i++) {
		if (now >= key->until[i])
			continue;
		if (*tags >= TAP_GROUP_TAGS)
			return TAP_TAG_LIMIT;
		++*tags;
		*tag = tap_tag(&key->secret[i], f, ends);
		if (tap_tag_matches(f, *tag))
			return TAP_TAG_RIGHT;
	}
	return TAP_TAG_WRONG;
}

/* --- A key's rate: its admissions of this second --- */

/*
 * Whether a second's count starts anew in place of one of second `seen`: that is over, or the clock was
 * set back. A count that is one second ahead is this one's, too: another CPU read the clock later. now:
 * the gate's clock, Unix seconds.
 */
static __always_inline bool tap_rate_starts(__u32 seen, __u32 now)
{
	__s32 passed = tap_seconds_from(seen, now);

	return passed > 0 || passed < -1;
}

static __always_inline __u32 tap_rate_used(const struct tap_key_use *use, __u32 now)
{
	__u64 seen = TAP_READ_ONCE(use->rate);

	return tap_rate_starts(seen >> 32, now) ? 0 : (__u32)seen;
}

/* Counts one admission. Of CPUs that begin the second at once, the slower add to what one began. */
static __always_inline void tap_rate_count(struct tap_key_use *use, __u32 now)
{
	__u64 seen = TAP_READ_ONCE(use->rate), found;
	int tries;

	for (tries = 0; tries < 4 && tap_rate_starts(seen >> 32, now); tries++, seen = found) {
		found = __sync_val_compare_and_swap(&use->rate, seen, (__u64)now << 32 | 1);
		if (found == seen)
			return;
	}
	__sync_fetch_and_add(&use->rate, 1);
}

/* --- Replay --- */

/* The group's SEC in whole: 32 bits begin anew in 2106. now: Unix seconds at the server. */
static __always_inline __s64 tap_made_at(const struct tap_fields *f, __s64 now)
{
	return now + tap_seconds_from(now, f->sec);
}

/* Whether the group was made before the records were started; both in Unix time. */
static __always_inline bool tap_made_before(const struct tap_fields *f, __s64 now, __u64 started_ns)
{
	__u64 made = (__u64)tap_made_at(f, now) * 256 + tap_frac_256(f);
	__u64 started = started_ns / TAP_NS_PER_SEC * 256 +
			started_ns % TAP_NS_PER_SEC * 256 / TAP_NS_PER_SEC;

	return made < started;
}

/*
 * The same by how long the records have been kept, in ns: after the clock was set forward, groups
 * from before them look newer than their start, but no younger than they are.
 */
static __always_inline bool tap_older_than(const struct tap_fields *f, __u64 now_ns, __s64 kept_ns)
{
	__s64 now = now_ns / TAP_NS_PER_SEC;
	__s64 age = (now - tap_made_at(f, now)) * 256 - tap_frac_256(f) +
		    (__s64)(now_ns % TAP_NS_PER_SEC * 256 / TAP_NS_PER_SEC);

	/* Of divisions the kernel's first versions know those of positive numbers only. */
	return kept_ns < 0 || age > (__s64)((__u64)kept_ns / (TAP_NS_PER_SEC / 256));
}

/*
 * Whether every record of groups with this SEC must still be in the map. A record can be displaced
 * only by replay_size later admissions. `slot` (tap_seconds) remembers how many admissions there
 * had been before the first group of that second; with fewer than replay_size since then, none
 * of that second is gone. Where nobody of that second was admitted, there is nothing to lose, and
 * the second starts here. A slot of a later second means that the clock was set back: what was
 * known of this second is lost, so trust the records only while they cannot have lost any at all,
 * and leave the slot to its owner, for when the clock is right again.
 */
static __always_inline bool tap_records_complete(__u64 *slot, const struct tap_gate_state *state,
						 __u32 sec, __u32 replay_size)
{
	/*
	 * The slot first. Were it the counter, another CPU could admit a group and start the slot in
	 * between: the slot would be ahead of the counter, and the difference below wrap. (On a
	 * machine that reorders loads it still may; that refuses a group, and never admits one.)
	 */
	__u64 seen = TAP_READ_ONCE(*slot);
	__u64 admissions = TAP_READ_ONCE(state->admissions);
	__u64 found;

	if (seen >> 32 != sec && !(seen && tap_seconds_from(seen >> 32, sec) < 0)) {
		found = __sync_val_compare_and_swap(slot, seen,
						    (__u64)sec << 32 | (__u32)admissions);
		if (found == seen)
			return true;
		/* Another CPU was first, and what it counted may be ahead of this counter, too. */
		seen = found;
		admissions = TAP_READ_ONCE(state->admissions);
	}
	if (seen >> 32 == sec)
		return (__u32)admissions - (__u32)seen < replay_size;
	return tap_seconds_from(seen >> 32, sec) < 0 && admissions < replay_size;
}

/* Keeps the latest SEC that was admitted, in whole. */
static __always_inline void tap_note_newest(struct tap_gate_state *state, __u64 sec)
{
	__u64 seen = TAP_READ_ONCE(state->newest);
	__u64 found;
	int tries;

	for (tries = 0; tries < 4 && sec > seen; tries++, seen = found) {
		found = __sync_val_compare_and_swap(&state->newest, seen, sec);
		if (found == seen)
			return;
	}
}

#endif /* TAP_VERIFY_H */
