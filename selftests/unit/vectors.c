// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests' own implementation of the protocol against the published vectors. All other tests
 * compare the programs with it, so this one comes first.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "selftests/common/vectors.h"

static const struct vectors *vectors;

static void test_realm_keys(void **state)
{
	uint8_t key[REF_DERIVED_BYTES];
	unsigned int i;

	for (i = 0; i < vectors->n_realms; i++) {
		const struct vector_realm *realm = &vectors->realms[i];

		ref_derive_realm(key, "TAP3 veil", realm->realm_key);
		assert_memory_equal(key, realm->k_veil, sizeof(key));
		ref_derive_realm(key, "TAP3 mark", realm->realm_key);
		assert_memory_equal(key, realm->k_mark, sizeof(key));
	}
}

static void test_marks(void **state)
{
	uint16_t marks[2048];
	unsigned int i, m, n;

	for (i = 0; i < vectors->n_realms; i++) {
		const struct vector_realm *realm = &vectors->realms[i];

		for (n = 0, m = 0; m < 65536; m++)
			if (ref_is_mark(realm->k_mark, m)) {
				assert_true(n < sizeof(marks) / sizeof(marks[0]));
				marks[n++] = m;
			}
		assert_int_equal(n, realm->marks);
		assert_memory_equal(marks, realm->first, sizeof(realm->first));
		assert_memory_equal(marks + n - VECTOR_MARKS, realm->last, sizeof(realm->last));
	}
}

static void test_groups(void **state)
{
	unsigned int i, j;

	for (i = 0; i < vectors->n_groups; i++) {
		const struct vector_group *vector = &vectors->groups[i];
		uint8_t k_tag[REF_DERIVED_BYTES];
		struct ref_wire wire;

		ref_derive_tag(k_tag, vector->group.user_key, vector->group.realm_key);
		assert_memory_equal(k_tag, vector->k_tag, sizeof(k_tag));
		ref_encode(&vector->group, &wire);
		assert_int_equal(wire.tag, vector->wire.tag);
		for (j = 0; j < 4; j++)
			assert_int_equal(wire.seq[j], vector->wire.seq[j]);
	}
}

/* Every group once more, as its own server reads it, in every order of arrival. */
static void test_groups_decoded(void **state)
{
	unsigned int i, n, j, role[4];

	for (i = 0; i < vectors->n_groups; i++) {
		const struct vector_group *v = &vectors->groups[i];
		struct ref_key key = { .id = v->group.key_id, .n_secrets = 1 };
		struct ref_server server = { .n_realms = 1, .keys = &key, .n_keys = 1,
					     .veiled = v->group.veiled, .now = v->group.sec - 7,
					     .skew = 30, .port = v->group.port };
		struct ref_outcome outcome;
		uint32_t seq[4];

		memcpy(server.realm_key[0], v->group.realm_key, REF_REALM_KEY_BYTES);
		memcpy(server.dst, v->group.dst, REF_ADDRESS_BYTES);
		memcpy(server.src, v->group.src, REF_ADDRESS_BYTES);
		memcpy(key.user_key[0], v->group.user_key, REF_KEY_BYTES);
		for (n = 0; n < REF_PERMUTATIONS; n++) {
			ref_permutation(n, role);
			for (j = 0; j < 4; j++)
				seq[role[j]] = v->wire.seq[j];
			ref_decode(&server, seq, &outcome);
			assert_int_equal(outcome.result, REF_AUTHENTIC);
			assert_int_equal(outcome.syn0, role[0]);
			assert_int_equal(outcome.group.sec, v->group.sec);
			assert_int_equal(outcome.group.frac, v->group.frac);
			assert_int_equal(outcome.group.flags, v->group.flags);
		}
	}
}

static void test_readings(void **state)
{
	unsigned int i;

	for (i = 0; i < vectors->n_readings; i++) {
		const struct vector_reading *v = &vectors->readings[i];
		struct ref_outcome outcome;

		ref_decode(&v->server, v->seq, &outcome);
		if (outcome.result != v->result)
			fail_msg("reading %u, \"%s\": %d, should be %d", i, v->name, outcome.result,
				 v->result);
		if (v->result != REF_AUTHENTIC)
			continue;
		assert_int_equal(outcome.syn0, v->syn0);
		assert_int_equal(outcome.group.key_id, v->key_id);
		assert_int_equal(outcome.group.sec, v->sec);
	}
}

/* The order of sending first, then every other once. */
static void test_permutations(void **state)
{
	bool seen[256] = { false };
	unsigned int n, role[4], number;

	ref_permutation(0, role);
	assert_true(role[1] == 0 && role[2] == 1 && role[3] == 2 && role[0] == 3);
	for (n = 0; n < REF_PERMUTATIONS; n++) {
		ref_permutation(n, role);
		assert_int_equal(1u << role[0] | 1u << role[1] | 1u << role[2] | 1u << role[3], 15);
		number = role[0] << 6 | role[1] << 4 | role[2] << 2 | role[3];
		assert_false(seen[number]);
		seen[number] = true;
	}
}

static void test_addresses(void **state)
{
	uint8_t v4[REF_ADDRESS_BYTES], v6[REF_ADDRESS_BYTES];

	assert_true(ref_address("192.0.2.33", v4) && ref_address("::ffff:192.0.2.33", v6));
	assert_memory_equal(v4, v6, sizeof(v4));
	assert_true(ref_address("64:ff9b::c000:221", v6));
	ref_dialled(v6);
	assert_memory_equal(v4, v6, sizeof(v4));
	assert_true(ref_address("64:ff9b:0:0:0:1:c000:221", v6));
	ref_dialled(v6);
	assert_memory_not_equal(v4, v6, sizeof(v4));
}

/* A reader that skipped what it does not know would pass everything. */
static void test_nothing_missing(void **state)
{
	unsigned int i, veiled = 0, bound = 0, results[REF_AUTHENTIC + 1] = { 0 }, two = 0;

	for (i = 0; i < vectors->n_groups; i++) {
		veiled += vectors->groups[i].group.veiled;
		bound += !!vectors->groups[i].group.flags;
	}
	for (i = 0; i < vectors->n_readings; i++) {
		results[vectors->readings[i].result]++;
		two += vectors->readings[i].server.n_realms == 2;
	}
	assert_int_equal(vectors->n_realms, 3);
	assert_int_equal(vectors->n_groups, 64);
	assert_int_equal(veiled, 32);
	assert_int_equal(bound, 36);
	assert_int_equal(vectors->n_readings, 94);
	assert_int_equal(two, 2);
	assert_true(results[REF_UNREADABLE] && results[REF_VERSION] && results[REF_SKEW] &&
		    results[REF_UNKNOWN_KEY] && results[REF_WRONG_TAG] && results[REF_AUTHENTIC]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_realm_keys),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_permutations),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_groups_decoded),
		cmocka_unit_test(test_readings),
		cmocka_unit_test(test_nothing_missing),
	};

	if (sodium_init() < 0)
		return 1;
	vectors = vectors_load();
	return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
