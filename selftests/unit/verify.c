// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a readable group has to pass: validity of keys, tags and how many of them are computed, the
 * key's rate, and the rule that refuses groups whose replay records may be gone, against a model that
 * remembers everything.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
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

/* What a group of this key carries of its tag. */
static __u64 carry(struct tap_fields *f, const struct tap_sipkey *secret,
		   const struct tap_endpoints *ends)
{
	__u64 tag = tap_tag(secret, f, ends);

	f->tag = tag & tap_tag_bits(f->encoding);
	return tag;
}

/* Two secrets during a rotation, each with an end of its own. */
static void test_two_secrets(void **state)
{
	struct tap_key key = { .secret = { { { 1, 2 } }, { { 3, 4 } } } };
	struct tap_endpoints ends = { .dst = { 5, 6 }, .src = { 7, 8 } };
	int secret, live, encoding;
	__u64 tag, got;

	for (encoding = 0; encoding < 2; encoding++)
		for (secret = 0; secret < 2; secret++)
			for (live = 0; live < 4; live++) {
				struct tap_fields f = { .isn = 1, .sec = NOW, .key_id = 5,
							.port = 22, .encoding = encoding,
							.flags = live };
				__u8 tags = 0;

				key.until[0] = live & 1 ? NOW + 1 : NOW;
				key.until[1] = live & 2 ? NOW + 1 : 0;
				tag = carry(&f, &key.secret[secret], &ends);
				got = 0;
				assert_int_equal(tap_key_made(&key, NOW, &f, &ends, &tags, &got),
						 live >> secret & 1 ? TAP_TAG_RIGHT :
								      TAP_TAG_WRONG);
				if (live >> secret & 1)
					assert_int_equal(got, tag);
				/* A right one ends it; one that is over costs none. */
				assert_int_equal(tags, (live & 1) + (secret || !(live & 1) ?
									     live >> 1 & 1 : 0));
			}
}

/* The fifth tag of a group is not computed, whichever secret of a key it is. */
static void test_four_tags(void **state)
{
	struct tap_key key = { .secret = { { { 1, 2 } }, { { 3, 4 } } },
			       .until = { TAP_FOREVER, TAP_FOREVER } };
	struct tap_fields f = { .isn = 1, .sec = NOW, .key_id = 5, .encoding = TAP_ENCODING_VEILED };
	struct tap_endpoints ends = { { 0, 0 }, { 0, 0 } };
	__u8 before, tags;
	int secret;
	__u64 got;

	for (secret = 0; secret < 2; secret++)
		for (before = 0; before <= 6; before++) {
			carry(&f, &key.secret[secret], &ends);
			tags = before;
			assert_int_equal(tap_key_made(&key, NOW, &f, &ends, &tags, &got),
					 before + secret < 4 ? TAP_TAG_RIGHT : TAP_TAG_LIMIT);
			assert_int_equal(tags, before >= 4 ? before :
					       before + secret + 1 > 4 ? 4 : before + secret + 1);
		}
	/* One whose second secret is over asks for one only. */
	key.until[1] = NOW;
	f.tag ^= 1;
	tags = 3;
	assert_int_equal(tap_key_made(&key, NOW, &f, &ends, &tags, &got), TAP_TAG_WRONG);
	assert_int_equal(tags, 4);
	assert_int_equal(tap_key_made(&key, NOW, &f, &ends, &tags, &got), TAP_TAG_LIMIT);
}

/* --- Rate --- */

static void test_rate(void **state)
{
	struct tap_key_use use = { 0 };
	unsigned int i;

	assert_int_equal(tap_rate_used(&use, NOW), 0);
	for (i = 1; i <= 1000; i++) {
		tap_rate_count(&use, NOW);
		assert_int_equal(tap_rate_used(&use, NOW), i);
	}
	assert_int_equal(tap_rate_used(&use, NOW + 1), 0);
	assert_int_equal(tap_rate_used(&use, NOW - 1), 1000); /* by a clock that was read before */
	assert_int_equal(tap_rate_used(&use, NOW - 2), 0);
	assert_int_equal(tap_rate_used(&use, NOW), 1000); /* to ask changes nothing */
	tap_rate_count(&use, NOW + 1);
	assert_int_equal(tap_rate_used(&use, NOW + 1), 1);
	assert_int_equal(tap_rate_used(&use, NOW), 1);
	/* The clock is set back, and the seconds' 32 bits begin anew. */
	tap_rate_count(&use, NOW - 100);
	assert_int_equal(tap_rate_used(&use, NOW - 100), 1);
	tap_rate_count(&use, 0xffffffff);
	tap_rate_count(&use, 0);
	assert_int_equal(tap_rate_used(&use, 0), 1);
}

/* A CPU that was held up past the end of the second gives the key no new one. */
static void test_rate_straggler(void **state)
{
	struct tap_key_use use = { 0 };

	tap_rate_count(&use, NOW);
	tap_rate_count(&use, NOW + 1);
	tap_rate_count(&use, NOW + 1);
	tap_rate_count(&use, NOW);
	assert_int_equal(tap_rate_used(&use, NOW + 1), 3);
	assert_int_equal(tap_rate_used(&use, NOW), 3);
}

static void test_default_rate(void **state)
{
	assert_int_equal(tap_default_rate(131072, 30), 528);
	assert_int_equal(tap_default_rate(131072, 3600), 4);
	assert_int_equal(tap_default_rate(1000, 3600), 1);
	assert_int_equal(tap_default_rate(16777216, 0), 2097152);
}

#define RATE_ROUNDS 50000

static struct tap_key_use counted;
static unsigned int arrived;

static void meet(unsigned int *meetings)
{
	unsigned int target = ++*meetings * 2, spins = 0;

	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < target)
		if (++spins > 1000)
			sched_yield();
}

/* Each round is a second of its own, which both begin at once. */
static void *count_rates(void *argument)
{
	unsigned int meetings = 0, round;

	for (round = 0; round < RATE_ROUNDS; round++) {
		meet(&meetings);
		tap_rate_count(&counted, NOW + round);
		tap_rate_count(&counted, NOW + round);
		meet(&meetings);
		if (argument && tap_rate_used(&counted, NOW + round) != 4)
			*(unsigned int *)argument += 1;
	}
	return NULL;
}

/* Two CPUs: none of their admissions gets lost, in the second's first instant either. */
static void test_rate_of_two(void **state)
{
	unsigned int wrong = 0;
	pthread_t other;

	assert_int_equal(pthread_create(&other, NULL, count_rates, NULL), 0);
	count_rates(&wrong);
	pthread_join(other, NULL);
	assert_int_equal(wrong, 0);
}

/* --- The start of the records --- */

/* Half a second: 128 of 256 in the classic encoding, 8 of 16 in the veiled one. */
static struct tap_fields half_past(uint32_t sec, bool veiled)
{
	return (struct tap_fields){ .sec = sec, .frac = veiled ? 8 : 128,
				    .encoding = veiled ? TAP_ENCODING_VEILED : TAP_ENCODING_CLASSIC };
}

static void test_fractions(void **state)
{
	struct tap_fields f = { .encoding = TAP_ENCODING_CLASSIC };
	unsigned int frac;

	for (frac = 0; frac < 256; frac++) {
		f.frac = frac;
		assert_int_equal(tap_frac_256(&f), frac);
	}
	f.encoding = TAP_ENCODING_VEILED;
	for (frac = 0; frac < 16; frac++) {
		f.frac = frac;
		assert_int_equal(tap_frac_256(&f), 16 * frac);
	}
}

static void test_made_before(void **state)
{
	__s64 half = NOW * TAP_NS_PER_SEC + TAP_NS_PER_SEC / 2;
	struct tap_fields f;
	int veiled;

	for (veiled = 0; veiled < 2; veiled++) {
		f = half_past(NOW, veiled);
		assert_false(tap_made_before(&f, NOW, half));
		assert_true(tap_made_before(&f, NOW, half + TAP_NS_PER_SEC / 256));
		assert_false(tap_made_before(&f, NOW, half - 1));
		assert_false(tap_made_before(&f, NOW, 0));
		/* One step less of its own fraction. */
		f.frac--;
		assert_true(tap_made_before(&f, NOW, half));
		assert_false(tap_made_before(&f, NOW,
					     half - TAP_NS_PER_SEC / (veiled ? 16 : 256)));
		f.sec = NOW + 0x70000000;
		f.frac = veiled ? 15 : 255;
		assert_false(tap_made_before(&f, NOW, half));
		/* The seconds' 32 bits begin anew. */
		f.sec = 5;
		assert_false(tap_made_before(&f, 0xfffffff0, 0xfffffff0 * TAP_NS_PER_SEC));
		assert_false(tap_made_before(&f, 0x100000010, 0xfffffff0 * TAP_NS_PER_SEC));
		assert_true(tap_made_before(&f, 0x100000010, 0x100000006 * TAP_NS_PER_SEC));
	}
}

static void test_older_than(void **state)
{
	__u64 half = NOW * TAP_NS_PER_SEC + TAP_NS_PER_SEC / 2;
	struct tap_fields f;
	int veiled;

	for (veiled = 0; veiled < 2; veiled++) {
		f = half_past(NOW, veiled);
		assert_false(tap_older_than(&f, half, 0));
		assert_true(tap_older_than(&f, half, -1));
		assert_true(tap_older_than(&f, half + 10 * TAP_NS_PER_SEC,
					   10 * TAP_NS_PER_SEC - 1));
		assert_false(tap_older_than(&f, half + 10 * TAP_NS_PER_SEC, 10 * TAP_NS_PER_SEC));
		assert_false(tap_older_than(&f, half - 10 * TAP_NS_PER_SEC, 0));
		assert_true(tap_older_than(&f, half - 10 * TAP_NS_PER_SEC, -1));
		assert_false(tap_older_than(&f, half + 3600 * TAP_NS_PER_SEC, TAP_FOREVER));
		f.frac--;
		assert_true(tap_older_than(&f, half, 0));
		assert_false(tap_older_than(&f, half, TAP_NS_PER_SEC / (veiled ? 16 : 256)));
	}
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

static struct tap_gate_state gate_counts;
static unsigned int until_other; /* steps until the other CPU comes; 0: it does not */

/* Admits a group of another second, and then one of the second in question. */
static void other_cpu(void)
{
	if (!until_other || --until_other)
		return;
	gate_counts.admissions++;
	assert_true(tap_records_complete(&seconds[NOW % TAP_SECONDS], &gate_counts, NOW, REPLAY_SIZE));
	gate_counts.admissions++;
}

/* The slot that another CPU starts may be ahead of a counter that was read before it did. */
static void test_counter_behind_slot(void **state)
{
	unsigned int step;

	for (step = 1; step <= IN_BETWEEN; step++) {
		memset(seconds, 0, sizeof(seconds));
		gate_counts = (struct tap_gate_state){ .admissions = 1000 };
		until_other = step;
		assert_true(tap_records_complete(&seconds[NOW % TAP_SECONDS], &gate_counts, NOW,
						 REPLAY_SIZE));
		assert_true(tap_records_complete(&seconds[NOW % TAP_SECONDS], &gate_counts, NOW,
						 REPLAY_SIZE));
	}
	assert_int_equal(until_other, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_validity),
		cmocka_unit_test(test_two_secrets),
		cmocka_unit_test(test_four_tags),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_rate_straggler),
		cmocka_unit_test(test_default_rate),
		cmocka_unit_test(test_rate_of_two),
		cmocka_unit_test(test_fractions),
		cmocka_unit_test(test_made_before),
		cmocka_unit_test(test_older_than),
		cmocka_unit_test(test_replay_window),
		cmocka_unit_test(test_counter_behind_slot),
	};

	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
