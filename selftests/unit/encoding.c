// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of a group in its sequence numbers, as the splitter writes and the gate reads them:
 * against the published vectors and the reference, both encodings, each field at its limits, the
 * skew's edges, and where the bits of the time wrap.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "bpf/candidates.h"
#include "bpf/encoding.h"
#include "selftests/common/vectors.h"

#define SKEW 30

static const struct vectors *vectors;

static struct tap_sipkey words_of(const uint8_t bytes[REF_DERIVED_BYTES])
{
	struct tap_sipkey key;

	memcpy(key.k, bytes, sizeof(key.k));
	return key;
}

static struct tap_sipkey veil_of(const uint8_t *realm_key)
{
	uint8_t k_veil[REF_DERIVED_BYTES];

	ref_derive_realm(k_veil, "TAP3 veil", realm_key);
	return words_of(k_veil);
}

static void fields_of(const struct ref_group *group, struct tap_fields *f,
		      struct tap_endpoints *ends)
{
	*f = (struct tap_fields){
		.isn = group->isn,
		.sec = group->sec,
		.key_id = group->key_id,
		.frac = group->frac,
		.flags = group->flags,
		.port = group->port,
		.encoding = group->veiled ? TAP_ENCODING_VEILED : TAP_ENCODING_CLASSIC,
	};
	memcpy(ends->dst, group->dst, sizeof(ends->dst));
	memcpy(ends->src, group->src, sizeof(ends->src));
}

/* --- SipHash and tags --- */

static void test_siphash(void **state)
{
	struct tap_sipkey words;
	uint64_t random = 1, message;
	uint8_t key[REF_DERIVED_BYTES];
	int i;

	for (i = 0; i < 100000; i++) {
		words.k[0] = ref_random(&random);
		words.k[1] = ref_random(&random);
		memcpy(key, words.k, sizeof(key));
		message = ref_random(&random);
		assert_int_equal(siphash_8(&words, message), ref_siphash(key, &message, 8));
	}
}

/* 64:ff9b::/96, each bit around it, and all else as it is. */
static void test_dialled_address(void **state)
{
	uint8_t address[REF_ADDRESS_BYTES], want[REF_ADDRESS_BYTES];
	__u64 in[2], out[2];
	unsigned int bit;

	assert_true(ref_address("64:ff9b::c000:221", address));
	for (bit = 0; bit <= 128; bit++) {
		memcpy(in, address, sizeof(in));
		if (bit < 128)
			((uint8_t *)in)[bit / 8] ^= 1 << bit % 8;
		memcpy(want, in, sizeof(want));
		ref_dialled(want);
		tap_dialled_address(in, out);
		assert_memory_equal(out, want, sizeof(want));
		assert_int_equal(!memcmp(in, out, sizeof(in)), bit < 96);
	}
}

/* --- Writing --- */

/* What the splitter would send for this group is what the reference sends. */
static void same_wire(const struct ref_group *group, const struct ref_wire *want)
{
	struct tap_sipkey veil = veil_of(group->realm_key), key;
	uint8_t k_tag[REF_DERIVED_BYTES];
	struct tap_endpoints ends;
	struct tap_fields f;
	uint32_t seq[3];

	ref_derive_tag(k_tag, group->user_key, group->realm_key);
	key = words_of(k_tag);
	fields_of(group, &f, &ends);
	f.tag = tap_tag(&key, &f, &ends);
	assert_int_equal(f.tag, want->tag);
	tap_encode(&f, &veil, seq);
	assert_int_equal(seq[0], want->seq[1]);
	assert_int_equal(seq[1], want->seq[2]);
	assert_int_equal(seq[2], want->seq[3]);
}

static void test_vectors_written(void **state)
{
	unsigned int i;

	for (i = 0; i < vectors->n_groups; i++)
		same_wire(&vectors->groups[i].group, &vectors->groups[i].wire);
}

static void random_group(struct ref_group *group, uint64_t *random)
{
	uint64_t r = ref_random(random);
	unsigned int i;

	group->isn = r;
	group->sec = r >> 32;
	r = ref_random(random);
	group->key_id = r;
	group->port = r >> 16;
	group->veiled = r >> 32 & 1;
	group->frac = (r >> 33) & (group->veiled ? 0xf : 0xff);
	group->flags = r >> 41 & 3;
	for (i = 0; i < REF_ADDRESS_BYTES; i++) {
		group->dst[i] = ref_random(random);
		group->src[i] = ref_random(random);
	}
}

static void test_written_at_random(void **state)
{
	struct ref_group group = vectors->groups[0].group;
	struct ref_wire wire;
	uint64_t random = 7;
	int i;

	for (i = 0; i < 20000; i++) {
		random_group(&group, &random);
		ref_encode(&group, &wire);
		same_wire(&group, &wire);
	}
}

/* A retransmission has the same ISN: nothing of the two groups' fields shows in their difference. */
static void test_retransmission_veiled_anew(void **state)
{
	unsigned int i, n, role, small = 0;
	struct ref_group group = vectors->groups[0].group;
	struct tap_sipkey veil = veil_of(group.realm_key), key = { { 5, 6 } };
	struct tap_endpoints ends;
	struct tap_fields f;
	uint32_t seq[2][3];

	group.veiled = true;
	for (i = 0; i < 1000; i++) {
		group.isn = i * 2654435761u;
		for (n = 0; n < 2; n++) {
			group.sec = 1800000000 + n;
			fields_of(&group, &f, &ends);
			f.tag = tap_tag(&key, &f, &ends);
			tap_encode(&f, &veil, seq[n]);
		}
		for (role = 0; role < 3; role++)
			small += (seq[0][role] ^ seq[1][role]) < 1 << 20;
	}
	assert_in_range(small, 0, 10); /* one in 4096 is by chance */
}

/* --- Reading --- */

/* Reads the four in the given roles. */
static enum tap_reading read_as(bool veiled, struct tap_fields *f, const struct tap_sipkey *veil,
				const uint32_t seq[4], uint32_t now)
{
	uint64_t mask;

	if (!veiled)
		return tap_read_classic(f, seq, now, SKEW);
	mask = tap_veil_mask(veil, seq[0], seq[3]);
	tap_read_veiled(f, mask, seq, now);
	if (tap_veiled_fits(seq[2] ^ mask >> 32, now, SKEW))
		return TAP_READABLE;
	return f->flags & ~TAP_FLAGS_KNOWN ? TAP_NO_READING : TAP_READABLE_SKEWED;
}

static void assert_fields(const struct tap_fields *f, const struct ref_group *group)
{
	assert_int_equal(f->isn, group->isn);
	assert_int_equal(f->sec, group->sec);
	assert_int_equal(f->key_id, group->key_id);
	assert_int_equal(f->frac, group->frac);
	assert_int_equal(f->flags, group->flags);
	assert_int_equal(f->encoding, group->veiled);
}

/* Every bit of the tag that the encoding carries, and no other, decides. */
static void check_tag_bits(const struct tap_fields *f, const struct vector_group *v)
{
	struct tap_sipkey key = words_of(v->k_tag);
	struct tap_endpoints ends;
	struct tap_fields other;
	unsigned int bit;
	uint64_t tag;

	fields_of(&v->group, &other, &ends);
	tag = tap_tag(&key, f, &ends);
	assert_int_equal(tag, v->wire.tag);
	assert_true(tap_tag_matches(f, tag));
	for (bit = 0; bit < 64; bit++)
		assert_int_equal(tap_tag_matches(f, tag ^ 1ull << bit),
				 bit >= (v->group.veiled ? 56 : 30));
}

static void test_vectors_read(void **state)
{
	static const int off[] = { 0, 1, -1, SKEW, -SKEW };
	unsigned int i, j;

	for (i = 0; i < vectors->n_groups; i++)
		for (j = 0; j < sizeof(off) / sizeof(off[0]); j++) {
			const struct vector_group *v = &vectors->groups[i];
			struct tap_sipkey veil = veil_of(v->group.realm_key);
			struct tap_fields f = { .port = v->group.port };

			assert_int_equal(read_as(v->group.veiled, &f, &veil, v->wire.seq,
						 v->group.sec + off[j]),
					 TAP_READABLE);
			assert_fields(&f, &v->group);
			check_tag_bits(&f, v);
		}
}

static void test_skew_edges(void **state)
{
	unsigned int i, j;

	for (i = 0; i < vectors->n_groups; i++) {
		const struct vector_group *v = &vectors->groups[i];
		uint32_t beyond[] = { v->group.sec + SKEW + 1, v->group.sec - SKEW - 1,
				      v->group.sec + 32768, v->group.sec - 32767 };
		struct tap_sipkey veil = veil_of(v->group.realm_key);
		struct tap_fields f;

		for (j = 0; j < 4; j++) {
			assert_int_equal(read_as(v->group.veiled, &f, &veil, v->wire.seq,
						 beyond[j]),
					 TAP_READABLE_SKEWED);
			assert_int_equal(f.sec, v->group.sec);
		}
	}
}

/* tap_veiled_fits() once more, the obvious way. */
static bool fits(uint32_t field2, uint32_t now, uint32_t skew)
{
	int32_t ahead = (int16_t)((field2 >> 16) - now);

	return !(field2 & 0xc) && ahead >= -(int32_t)skew && ahead <= (int32_t)skew;
}

/* Every 16-bit time against times around their wrap, at skews from none to the largest. */
static void test_veiled_fits(void **state)
{
	static const uint32_t nows[] = { 0, 5, 0x7fff, 0x8000, 0xffff, 0x10000, 0x6b39fffd,
					 0x6b3affff, 1800000000, 0x7fffffff, 0xfffffff0 };
	static const uint32_t skews[] = { 0, 1, 30, 3599, 3600 };
	uint64_t random = 11;
	unsigned int n, s;
	uint32_t low;

	for (n = 0; n < sizeof(nows) / sizeof(nows[0]); n++)
		for (s = 0; s < sizeof(skews) / sizeof(skews[0]); s++)
			for (low = 0; low < 65536; low++) {
				uint32_t any = ref_random(&random);
				uint32_t field2 = low << 16 | (any & 0xffff);

				assert_int_equal(tap_veiled_fits(field2, nows[n], skews[s]),
						 fits(field2, nows[n], skews[s]));
				assert_int_equal(tap_veiled_clear(field2), !(field2 & 0xc));
			}
}

/* The value nearest to now whose low bits match (protocol.md, "The four SYNs"). */
static void test_nearest_time(void **state)
{
	uint64_t random = 3;
	int i;

	for (i = 0; i < 100000; i++) {
		uint32_t now = ref_random(&random), low = ref_random(&random);
		uint32_t sec29 = tap_nearest_sec(now, low, 29), sec16 = tap_nearest_sec(now, low, 16);

		assert_int_equal(sec29 & 0x1fffffff, low & 0x1fffffff);
		assert_in_range(sec29 - now + (1u << 28), 0, (1u << 29) - 1);
		assert_int_equal(sec16 & 0xffff, low & 0xffff);
		assert_in_range(sec16 - now + (1u << 15), 0, (1u << 16) - 1);
	}
}

/* Type bits decide in the classic encoding: nothing else may be read as one. */
static void test_classic_type_bits(void **state)
{
	uint32_t now = 1800000000, seq[4] = { 0 };
	struct tap_fields f;
	unsigned int a, b, c;

	for (a = 0; a < 8; a++)
		for (b = 0; b < 8; b++)
			for (c = 0; c < 8; c++) {
				bool good = a == 5 && b == 4 && c >= 6;

				seq[1] = a << 29;
				seq[2] = b << 29 | (now & 0x1fffffff);
				seq[3] = c << 29;
				assert_int_equal(tap_read_classic(&f, seq, now, SKEW),
						 good ? TAP_READABLE : TAP_NO_READING);
			}
}

/*
 * The four of one group, in any order: whatever the ISN looks like, the right permutation must be
 * among those that are read, and no other may carry a right tag. (Where the ISN is the very value of
 * another field, two permutations are the same.)
 */
static void only_right_reading(const struct ref_group *group, uint32_t now)
{
	struct tap_sipkey veil = veil_of(group->realm_key), key;
	unsigned int i, role, authentic = 0;
	uint8_t k_tag[REF_DERIVED_BYTES];
	struct tap_endpoints ends;
	struct ref_wire wire;
	struct tap_fields f;

	ref_encode(group, &wire);
	ref_derive_tag(k_tag, group->user_key, group->realm_key);
	key = words_of(k_tag);
	fields_of(group, &f, &ends);
	for (i = 0; i < TAP_PERMUTATIONS; i++) {
		uint32_t seq[4];

		f = (struct tap_fields){ .port = group->port };
		for (role = 0; role < 4; role++)
			seq[role] = wire.seq[tap_permutations[i][role]];
		if (read_as(group->veiled, &f, &veil, seq, now) != TAP_READABLE)
			continue;
		if (f.key_id != group->key_id || !tap_tag_matches(&f, tap_tag(&key, &f, &ends)))
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

	for (bits = 0; bits < 8; bits++)
		for (i = 0; i < 5 * 1000; i++) {
			uint64_t r = ref_random(&random);

			group.veiled = bits & 1;
			group.flags = bits >> 1;
			group.sec = 1800000000;
			group.frac = (r >> 32) & (group.veiled ? 0xf : 0xff);
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
	group.veiled = false;
	for (i = 1; i <= 2; i++) {
		group.isn = 0;
		ref_encode(&group, &wire);
		group.isn = wire.seq[i];
		only_right_reading(&group, group.sec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash),
		cmocka_unit_test(test_dialled_address),
		cmocka_unit_test(test_vectors_written),
		cmocka_unit_test(test_written_at_random),
		cmocka_unit_test(test_retransmission_veiled_anew),
		cmocka_unit_test(test_vectors_read),
		cmocka_unit_test(test_skew_edges),
		cmocka_unit_test(test_veiled_fits),
		cmocka_unit_test(test_nearest_time),
		cmocka_unit_test(test_classic_type_bits),
		cmocka_unit_test(test_ambiguous_isn),
		cmocka_unit_test(test_isn_equal_to_field),
	};

	if (sodium_init() < 0)
		return 1;
	vectors = vectors_load();
	return cmocka_run_group_tests_name("encoding", tests, NULL, NULL);
}
