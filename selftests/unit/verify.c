// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a readable group has to pass: validity of keys, the wish for long tags, and the rule that
 * refuses groups whose replay records may be gone, against a model that remembers everything.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

static void other_cpu(void);

/* Names of macros are not expanded again within themselves, so this is the real one. */
#define __sync_val_compare_and_swap(at, from, to)                                                  \
	({ other_cpu(); __sync_val_compare_and_swap(at, from, to); })

#include "bpf/kernel.h"

#undef TAP_READ_ONCE
#define TAP_READ_ONCE(x) ({ other_cpu(); *(const volatile typeof(x) *)&(x); })

#include "bpf/verify.h"
#include "selftests/common/ref.h"

#define NOW 1800000000u

static void test_key_validity(void **state)
{
	struct tap_key key = { .not_before = 100, .not_after = 200, .until = { TAP_FOREVER, 0 } };

	assert_true(tap_key_known(&key));
	assert_false(tap_key_active(&key, 99));
	assert_true(tap_key_active(&key, 100));
	assert_true(tap_key_active(&key, 199));
	assert_false(tap_key_active(&key, 200));
	key.not_before = 0;
	key.not_after = TAP_REVOKED;
	assert_true(tap_key_known(&key));
	assert_false(tap_key_active(&key, 0));
	assert_false(tap_key_active(&key, NOW));
	memset(&key, 0, sizeof(key));
	assert_false(tap_key_known(&key));
}

/* Two secrets during a rotation, each with an end of its own. */
static void test_two_secrets(void **state)
{
	struct tap_fields f = { .isn = 1, .sec = NOW, .key_id = 5, .port = 22 };
	struct tap_key key = { .secret = { { { 1, 2 } }, { { 3, 4 } } } };
	int secret, live;
	__u64 tag, got;

	for (secret = 0; secret < 2; secret++)
		for (live = 0; live < 4; live++) {
			key.until[0] = live & 1 ? NOW + 1 : NOW;
			key.until[1] = live & 2 ? NOW + 1 : 0;
			tag = tap_tag(&key.secret[secret], &f);
			got = 0;
			assert_int_equal(tap_key_made(&key, NOW, &f, tag, 0, &got),
					 live >> secret & 1);
			if (live >> secret & 1)
				assert_int_equal(got, tag);
		}
}

static void test_auto(void **state)
{
	struct tap_gate_state s = { 0 };
	unsigned int i;

	assert_false(tap_under_attack(&s, NOW));
	for (i = 0; i < TAP_AUTO_FAILURES; i++)
		tap_note_failure(&s, NOW);
	assert_false(tap_under_attack(&s, NOW));
	tap_note_failure(&s, NOW);
	assert_true(tap_under_attack(&s, NOW));
	assert_true(tap_under_attack(&s, NOW + 1));
	assert_false(tap_under_attack(&s, NOW + 2));
	tap_note_failure(&s, NOW + 1); /* few in this second, many in the one before */
	assert_true(tap_under_attack(&s, NOW + 1));
	assert_false(tap_under_attack(&s, NOW + 2));
	for (i = 0; i < 3; i++)
		tap_note_failure(&s, NOW + 5);
	assert_false(tap_under_attack(&s, NOW + 5));
}

static void test_made_before(void **state)
{
	struct tap_fields f = { .sec = NOW, .frac = 128 };
	__s64 half = NOW * TAP_NS_PER_SEC + TAP_NS_PER_SEC / 2;

	assert_false(tap_made_before(&f, NOW, half));
	assert_true(tap_made_before(&f, NOW, half + TAP_NS_PER_SEC / 256));
	assert_false(tap_made_before(&f, NOW, half - 1));
	assert_false(tap_made_before(&f, NOW, 0));
	f.sec = NOW + 0x70000000;
	f.frac = 255;
	assert_false(tap_made_before(&f, NOW, half));
	/* The seconds' 32 bits begin anew. */
	f.sec = 5;
	assert_false(tap_made_before(&f, 0xfffffff0, 0xfffffff0 * TAP_NS_PER_SEC));
	assert_false(tap_made_before(&f, 0x100000010, 0xfffffff0 * TAP_NS_PER_SEC));
	assert_true(tap_made_before(&f, 0x100000010, 0x100000006 * TAP_NS_PER_SEC));
}

static void test_older_than(void **state)
{
	struct tap_fields f = { .sec = NOW, .frac = 128 };
	__u64 half = NOW * TAP_NS_PER_SEC + TAP_NS_PER_SEC / 2;

	assert_false(tap_older_than(&f, half, 0));
	assert_true(tap_older_than(&f, half, -1));
	assert_true(tap_older_than(&f, half + 10 * TAP_NS_PER_SEC, 10 * TAP_NS_PER_SEC - 1));
	assert_false(tap_older_than(&f, half + 10 * TAP_NS_PER_SEC, 10 * TAP_NS_PER_SEC));
	assert_false(tap_older_than(&f, half - 10 * TAP_NS_PER_SEC, 0));
	assert_true(tap_older_than(&f, half - 10 * TAP_NS_PER_SEC, -1));
	assert_false(tap_older_than(&f, half + 3600 * TAP_NS_PER_SEC, TAP_FOREVER));
}

/* --- Replay: admissions in a row, of which only the last REPLAY_SIZE are sure to be on record --- */

#define REPLAY_SIZE 50
#define ADMISSIONS 200000

static __u64 seconds[TAP_SECONDS];

/*
 * Random groups within the skew, new and replayed. Records are displaced as early as is allowed:
 * exactly REPLAY_SIZE later. No group may be admitted twice; and where the load is light, none
 * that is new may be refused.
 */
static void run_replay(unsigned int skew, unsigned int per_second, bool clock_jumps, bool light)
{
	struct tap_gate_state s = { 0 };
	uint32_t *made = calloc(ADMISSIONS, sizeof(*made)), now = NOW;
	unsigned int refused = 0, tries;
	uint64_t random = skew;

	assert_non_null(made);
	memset(seconds, 0, sizeof(seconds));
	for (tries = 0; tries < ADMISSIONS; tries++) {
		uint64_t r = ref_random(&random);
		uint32_t sec;
		bool again = s.admissions && r % 3 == 0;

		if (r >> 8 & 0xff && tries % per_second == 0)
			now++;
		if (clock_jumps && (r >> 16) % 1000 == 0)
			now += (int)(r >> 40) % 20 - 10;
		if (again)
			sec = made[s.admissions - 1 - (r >> 20) % s.admissions % (4 * REPLAY_SIZE)];
		else
			sec = now - skew + (r >> 20) % (2 * skew + 1);
		if (!tap_within_skew(now, sec, skew))
			continue;
		if (!tap_records_complete(&seconds[sec % TAP_SECONDS], &s, sec, REPLAY_SIZE)) {
			refused += !again;
			continue;
		}
		if (again) {
			/* The gate would look for the record: it must still be there. */
			unsigned int i, age = 0;

			for (i = s.admissions; i-- > 0 && made[i] != sec;)
				age++;
			for (; i < s.admissions && i-- > 0;) /* the oldest one of that second */
				if (made[i] == sec)
					age = s.admissions - 1 - i;
			assert_true(age < REPLAY_SIZE);
		} else {
			made[s.admissions++] = sec;
		}
	}
	if (light)
		assert_int_equal(refused, 0);
	free(made);
}

static void test_replay_window(void **state)
{
	run_replay(30, 1, false, false);
	run_replay(30, 20, false, false);
	run_replay(3, 5, true, false);
	run_replay(2, 3, false, true);
}

/* --- Replay: another CPU in between --- */

#define IN_BETWEEN 4 /* reads and atomic operations that one question has, and one more */

static struct tap_gate_state shared;
static unsigned int until_other; /* steps until the other CPU comes; 0: it does not */

/* Admits a group of another second, and then one of the second in question. */
static void other_cpu(void)
{
	if (!until_other || --until_other)
		return;
	shared.admissions++;
	assert_true(tap_records_complete(&seconds[NOW % TAP_SECONDS], &shared, NOW, REPLAY_SIZE));
	shared.admissions++;
}

/* The slot that another CPU starts may be ahead of a counter that was read before it did. */
static void test_counter_behind_slot(void **state)
{
	unsigned int step;

	for (step = 1; step <= IN_BETWEEN; step++) {
		memset(seconds, 0, sizeof(seconds));
		shared = (struct tap_gate_state){ .admissions = 1000 };
		until_other = step;
		assert_true(tap_records_complete(&seconds[NOW % TAP_SECONDS], &shared, NOW,
						 REPLAY_SIZE));
		assert_true(tap_records_complete(&seconds[NOW % TAP_SECONDS], &shared, NOW,
						 REPLAY_SIZE));
	}
	assert_int_equal(until_other, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_validity),
		cmocka_unit_test(test_two_secrets),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_made_before), cmocka_unit_test(test_older_than),
		cmocka_unit_test(test_replay_window),
		cmocka_unit_test(test_counter_behind_slot),
	};

	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
