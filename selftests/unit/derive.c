// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl's key derivation and its new realm secrets, against the published vectors and the reference.
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
#include "user/derive.h"

static const struct vectors *vectors;

static const struct realm_key *realm_of(const uint8_t realm_key[REF_REALM_KEY_BYTES])
{
	return (const struct realm_key *)realm_key;
}

static void same_key(const struct tap_sipkey *got, const uint8_t want[REF_DERIVED_BYTES])
{
	uint8_t bytes[REF_DERIVED_BYTES];

	derive_to_bytes(got, bytes);
	assert_memory_equal(bytes, want, sizeof(bytes));
}

static void test_derived_keys(void **state)
{
	struct tap_sipkey key;
	unsigned int i;

	for (i = 0; i < vectors->n_realms; i++) {
		const struct vector_realm *realm = &vectors->realms[i];

		assert_int_equal(derive_veil(realm_of(realm->realm_key), &key), 0);
		same_key(&key, realm->k_veil);
		assert_int_equal(derive_mark(realm_of(realm->realm_key), &key), 0);
		same_key(&key, realm->k_mark);
	}
	for (i = 0; i < vectors->n_groups; i++) {
		const struct ref_group *group = &vectors->groups[i].group;

		assert_int_equal(derive_tag(group->user_key, group->realm_key, &key), 0);
		same_key(&key, vectors->groups[i].k_tag);
	}
}

static void test_key_bytes(void **state)
{
	uint8_t bytes[REF_DERIVED_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct tap_sipkey key;

	derive_from_bytes(bytes, &key);
	assert_int_equal(key.k[0], 0x0807060504030201);
	assert_int_equal(key.k[1], 0x100f0e0d0c0b0a09);
	same_key(&key, bytes);
}

static void test_marks(void **state)
{
	static __u64 bitmap[65536 / 64];
	struct tap_sipkey key;
	unsigned int i, m, n;

	for (i = 0; i < vectors->n_realms; i++) {
		const struct vector_realm *realm = &vectors->realms[i];

		memset(bitmap, 0xff, sizeof(bitmap));
		assert_int_equal(derive_mark(realm_of(realm->realm_key), &key), 0);
		derive_marks(&key, bitmap);
		for (n = 0, m = 0; m < 65536; m++) {
			bool mark = bitmap[m / 64] >> (m % 64) & 1;

			assert_int_equal(mark, ref_is_mark(realm->k_mark, m));
			n += mark;
		}
		assert_int_equal(n, realm->marks);
		assert_true(bitmap[realm->first[0] / 64] >> (realm->first[0] % 64) & 1);
		assert_true(bitmap[realm->last[7] / 64] >> (realm->last[7] % 64) & 1);
	}
}

/* Of the secret alone: realms[0] and realms[1] have one ID, and so two fingerprints. */
static void test_fingerprint(void **state)
{
	char one[DERIVE_FINGERPRINT_BYTES], other[DERIVE_FINGERPRINT_BYTES];

	assert_memory_equal(vectors->realms[0].realm_key, vectors->realms[1].realm_key,
			    REF_ID_BYTES);
	assert_int_equal(derive_fingerprint(realm_of(vectors->realms[0].realm_key)->secret, one), 0);
	assert_int_equal(derive_fingerprint(realm_of(vectors->realms[1].realm_key)->secret, other),
			 0);
	assert_int_equal(strlen(one), 16);
	assert_string_not_equal(one, other);
}

/* The windows of protocol.md, "Keys". About one secret in four has one of them as a mark. */
static const uint16_t common_windows[] = {
	1024, 2048, 3072, 4096, 5840, 8192, 14600, 16384, 26883, 28960,
	29200, 32120, 42340, 43690, 62727, 64240, 64800, 65160, 65535,
};

/* A new secret: never the same, of the same ID, and no common window is a mark under it. */
static void test_new_secret(void **state)
{
	unsigned int round, i;
	struct realm_key realm, before;
	uint8_t k_mark[REF_DERIVED_BYTES];

	memset(&realm, 7, sizeof(realm));
	for (round = 0; round < 200; round++) {
		before = realm;
		assert_int_equal(derive_new_secret(&realm), 0);
		assert_memory_equal(realm.id, before.id, sizeof(realm.id));
		assert_memory_not_equal(realm.secret, before.secret, sizeof(realm.secret));
		ref_derive_realm(k_mark, "TAP3 mark", (const uint8_t *)&realm);
		for (i = 0; i < sizeof(common_windows) / sizeof(common_windows[0]); i++)
			assert_false(ref_is_mark(k_mark, common_windows[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_derived_keys),
		cmocka_unit_test(test_key_bytes),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_new_secret),
	};

	if (sodium_init() < 0)
		return 1;
	vectors = vectors_load();
	return cmocka_run_group_tests_name("derive", tests, NULL, NULL);
}
