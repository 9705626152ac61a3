// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several CPUs at the same memory, one step at a time: before each atomic operation or read of the
 * code under test the input says whether another CPU comes in between with a whole operation of its
 * own, and a third one in the middle of that. Out of a bucket come four different segments that
 * were put in, once if there are no more, and no four may wait that nobody took; no second may lose
 * a replay record, and no admission may be lost from a key's count.
 */
static void other_cpus(void);

/* Names of macros are not expanded again within themselves, so these are the real ones. */
#define __sync_val_compare_and_swap(at, from, to)                                                  \
	({ other_cpus(); __sync_val_compare_and_swap(at, from, to); })
#define __sync_lock_test_and_set(at, to)                                                           \
	({ other_cpus(); __sync_lock_test_and_set(at, to); })
#define __sync_fetch_and_add(at, n)                                                                \
	({ other_cpus(); __sync_fetch_and_add(at, n); })

#include "bpf/kernel.h"

#undef TAP_READ_ONCE
#define TAP_READ_ONCE(x) ({ other_cpus(); *(const volatile typeof(x) *)&(x); })

#include "bpf/group.h"
#include "bpf/verify.h"
#include "selftests/fuzz/fuzz.h"

#define GROUP 0x1234
#define SEGMENTS 6
#define DEPTH 3
#define SIZE 4 /* replay records that are sure to be there */
#define ADMISSIONS_MAX 64

static struct input input;
static void (*operation)(void); /* what the other CPUs do */
static int depth;

static void other_cpus(void)
{
	while (depth < DEPTH && input.left && take8(&input) & 1) {
		depth++;
		operation();
		depth--;
	}
}

/* --- A bucket --- */

static struct tap_bucket bucket __attribute__((aligned(64)));
static unsigned int put[SEGMENTS], strangers, groups_taken;

static void take_out(void)
{
	struct tap_segment out[TAP_GROUP_SEGMENTS];
	struct tap_gathering room;
	unsigned int seen = 0, i;

	if (!tap_take_group(&bucket, GROUP, &room, out))
		return;
	groups_taken++;
	for (i = 0; i < TAP_GROUP_SEGMENTS; i++) {
		MUST(out[i].seq < SEGMENTS && out[i].sport == 7 * out[i].seq, "never put in");
		MUST(!(seen >> out[i].seq & 1), "segment %u twice", out[i].seq);
		seen |= 1u << out[i].seq;
		MUST(put[out[i].seq], "segment %u was not put in", out[i].seq);
	}
}

static void segment_arrives(void)
{
	unsigned int n = take8(&input) % (SEGMENTS + 1);
	struct tap_segment segment = { .seq = n, .sport = 7 * n };
	uint16_t group = n < SEGMENTS ? GROUP : 0x4321;

	if (n < SEGMENTS)
		put[n]++;
	else
		strangers++;
	if (tap_collect(&bucket, group, &segment) == TAP_COMPLETE && n < SEGMENTS)
		take_out();
}

static void race_bucket(void)
{
	unsigned int once = 0, n, puts = 0;

	memset(&bucket, 0, sizeof(bucket));
	memset(put, 0, sizeof(put));
	strangers = groups_taken = 0;
	operation = segment_arrives;
	while (input.left)
		segment_arrives();
	for (n = 0; n < SEGMENTS; n++) {
		once += put[n] > 0;
		puts += put[n];
	}
	/*
	 * Four, each of them once: taken once, and if they are alone nobody may be left waiting.
	 * (A fifth that comes while they are being taken may find those that are still there, and
	 * take them once more; if it is a copy of the first, the group is judged twice, and the
	 * second time a replay.)
	 */
	if (puts <= TAP_GROUP_SEGMENTS)
		MUST(groups_taken <= (once == TAP_GROUP_SEGMENTS), "%u", groups_taken);
	if (once == TAP_GROUP_SEGMENTS && puts == once && !strangers)
		MUST(groups_taken == 1, "%u", groups_taken);
	operation = NULL;
	input.left = 0;
	MUST(tap_slots_of(&bucket, GROUP) < TAP_GROUP_SEGMENTS || puts > once, "four are waiting");
}

/* --- The gate's state --- */

static __u64 seconds[TAP_SECONDS];
static struct tap_gate_state gate_state;
static struct tap_key_use use;
static uint32_t made[ADMISSIONS_MAX], now, newest, counted;
static uint32_t since; /* counted in this second, ... */
static int began; /* at which depth it began */

static bool complete(uint32_t sec, uint32_t size)
{
	return tap_records_complete(&seconds[sec % TAP_SECONDS], &gate_state, sec, size);
}

/* As judge_replay() goes about it: asks, makes the record, counts it, and asks again. */
static void group_arrives(void)
{
	uint8_t next = take8(&input);
	uint32_t sec = now + next % 4 + (next & 4 ? TAP_SECONDS : 0);
	uint64_t own, i;

	if (!complete(sec, SIZE) || gate_state.admissions >= ADMISSIONS_MAX)
		return;
	own = __sync_fetch_and_add(&gate_state.admissions, 1);
	if (own >= ADMISSIONS_MAX)
		return;
	made[own] = sec;
	if (!complete(sec, SIZE + 1))
		return;
	/* Whatever others did: when this record was made, those of its second were there. */
	for (i = 0; i < own; i++)
		if (made[i] == sec)
			MUST(own - i <= SIZE, "%u of %u", (unsigned int)i, (unsigned int)own);
	tap_note_newest(&gate_state, sec);
	if (sec > newest)
		newest = sec;
}

/* One more of the key in this second, which may begin while others are at it. */
static void key_is_used(void)
{
	if (take8(&input) % 8 == 0) {
		now++;
		since = 0;
		began = depth;
	}
	since++;
	counted++;
	tap_rate_count(&use, now);
}

static void start_state(void (*what)(void))
{
	memset(&gate_state, 0, sizeof(gate_state));
	memset(seconds, 0, sizeof(seconds));
	memset(made, 0, sizeof(made));
	use = (struct tap_key_use){};
	newest = counted = since = began = 0;
	now = 1800000000;
	operation = what;
}

static void race_state(void)
{
	start_state(group_arrives);
	while (input.left && gate_state.admissions < ADMISSIONS_MAX)
		group_arrives();
	MUST(gate_state.newest <= newest, "%u", (unsigned int)gate_state.newest);
}

/*
 * In a second that began while nobody was counting, each is counted once. (Who was, and is late, may
 * count for the new second, or begin the old one again: it takes a CPU that stands still just then.)
 */
static void race_rate(void)
{
	uint32_t used;

	start_state(key_is_used);
	while (input.left)
		key_is_used();
	used = tap_rate_used(&use, now);
	if (!began)
		MUST(used == since, "%u of %u counted", used, since);
	MUST(used <= counted, "%u of %u counted", used, counted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t what;

	input = (struct input){ data, size };
	what = take8(&input);
	depth = 0;
	if (what % 4 < 2)
		race_bucket();
	else if (what & 1)
		race_rate();
	else
		race_state();
	return 0;
}
