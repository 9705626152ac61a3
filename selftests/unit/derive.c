// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl's key derivation, and the SipHash and tags of the programs in the kernel, against the
 * published vectors and libsodium.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "bpf/frame.h"
#include "bpf/siphash.h"
#include "selftests/common/vectors.h"
#include "user/derive.h"

static const struct vectors *vectors;

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

		assert_int_equal(derive_veil(realm->realm_key, &key), 0);
		same_key(&key, realm->k_veil);
		assert_int_equal(derive_mark(realm->realm_key, &key), 0);
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
		assert_int_equal(derive_mark(realm->realm_key, &key), 0);
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

static void test_fingerprint(void **state)
{
	char one[DERIVE_FINGERPRINT_BYTES], other[DERIVE_FINGERPRINT_BYTES];

	assert_int_equal(derive_fingerprint(vectors->realms[0].realm_key, one), 0);
	assert_int_equal(derive_fingerprint(vectors->realms[1].realm_key, other), 0);
	assert_int_equal(strlen(one), 16);
	assert_string_not_equal(one, other);
}

static void test_siphash_oracle(void **state)
{
	uint64_t random = 1, message[2];
	uint8_t key[REF_DERIVED_BYTES], be32[4];
	struct tap_sipkey words;
	uint32_t value;
	int i;

	for (i = 0; i < 100000; i++) {
		words.k[0] = ref_random(&random);
		words.k[1] = ref_random(&random);
		derive_to_bytes(&words, key);
		message[0] = ref_random(&random);
		message[1] = ref_random(&random);
		assert_int_equal(siphash_16(&words, message[0], message[1]),
				 ref_siphash(key, message, sizeof(message)));
		value = ref_random(&random);
		be32[0] = value >> 24;
		be32[1] = value >> 16;
		be32[2] = value >> 8;
		be32[3] = value;
		assert_int_equal(siphash_be32(&words, value), ref_siphash(key, be32, 4));
	}
}

static void fields_of(const struct ref_group *group, struct tap_fields *f)
{
	*f = (struct tap_fields){
		.isn = group->isn,
		.sec = group->sec,
		.key_id = group->key_id,
		.frac = group->frac,
		.flags = group->flags,
		.port = group->port,
		.frame = group->veiled ? TAP_FRAME_VEILED : TAP_FRAME_CLASSIC,
	};
}

/* What the splitter would send for this group is what the reference sends. */
static void same_wire(const struct ref_group *group, const struct ref_wire *want)
{
	struct tap_sipkey key, veil;
	struct tap_fields f;
	uint32_t seq[3];
	uint64_t tag;

	assert_int_equal(derive_tag(group->user_key, group->realm_key, &key), 0);
	assert_int_equal(derive_veil(group->realm_key, &veil), 0);
	fields_of(group, &f);
	tag = tap_tag(&key, &f);
	assert_int_equal(tag, want->tag);
	assert_int_equal(tap_tag_extension(tag), want->tag >> 32);
	tap_frame_write(&f, tap_veil_mask(&veil, f.isn), tag, seq);
	assert_int_equal(seq[0], want->seq[1]);
	assert_int_equal(seq[1], want->seq[2]);
	assert_int_equal(seq[2], want->seq[3]);
}

static void test_frames_of_vectors(void **state)
{
	unsigned int i;

	for (i = 0; i < vectors->n_groups; i++)
		same_wire(&vectors->groups[i].group, &vectors->groups[i].wire);
}

static void test_frames_at_random(void **state)
{
	struct ref_group group = vectors->groups[0].group;
	struct ref_wire wire;
	uint64_t random = 7;
	int i;

	for (i = 0; i < 20000; i++) {
		uint64_t r = ref_random(&random);

		group.isn = r;
		group.sec = r >> 32;
		r = ref_random(&random);
		group.key_id = r;
		group.frac = r >> 16;
		group.port = r >> 24;
		group.veiled = r >> 40 & 1;
		group.flags = (r >> 48) & (group.veiled ? 0xff : 0x1f);
		ref_encode(&group, &wire);
		same_wire(&group, &wire);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_derived_keys),
		cmocka_unit_test(test_key_bytes),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_siphash_oracle),
		cmocka_unit_test(test_frames_of_vectors),
		cmocka_unit_test(test_frames_at_random),
	};

	if (sodium_init() < 0)
		return 1;
	vectors = vectors_load();
	return cmocka_run_group_tests_name("derive", tests, NULL, NULL);
}
