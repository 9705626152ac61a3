// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a group's fields back: each frame, each field at its limits, the skew's edges, the classic
 * frame's 29 bits of time, and initial sequence numbers that look like another field.
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
#include "bpf/verify.h"
#include "selftests/common/vectors.h"

#define SKEW 30

static const struct vectors *vectors;

static struct tap_sipkey words_of(const uint8_t bytes[REF_DERIVED_BYTES])
{
	struct tap_sipkey key;

	memcpy(key.k, bytes, sizeof(key.k));
	return key;
}

/* Reads the four in the given roles, in the frame given. */
static enum tap_reading read_as(bool veiled, struct tap_fields *f, const uint8_t *realm_key,
				const uint32_t seq[4], uint32_t now)
{
	uint8_t k_veil[REF_DERIVED_BYTES];
	struct tap_sipkey veil;

	f->isn = seq[0];
	if (!veiled)
		return tap_read_classic(f, seq[1], seq[2], seq[3], now, SKEW);
	ref_derive_realm(k_veil, "TAP2 veil", realm_key);
	veil = words_of(k_veil);
	return tap_read_veiled(f, tap_veil_mask(&veil, seq[0]), seq[1], seq[2], now, SKEW);
}

static void assert_fields(const struct tap_fields *f, const struct ref_group *group)
{
	assert_int_equal(f->isn, group->isn);
	assert_int_equal(f->sec, group->sec);
	assert_int_equal(f->key_id, group->key_id);
	assert_int_equal(f->frac, group->frac);
	assert_int_equal(f->flags, group->flags);
	assert_int_equal(f->frame, group->veiled);
}

static void test_vectors(void **state)
{
	static const int off[] = { 0, 1, -1, SKEW, -SKEW };
	struct tap_sipkey key;
	struct tap_fields f;
	unsigned int i, j;

	for (i = 0; i < vectors->n_groups; i++)
		for (j = 0; j < sizeof(off) / sizeof(off[0]); j++) {
			const struct vector_group *v = &vectors->groups[i];

			memset(&f, 0, sizeof(f));
			f.port = v->group.port;
			assert_int_equal(read_as(v->group.veiled, &f, v->group.realm_key,
						 v->wire.seq, v->group.sec + off[j]),
					 TAP_READABLE);
			assert_fields(&f, &v->group);
			key = words_of(v->k_tag);
			assert_true(tap_tag_matches(&f, v->wire.seq[3], v->wire.tsecr,
						    tap_tag(&key, &f)));
			assert_false(tap_tag_matches(&f, v->wire.seq[3] ^ 1, v->wire.tsecr,
						     tap_tag(&key, &f)));
			assert_int_equal(tap_tag_matches(&f, v->wire.seq[3], v->wire.tsecr ^ 1,
							 tap_tag(&key, &f)),
					 !v->wire.extended);
		}
}

static void test_skew_edges(void **state)
{
	unsigned int i;
	struct tap_fields f;

	for (i = 0; i < vectors->n_groups; i++) {
		const struct vector_group *v = &vectors->groups[i];
		uint32_t beyond[] = { v->group.sec + SKEW + 1, v->group.sec - SKEW - 1,
				      v->group.sec + 86400, v->group.sec - 86400 };
		unsigned int j;

		for (j = 0; j < 4; j++) {
			assert_int_equal(read_as(v->group.veiled, &f, v->group.realm_key,
						 v->wire.seq, beyond[j]),
					 TAP_READABLE_SKEWED);
			assert_int_equal(f.sec, v->group.sec);
		}
	}
}

/* The value nearest to now whose low 29 bits match (protocol.md, section 3). */
static void test_classic_time(void **state)
{
	struct tap_fields f = { 0 };
	uint64_t random = 3;
	int i;

	for (i = 0; i < 100000; i++) {
		uint32_t now = ref_random(&random), low = ref_random(&random) & 0x1fffffff;
		int32_t ahead;

		tap_read_classic(&f, 5u << 29, 4u << 29 | low, 3u << 30, now, SKEW);
		assert_int_equal(f.sec & 0x1fffffff, low);
		ahead = f.sec - now;
		assert_in_range(ahead + (1 << 28), 0, 1 << 29);
	}
}

/* Type bits decide in the classic frame: nothing else may be read as one. */
static void test_classic_type_bits(void **state)
{
	struct tap_fields f;
	uint32_t now = 1800000000;
	unsigned int a, b, c;

	for (a = 0; a < 8; a++)
		for (b = 0; b < 8; b++)
			for (c = 0; c < 8; c++) {
				bool good = a == 5 && b == 4 && c >= 6;

				assert_int_equal(tap_read_classic(&f, a << 29,
								  b << 29 | (now & 0x1fffffff),
								  c << 29, now, SKEW),
						 good ? TAP_READABLE : TAP_NO_READING);
			}
}

/*
 * The four of one group, in any order: whatever the ISN looks like, the right arrangement must be
 * among those that are read, and no other may carry a right tag. (Where the ISN is the very value of
 * another field, two arrangements are the same.)
 */
static void only_right_reading(const struct ref_group *group, uint32_t now)
{
	unsigned int i, authentic = 0;
	uint8_t k_tag[REF_DERIVED_BYTES];
	struct tap_sipkey key;
	struct ref_wire wire;

	ref_encode(group, &wire);
	ref_derive_tag(k_tag, group->user_key, group->realm_key);
	key = words_of(k_tag);
	for (i = 0; i < TAP_ARRANGEMENTS; i++) {
		struct tap_fields f = { .port = group->port };
		uint32_t seq[4];
		int role;

		for (role = 0; role < 4; role++)
			seq[role] = wire.seq[tap_arrangements[i][role]];
		if (read_as(group->veiled, &f, group->realm_key, seq, now) != TAP_READABLE)
			continue;
		if (f.key_id != group->key_id ||
		    !tap_tag_matches(&f, seq[3], wire.tsecr, tap_tag(&key, &f)))
			continue;
		authentic++;
		assert_fields(&f, group);
	}
	assert_int_equal(authentic, wire.seq[1] == group->isn || wire.seq[2] == group->isn ? 2 : 1);
}

static void test_ambiguous_isn(void **state)
{
	static const uint32_t types[] = { 0x00000000, 0x80000000, 0xa0000000, 0xc0000000,
					  0xe0000000 };
	struct ref_group group = vectors->groups[0].group;
	uint64_t random = 5;
	unsigned int i, bits;

	for (bits = 0; bits < 4; bits++)
		for (i = 0; i < 5 * 2000; i++) {
			uint64_t r = ref_random(&random);

			group.veiled = bits & 1;
			group.flags = bits >> 1;
			group.sec = 1800000000;
			group.frac = r >> 32;
			group.isn = types[i % 5] | (r & 0x1fffffff);
			if (types[i % 5] == 0x80000000 && i % 2) /* a field 2 of about now */
				group.isn = 4u << 29 | ((group.sec + i % 30) & 0x1fffffff);
			if (types[i % 5] == 0xa0000000 && i % 2) /* a field 1 of the same key */
				group.isn = 5u << 29 | (r & 0x1ff0000) | group.key_id;
			only_right_reading(&group, group.sec + 3);
		}
}

/* ISNs that are the very value of another of the group's fields, as a classic client may draw. */
static void test_isn_equal_to_field(void **state)
{
	struct ref_group group = vectors->groups[0].group;
	struct ref_wire wire;
	int i;

	group.sec = 1800000000;
	for (i = 1; i <= 2; i++) {
		group.isn = 0;
		ref_encode(&group, &wire);
		group.isn = wire.seq[i];
		only_right_reading(&group, group.sec);
	}
}

static void test_arrangements(void **state)
{
	bool seen[256] = { false };
	unsigned int i, role;

	for (i = 0; i < TAP_ARRANGEMENTS; i++) {
		unsigned int set = 0, number = 0;

		for (role = 0; role < 4; role++) {
			set |= 1u << tap_arrangements[i][role];
			number = number << 2 | tap_arrangements[i][role];
		}
		assert_int_equal(set, 15);
		assert_false(seen[number]);
		seen[number] = true;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_skew_edges),
		cmocka_unit_test(test_classic_time),
		cmocka_unit_test(test_classic_type_bits),
		cmocka_unit_test(test_ambiguous_isn),
		cmocka_unit_test(test_isn_equal_to_field),
		cmocka_unit_test(test_arrangements),
	};

	if (sodium_init() < 0)
		return 1;
	vectors = vectors_load();
	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
