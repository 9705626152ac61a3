// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways to read four segments as a group, against the reference: the same readings fit, with the
 * same fields, whatever the order of arrival, and they are tried in the order that the protocol says.
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
#include "selftests/common/vectors.h"

#define ROUNDS 20000

static const struct vectors *vectors;
static struct ref_server server; /* with both secrets of the first realm */
static struct tap_sipkey veil[2];
static uint64_t random_state = 4;

/* Every permutation once, in pairs with the same SYN0 and SYN3, the order of sending first. */
static void test_permutations(void **state)
{
	bool seen[256] = { false };
	unsigned int i, role;

	for (i = 0; i < TAP_PERMUTATIONS; i++) {
		const uint8_t *p = tap_permutations[i];
		unsigned int set = 0, number = 0;

		for (role = 0; role < 4; role++) {
			set |= 1u << p[role];
			number = number << 2 | p[role];
		}
		assert_int_equal(set, 15);
		assert_false(seen[number]);
		seen[number] = true;
		assert_int_equal(p[0], tap_permutations[i ^ 1][0]);
		assert_int_equal(p[3], tap_permutations[i ^ 1][3]);
	}
	assert_true(tap_permutations[0][1] == 0 && tap_permutations[0][2] == 1 &&
		    tap_permutations[0][3] == 2 && tap_permutations[0][0] == 3);
}

/* The four, in order of arrival. */
static void lay(struct tap_candidates *c, const uint32_t seq[4])
{
	unsigned int i;

	memset(c, 0xa5, sizeof(*c)); /* nothing that was not written counts */
	for (i = 0; i < 4; i++) {
		c->segment[i].seq = seq[i];
		c->segment[i].sport = 1000 + i;
	}
}

/* Which permutation of the reference's this one is. */
static unsigned int ref_number(unsigned int permutation)
{
	unsigned int n, i, role[4];

	for (n = 0; n < REF_PERMUTATIONS; n++) {
		ref_permutation(n, role);
		for (i = 0; i < 4 && role[i] == tap_permutations[permutation][i]; i++)
			;
		if (i == 4)
			return n;
	}
	fail();
	return 0;
}

static void same_group(const struct tap_fields *f, const struct ref_group *want)
{
	assert_int_equal(f->isn, want->isn);
	assert_int_equal(f->sec, want->sec);
	assert_int_equal(f->key_id, want->key_id);
	assert_int_equal(f->frac, want->frac);
	assert_int_equal(f->flags, want->flags);
}

/* One reading that fits: so says the reference, and reads the same. Counts it in found[]. */
static void check_candidate(const struct tap_candidates *c, uint32_t permutation, uint32_t secret,
			    const uint32_t seq[4], unsigned int found[2][REF_PERMUTATIONS])
{
	struct ref_group want;
	uint32_t dealt[4];
	struct tap_fields f;
	unsigned int role[4];

	assert_true(permutation < TAP_PERMUTATIONS && secret < 2 && c->secrets >> secret & 1);
	ref_permutation(ref_number(permutation), role);
	assert_int_equal(ref_read(&server, secret, seq, role, &want), REF_UNKNOWN_KEY);
	candidates_deal(c, permutation, dealt);
	tap_read_veiled(&f, candidates_mask(c, permutation, secret), dealt, server.now);
	same_group(&f, &want);
	assert_int_equal(candidates_key_id(c, permutation, secret), want.key_id);
	assert_int_equal(candidates_sport(c, permutation), 1000 + role[0]);
	assert_int_equal(f.tag, (uint64_t)((dealt[2] ^ candidates_mask(c, permutation, secret) >> 32) >>
					   4 & 0xfff) << 44 |
				(uint64_t)((dealt[1] ^ candidates_mask(c, permutation, secret)) & 0xfff)
					<< 32 | dealt[3]);
	found[secret][ref_number(permutation)]++;
}

/* The readings without reserved flags are there as well, whatever their time, in the same order. */
static void check_clear(struct tap_candidates *c, const uint32_t seq[4])
{
	uint32_t permutation, secret, taken, tried, dealt[4];
	struct tap_fields f;

	for (tried = 0; tried < TAP_READINGS; tried++) {
		permutation = tried / 2;
		secret = tried % 2;
		if (!(c->secrets >> secret & 1))
			continue;
		candidates_deal(c, permutation, dealt);
		tap_read_veiled(&f, candidates_mask(c, permutation, secret), dealt, server.now);
		if (f.flags & ~TAP_FLAGS_KNOWN)
			continue;
		assert_true(candidates_take(&c->clear, &permutation, &secret));
		taken = permutation * 2 + secret;
		assert_int_equal(taken, tried);
	}
	assert_false(candidates_take(&c->clear, &permutation, &secret));
}

static void unveil(struct tap_candidates *c, unsigned int secret, bool others)
{
	if (others)
		candidates_unveil_others(c, &veil[secret], secret, server.now, server.skew);
	else
		candidates_unveil_first(c, &veil[secret], secret, server.now, server.skew);
}

/* As the gate goes about it: the first pair, then the others. Returns how many readings fit. */
static unsigned int check_veiled(const uint32_t seq[4], unsigned int secrets)
{
	unsigned int found[2][REF_PERMUTATIONS] = { { 0 } }, n, secret, all = 0, role[4];
	uint32_t permutation, by, before;
	bool others;
	struct tap_candidates c;
	struct ref_group group;

	lay(&c, seq);
	c.secrets = secrets;
	c.fit = c.clear = 0;
	for (others = false;; others = true) {
		for (secret = 0; secret < 2; secret++)
			if (secrets >> secret & 1)
				unveil(&c, secret, others);
		/* The order of arrival comes first, and each reading under every secret before the next. */
		for (before = 0; candidates_take(&c.fit, &permutation, &by); all++) {
			assert_true(2 * permutation + by >= before);
			before = 2 * permutation + by + 1;
			assert_int_equal(permutation >= 2, others);
			check_candidate(&c, permutation, by, seq, found);
		}
		assert_int_equal(c.fit, 0);
		if (others)
			break;
	}
	for (secret = 0; secret < 2; secret++)
		if (secrets >> secret & 1)
			c.clear |= candidates_clear(&c, secret);
	check_clear(&c, seq);
	for (secret = 0; secret < 2; secret++)
		for (n = 0; n < REF_PERMUTATIONS; n++) {
			ref_permutation(n, role);
			assert_int_equal(found[secret][n],
					 secrets >> secret & 1 &&
					 ref_read(&server, secret, seq, role, &group) ==
						 REF_UNKNOWN_KEY);
		}
	return all;
}

/* Noise, some of it the same in two segments or more, at skews where a good deal of it fits. */
static void test_noise(void **state)
{
	static const uint32_t skews[] = { 0, 30, 3600 };
	unsigned int round, i, all = 0;
	uint32_t seq[4];

	for (round = 0; round < ROUNDS; round++) {
		server.skew = skews[round % 3];
		server.now = ref_random(&random_state);
		for (i = 0; i < 4; i++)
			seq[i] = ref_random(&random_state);
		if (round % 7 == 0)
			seq[round % 4] = seq[round / 4 % 4];
		if (round % 70 == 0)
			seq[0] = seq[1] = seq[2] = seq[3];
		all += check_veiled(seq, 1 + round % 3);
	}
	assert_true(all > ROUNDS / 10);
}

/* A group of the realm whose secret is number n; the time at the skew's very edge now and then. */
static void make_group(struct ref_wire *wire, unsigned int n, bool veiled)
{
	struct ref_group group = vectors->groups[0].group;
	uint64_t r = ref_random(&random_state);

	memcpy(group.realm_key, server.realm_key[n], REF_REALM_KEY_BYTES);
	group.veiled = veiled;
	group.isn = r;
	group.frac = r >> 32 & 0xf;
	group.flags = r >> 40 & 3;
	group.sec = server.now + (r & 1 ? server.skew : -server.skew);
	ref_encode(&group, wire);
}

/* Real groups, in every order, under either secret, where one or both are taken. */
static void test_groups(void **state)
{
	unsigned int round, n, i, role[4], secrets;
	struct ref_wire wire;
	uint32_t seq[4];

	server.skew = 30;
	for (round = 0; round < 1000; round++)
		for (n = 0; n < REF_PERMUTATIONS; n++) {
			server.now = ref_random(&random_state);
			make_group(&wire, round & 1, true);
			ref_permutation(n, role);
			for (i = 0; i < 4; i++)
				seq[role[i]] = wire.seq[i];
			secrets = round & 2 ? 3 : 1 << (round & 1);
			assert_true(check_veiled(seq, secrets) >= 1);
		}
}

/* Segments of two groups dealt together; fields of one group in another's place. */
static void test_mixes(void **state)
{
	struct ref_wire one, other;
	unsigned int round, i;
	uint32_t seq[4];

	server.skew = 3600;
	for (round = 0; round < ROUNDS; round++) {
		server.now = ref_random(&random_state);
		make_group(&one, round & 1, true);
		make_group(&other, round >> 1 & 1, true);
		for (i = 0; i < 4; i++)
			seq[i] = (ref_random(&random_state) & 1 ? one : other).seq[(i + round) % 4];
		check_veiled(seq, 1 + round % 3);
	}
}

/* Classic: all that have the right type bits are read, and nothing else. */
static unsigned int check_classic(const uint32_t seq[4])
{
	static const enum tap_reading readings[] = {
		[REF_UNREADABLE] = TAP_NO_READING, [REF_SKEW] = TAP_READABLE_SKEWED,
		[REF_UNKNOWN_KEY] = TAP_READABLE,
	};
	unsigned int i, role[4], all = 0;
	struct tap_candidates c;
	struct ref_group want;
	enum ref_result result;
	enum tap_reading got;
	struct tap_fields f;
	uint32_t dealt[4];

	lay(&c, seq);
	for (i = 0; i < TAP_PERMUTATIONS; i++) {
		ref_permutation(ref_number(i), role);
		result = ref_read(&server, 0, seq, role, &want);
		candidates_deal(&c, i, dealt);
		got = tap_read_classic(&f, dealt, server.now, server.skew);
		if (got == TAP_NO_READING) {
			assert_int_equal(result, REF_UNREADABLE);
			continue;
		}
		assert_int_equal(result == REF_VERSION, !!(f.flags & ~TAP_FLAGS_KNOWN));
		if (result != REF_VERSION)
			assert_int_equal(got, readings[result]);
		same_group(&f, &want);
		all++;
	}
	return all;
}

static void test_classic(void **state)
{
	static const uint32_t types[] = { 5, 4, 6, 7, 5, 4, 0, 1 };
	unsigned int round, i, all = 0;
	struct ref_wire wire;
	uint32_t seq[4];

	server.veiled = false;
	for (round = 0; round < ROUNDS; round++) {
		server.skew = round % 2 ? 3600 : 30;
		server.now = ref_random(&random_state);
		make_group(&wire, 0, false);
		for (i = 0; i < 4; i++) {
			uint64_t r = ref_random(&random_state);

			seq[i] = r & 1 ? wire.seq[(i + round) % 4] :
					 types[r >> 1 & 7] << 29 | (r >> 32 & 0x1fffffff);
		}
		all += check_classic(seq);
	}
	server.veiled = true;
	assert_true(all > ROUNDS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_permutations),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_mixes),
		cmocka_unit_test(test_classic),
	};
	uint8_t key[REF_DERIVED_BYTES];
	unsigned int i;

	if (sodium_init() < 0)
		return 1;
	vectors = vectors_load();
	server = (struct ref_server){ .n_realms = 2, .veiled = true };
	for (i = 0; i < 2; i++) {
		memcpy(server.realm_key[i], vectors->realms[i].realm_key, REF_REALM_KEY_BYTES);
		ref_derive_realm(key, "TAP3 veil", server.realm_key[i]);
		memcpy(veil[i].k, key, sizeof(key));
	}
	return cmocka_run_group_tests_name("candidates", tests, NULL, NULL);
}
