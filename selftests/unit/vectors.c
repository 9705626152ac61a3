// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests' own implementation of the protocol against the published vectors. All other tests
 * compare the programs with it, so this one comes first.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
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

		ref_derive_realm(key, "TAP2 veil", realm->realm_key);
		assert_memory_equal(key, realm->k_veil, sizeof(key));
		ref_derive_realm(key, "TAP2 mark", realm->realm_key);
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
		assert_int_equal(wire.extended, vector->wire.extended);
		assert_int_equal(wire.tsecr, vector->wire.tsecr);
	}
}

/* A reader that skipped what it does not know would pass everything. */
static void test_nothing_missing(void **state)
{
	unsigned int i, veiled = 0, extended = 0;

	for (i = 0; i < vectors->n_groups; i++) {
		veiled += vectors->groups[i].group.veiled;
		extended += vectors->groups[i].wire.extended;
	}
	assert_int_equal(vectors->n_realms, 3);
	assert_int_equal(vectors->n_groups, 40);
	assert_int_equal(veiled, 20);
	assert_int_equal(extended, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_realm_keys),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_nothing_missing),
	};

	if (sodium_init() < 0)
		return 1;
	vectors = vectors_load();
	return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
