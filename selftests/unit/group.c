// SPDX-License-Identifier: GPL-2.0-only
/*
 * Collecting the segments of a group: every order, duplicates, strangers in the same bucket, what is
 * pushed out, and several CPUs at once, where exactly one must end up with the whole group.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <pthread.h>
#include <sched.h>
#include <cmocka.h>

#include "bpf/candidates.h"
#include "bpf/group.h"
#include "selftests/common/ref.h"

#define GROUP 0x1235
#define ROUNDS 50000

/* tap_pending is a map of zeroes at first. */
static struct tap_bucket bucket __attribute__((aligned(64)));

static void segment_of(struct tap_segment *segment, uint32_t round, unsigned int number)
{
	*segment = (struct tap_segment){
		.seq = round * 16 + number,
		.sport = 50000 + number,
	};
}

/* All four of the round, each with its own port. */
static void assert_group(const struct tap_segment out[4], uint32_t round)
{
	unsigned int seen = 0, i;

	for (i = 0; i < 4; i++) {
		struct tap_segment want;
		unsigned int number = out[i].seq - round * 16;

		assert_in_range(number, 0, 3);
		segment_of(&want, round, number);
		assert_int_equal(out[i].sport, want.sport);
		seen |= 1u << number;
	}
	assert_int_equal(seen, 15);
}

/* As the gate goes about it: TAP_COMPLETE only where the group was really taken. */
static enum tap_collected add_segment(uint16_t group, const struct tap_segment *segment,
				      struct tap_segment out[4])
{
	enum tap_collected collected = tap_collect(&bucket, group, segment);
	struct tap_gathering room;

	if (collected != TAP_COMPLETE)
		return collected;
	return tap_take_group(&bucket, group, &room, out) ? TAP_COMPLETE : TAP_COLLECTING;
}

static enum tap_collected add(uint16_t group, uint32_t round, unsigned int number,
			      struct tap_segment out[4])
{
	struct tap_segment segment;

	segment_of(&segment, round, number);
	return add_segment(group, &segment, out);
}

/* In this order the round's numbers. */
static void assert_arrival(const struct tap_segment out[4], uint32_t round, const uint8_t order[4])
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		assert_int_equal(out[i].seq, round * 16 + order[i]);
}

static void test_all_orders(void **state)
{
	struct tap_segment out[4];
	unsigned int i, round;

	memset(&bucket, 0, sizeof(bucket));
	for (round = 1; round < 100; round++)
		for (i = 0; i < TAP_PERMUTATIONS; i++) {
			const uint8_t *order = tap_permutations[i];

			assert_int_equal(add(GROUP, round, order[0], out), TAP_COLLECTING);
			assert_int_equal(add(GROUP, round, order[1], out), TAP_COLLECTING);
			assert_int_equal(add(GROUP, round, order[2], out), TAP_COLLECTING);
			assert_int_equal(add(GROUP, round, order[3], out), TAP_COMPLETE);
			assert_group(out, round);
			assert_arrival(out, round, order);
		}
}

/*
 * The order of arrival is known wherever in the ring the group begins, so across its end too, and
 * with up to three strangers in between.
 */
static void test_arrival(void **state)
{
	unsigned int start, i, place, strangers, k, round = 1;
	struct tap_segment out[4];

	for (start = 0; start < TAP_BUCKET_SLOTS; start++)
		for (i = 0; i < TAP_PERMUTATIONS; i++)
			for (place = 1; place < 4; place++)
				for (strangers = 0; strangers <= 3; strangers++, round++) {
					const uint8_t *order = tap_permutations[i];

					memset(&bucket, 0, sizeof(bucket));
					for (k = 0; k < start; k++)
						add(2 * k + 101, 500 + k, 0, out);
					assert_int_equal(bucket.cursor & TAP_CURSOR_SLOT, start);
					for (k = 0; k < place; k++)
						add(GROUP, round, order[k], out);
					for (k = 0; k < strangers; k++)
						add(2 * k + 201, 600 + k, 0, out);
					for (k = place; k < 3; k++)
						add(GROUP, round, order[k], out);
					assert_int_equal(add(GROUP, round, order[3], out),
							 TAP_COMPLETE);
					assert_arrival(out, round, order);
				}
}

static void test_duplicates(void **state)
{
	struct tap_segment out[4];
	unsigned int i, j;

	memset(&bucket, 0, sizeof(bucket));
	for (i = 0; i < 3; i++) {
		assert_int_equal(add(GROUP, 1, i, out), TAP_COLLECTING);
		for (j = 0; j <= i; j++)
			assert_int_equal(add(GROUP, 1, j, out), TAP_DUPLICATE);
	}
	assert_int_equal(add(GROUP, 1, 3, out), TAP_COMPLETE);
	assert_group(out, 1);
	assert_int_equal(add(GROUP, 1, 3, out), TAP_COLLECTING);
}

/* The same sequence number from another port is another segment (protocol.md, section 4). */
static void test_same_sequence(void **state)
{
	struct tap_segment out[4], segment = { .seq = 77, .sport = 1 };
	unsigned int i;

	memset(&bucket, 0, sizeof(bucket));
	for (i = 1; i <= 4; i++) {
		segment.sport = i;
		assert_int_equal(add_segment(GROUP, &segment, out),
				 i < 4 ? TAP_COLLECTING : TAP_COMPLETE);
	}
}

/* Zero is a sequence number and a port like any other. */
static void test_zeroes(void **state)
{
	struct tap_segment out[4], segment = { 0 };
	unsigned int i;

	memset(&bucket, 0, sizeof(bucket));
	for (i = 0; i < 4; i++) {
		segment.seq = i;
		assert_int_equal(add_segment(1, &segment, out),
				 i < 3 ? TAP_COLLECTING : TAP_COMPLETE);
		if (i < 3)
			assert_int_equal(add_segment(1, &segment, out), TAP_DUPLICATE);
	}
}

/* A group that is under way survives three strangers in its bucket; another bucket's junk too. */
static void test_strangers(void **state)
{
	struct tap_segment out[4];
	unsigned int strangers, i, round = 1;

	for (strangers = 0; strangers <= 3; strangers++, round++) {
		memset(&bucket, 0, sizeof(bucket));
		for (i = 0; i < 50; i++) /* what is left of others fills the bucket */
			add(2 * i + 101, 500 + i, i % 4, out);
		assert_int_equal(add(GROUP, round, 0, out), TAP_COLLECTING);
		for (i = 0; i < strangers; i++)
			add(2 * i + 201, 600 + i, i % 4, out);
		assert_int_equal(add(GROUP, round, 1, out), TAP_COLLECTING);
		assert_int_equal(add(GROUP, round, 2, out), TAP_COLLECTING);
		assert_int_equal(add(GROUP, round, 3, out), TAP_COMPLETE);
		assert_group(out, round);
	}
}

/* Strangers push the oldest out; then the group does not complete, and the next one does. */
static void test_crowd(void **state)
{
	struct tap_segment out[4];
	unsigned int i;

	memset(&bucket, 0, sizeof(bucket));
	assert_int_equal(add(GROUP, 1, 0, out), TAP_COLLECTING);
	for (i = 0; i < 3 * TAP_BUCKET_SLOTS; i++)
		add(2 * i + 301, 700 + i, 0, out);
	for (i = 1; i < 4; i++)
		assert_int_equal(add(GROUP, 1, i, out), TAP_COLLECTING);
	assert_int_equal(add(GROUP, 1, 0, out), TAP_COMPLETE);
	assert_group(out, 1);
}

/* More than one group under way in a bucket must not mix. */
static void test_two_groups(void **state)
{
	struct tap_segment out[4];
	unsigned int i;

	memset(&bucket, 0, sizeof(bucket));
	for (i = 0; i < 3; i++) {
		assert_int_equal(add(GROUP, 1, i, out), TAP_COLLECTING);
		assert_int_equal(add(GROUP + 2, 2, i, out), TAP_COLLECTING);
	}
	assert_int_equal(add(GROUP, 1, 3, out), TAP_COMPLETE);
	assert_group(out, 1);
	assert_int_equal(add(GROUP + 2, 2, 3, out), TAP_COMPLETE);
	assert_group(out, 2);
}

static uint64_t place_of(const struct tap_place_key *key, const struct tap_packet *p,
			 uint16_t mark, uint32_t tsval, uint32_t epoch)
{
	struct tap_place place = tap_place_group(key, p, mark, tsval, epoch);

	assert_true(place.bucket < TAP_PENDING_BUCKETS && place.group);
	return (uint64_t)place.bucket << 16 | place.group;
}

static void random_key(struct tap_place_key *key, uint64_t *random)
{
	uint64_t *word = (uint64_t *)key;
	size_t i;

	for (i = 0; i < sizeof(*key) / sizeof(*word); i++)
		word[i] = ref_random(random);
}

/* Each single thing that identifies a group changes its place, under (nearly) every key. */
static void test_place(void **state)
{
	const struct tap_packet base = { .src = { 1, 0x01020304ffff0000 },
					 .dst = { 2, 0x05060708ffff0000 },
					 .dport = 443 };
	struct tap_place_key key;
	uint64_t random = 8, place;
	unsigned int i, bit, same = 0;

	for (i = 0; i < 2000; i++) {
		struct tap_packet p = base;

		random_key(&key, &random);
		p.ipv6 = i & 1;
		place = place_of(&key, &p, 5, 7, 9);
		assert_int_equal(place_of(&key, &p, 5, 7, 9), place);
		for (bit = p.ipv6 ? 0 : 96; bit < 128; bit++) {
			((uint8_t *)p.src)[bit / 8] ^= 1 << bit % 8;
			same += place_of(&key, &p, 5, 7, 9) == place;
			((uint8_t *)p.src)[bit / 8] ^= 1 << bit % 8;
			((uint8_t *)p.dst)[bit / 8] ^= 1 << bit % 8;
			same += place_of(&key, &p, 5, 7, 9) == place;
			((uint8_t *)p.dst)[bit / 8] ^= 1 << bit % 8;
		}
		for (bit = 0; bit < 32; bit++) {
			same += place_of(&key, &p, 5, 7 ^ 1u << bit, 9) == place;
			same += place_of(&key, &p, 5, 7, 9 ^ 1u << bit) == place;
		}
		for (bit = 0; bit < 16; bit++) {
			same += place_of(&key, &p, 5 ^ 1u << bit, 7, 9) == place;
			p.dport ^= 1u << bit;
			same += place_of(&key, &p, 5, 7, 9) == place;
			p.dport ^= 1u << bit;
		}
	}
	assert_in_range(same, 0, 2); /* half a million pairs, 2^29 places */
}

/* No more collisions than chance among many groups that differ in little. */
static void test_place_spread(void **state)
{
	static unsigned int load[TAP_PENDING_BUCKETS];
	struct tap_packet p = { .src = { 0, 0x0a000000ffff0000 }, .dport = 443 };
	unsigned int i, most = 0;
	struct tap_place_key key;
	uint64_t random = 9;

	random_key(&key, &random);
	for (i = 0; i < 8 * TAP_PENDING_BUCKETS; i++) {
		p.src[1] = 0xffff0000 | (uint64_t)htonl(0x0a000000 + i / 4) << 32;
		if (++load[tap_place_group(&key, &p, 1024 + i % 4, 0, 0).bucket] > most)
			most = load[tap_place_group(&key, &p, 1024 + i % 4, 0, 0).bucket];
	}
	assert_in_range(most, 9, 40);
}

/* --- Several CPUs --- */

static unsigned int threads, arrived, complete[ROUNDS];
static bool with_duplicates;

/* Spins, so that on a machine with few CPUs the threads still meet within nanoseconds. */
static void meet(unsigned int *meetings)
{
	unsigned int target = ++*meetings * threads, spins = 0;

	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < target)
		if (++spins > 1000)
			sched_yield();
}

static void add_counted(unsigned int round, unsigned int number)
{
	struct tap_segment out[4];

	if (add(GROUP, round, number, out) != TAP_COMPLETE)
		return;
	assert_group(out, round);
	__sync_fetch_and_add(&complete[round], 1);
}

/* Thread N of `threads` has segments N, N + threads, ... */
static void *run_thread(void *argument)
{
	unsigned int first = (uintptr_t)argument, meetings = 0, round, number;

	for (round = 0; round < ROUNDS; round++) {
		meet(&meetings);
		for (number = first; number < 4; number += threads) {
			add_counted(round, number);
			if (with_duplicates)
				add_counted(round, (number + 1) % 4);
		}
		meet(&meetings);
		if (with_duplicates && !first) /* what was left of it */
			memset(&bucket, 0, sizeof(bucket));
	}
	return NULL;
}

static void run_threads(unsigned int n, bool duplicates)
{
	pthread_t ids[4];
	unsigned int i;

	memset(&bucket, 0, sizeof(bucket));
	memset(complete, 0, sizeof(complete));
	with_duplicates = duplicates;
	threads = n;
	arrived = 0;
	for (i = 0; i < n; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, run_thread, (void *)(uintptr_t)i),
				 0);
	for (i = 0; i < n; i++)
		pthread_join(ids[i], NULL);
}

static void test_threads(void **state)
{
	unsigned int n, round;

	for (n = 2; n <= 4; n += 2) {
		run_threads(n, false);
		for (round = 0; round < ROUNDS; round++)
			assert_int_equal(complete[round], 1);
	}
}

/*
 * With each segment twice and at the same instant, a second set of four can come together; it must
 * not be lost either. (Of two that complete, the replay record admits one.)
 */
static void test_threads_duplicates(void **state)
{
	unsigned int n, round;

	for (n = 2; n <= 4; n += 2) {
		run_threads(n, true);
		for (round = 0; round < ROUNDS; round++)
			assert_in_range(complete[round], 1, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_orders),
		cmocka_unit_test(test_arrival),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_same_sequence),
		cmocka_unit_test(test_zeroes),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_two_groups),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_place_spread),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_threads_duplicates),
	};

	return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
