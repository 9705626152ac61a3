// SPDX-License-Identifier: GPL-2.0-only
/*
 * What segments that were left behind do to later groups from the same address, without timestamps:
 * the whole gate, as it runs on the host, with a clock that the test moves. One client makes 400
 * connections a second for a minute, and one in a hundred of its segments gets lost; with as many as
 * that, three segments wait for a fourth of nearly every mark, unless the epoch makes them another
 * group's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "bpf/group.h"
#include "selftests/common/packet.h"
#include "selftests/fuzz/host_gate.h"

#define NOW 1800000000ULL
#define NS_PER_S 1000000000ULL
#define PORT 443
#define KEY 9
#define GROUPS 24000
#define BLOCK 4000
#define BLOCKS (GROUPS / BLOCK)
#define EACH_NS (NS_PER_S / 400)
#define LOST_OF 100 /* one of so many segments gets lost */
#define MARKS_MAX 1536

static const uint8_t realm_key[REF_REALM_KEY_BYTES] = "the realm of a client who loses";
static const uint8_t user_key[REF_KEY_BYTES] = "the key of a client who loses";
static uint16_t marks[MARKS_MAX];
static unsigned int n_marks;
static struct tap_gate_constants constants;
static uint64_t random_state;

static void sipkey(struct tap_sipkey *key, const uint8_t bytes[REF_DERIVED_BYTES])
{
	memcpy(key->k, bytes, sizeof(key->k));
}

static void fill_constants(void)
{
	uint8_t key[REF_DERIVED_BYTES];
	unsigned int m, i;

	ref_derive_realm(key, "TAP3 veil", realm_key);
	sipkey(&constants.veil[0], key);
	ref_derive_realm(key, "TAP3 mark", realm_key);
	for (m = 0; m < 65536; m++)
		if (ref_is_mark(key, m)) {
			constants.marks[m / 64] |= 1ULL << (m % 64);
			constants.marks_of[0][m / 64] |= 1ULL << (m % 64);
			marks[n_marks++] = m;
		}
	for (i = 0; i < TAP_PLACE_WORDS; i++)
		constants.place.k[i] = ref_random(&random_state);
	constants.place.start = ref_random(&random_state);
	constants.skew = TAP_SKEW_DEFAULT;
	constants.replay_size = TAP_REPLAY_SIZE_DEFAULT;
	constants.secrets = 1;
	constants.sealed = 1;
	constants.encoding = TAP_ENCODING_VEILED;
	constants.group_by = TAP_GROUP_BY_MARK | TAP_GROUP_BY_TS;
}

/* One service, at PORT. */
static void publish_service(void)
{
	static struct tap_ruleset set;
	unsigned int class;

	for (class = 0; class < TAP_CLASSES_MAX; class++)
		set.class_first[class] = TAP_RULES_MAX;
	set.class_rules[TAP_CLASS_FIRST][0] = 1;
	set.class_first[TAP_CLASS_FIRST] = 0 | TAP_RULE_ALONE | TAP_RULE_SHUT;
	set.port_class[PORT] = set.class_first[TAP_CLASS_FIRST];
	set.rules[0].ports[0] = (struct tap_port_range){ PORT, PORT };
	set.rules[0].n_ports = set.n_rules = 1;
	set.rules[0].service.action = TAP_ACTION_TAP;
	host_gate_services(&set);
}

static void set_clock(uint64_t ns)
{
	host_clock_ns = NOW * NS_PER_S + ns; /* TAI is UTC here */
	host_monotonic_ns = 5 * NS_PER_S + ns;
}

/* An empty gate. Without epochs: as it was before a group's identity changed with the time. */
static void start_gate(bool epochs)
{
	struct tap_gate_constants c = constants;
	uint8_t k_tag[REF_DERIVED_BYTES];
	struct tap_key *key = host_gate_key(KEY);

	if (!epochs)
		c.place.k[11] = 0;
	host_gate_constants(&c);
	host_gate_forget(NULL, NULL);
	host_gate_replay_size(64); /* searched one by one here, and nothing is sent twice */
	publish_service();
	ref_derive_tag(k_tag, user_key, realm_key);
	sipkey(&key->secret[0], k_tag);
	key->until[0] = key->not_after = TAP_FOREVER;
	random_state = 1;
}

/* The client's SYN number n, from always the same address to the same port. */
static void make_group(unsigned int n, uint16_t mark, struct packet segments[4])
{
	uint64_t r = ref_random(&random_state);
	struct ref_group group = { .key_id = KEY, .veiled = true, .isn = r, .port = PORT,
				   .sec = host_clock_ns / NS_PER_S, .frac = r >> 32 & 0xf };
	uint16_t ports[3] = { 20000 + (r >> 36) % 9000, 30000 + (r >> 44) % 9000,
			      40000 + (r >> 52) % 9000 };
	struct packet original;

	memcpy(group.realm_key, realm_key, sizeof(realm_key));
	memcpy(group.user_key, user_key, sizeof(user_key));
	packet_syn_plain(&original, false, 50000 + n % 10000, PORT, group.isn);
	packet_split(&original, &group, mark, ports, segments);
}

static bool send_segment(const struct packet *segment)
{
	struct host_output out;
	uint8_t bytes[PACKET_BYTES];

	host_gate_run(bytes, packet_build(segment, bytes), false, 1, &out);
	return out.verdict == XDP_PASS;
}

struct block {
	unsigned int whole; /* groups of which all four arrived */
	unsigned int admitted;
};

static void run_client(struct block blocks[BLOCKS])
{
	static const unsigned int order[4] = { 1, 2, 3, 0 };
	struct packet segments[4];
	unsigned int n, i, lost;
	bool admitted;
	uint64_t r;

	memset(blocks, 0, BLOCKS * sizeof(*blocks));
	for (n = 0; n < GROUPS; n++) {
		set_clock(n * EACH_NS);
		make_group(n, marks[ref_random(&random_state) % n_marks], segments);
		r = ref_random(&random_state);
		for (i = lost = 0, admitted = false; i < 4; i++) {
			set_clock(n * EACH_NS + i * 10000);
			if ((r >> 16 * i & 0xffff) % LOST_OF == 0)
				lost++;
			else
				admitted |= send_segment(&segments[order[i]]);
		}
		assert_false(lost && admitted);
		blocks[n / BLOCK].whole += !lost;
		blocks[n / BLOCK].admitted += admitted;
	}
}

static void print_blocks(const char *what, const struct block blocks[BLOCKS])
{
	unsigned int i;

	printf("# %s: of the groups that arrived whole were admitted", what);
	for (i = 0; i < BLOCKS; i++)
		printf(" %.1f", 100.0 * blocks[i].admitted / blocks[i].whole);
	printf(" %%, in blocks of %u\n", BLOCK);
}

static void test_losses_expire(void **state)
{
	struct block blocks[BLOCKS];
	unsigned int i;

	start_gate(true);
	run_client(blocks);
	print_blocks("with epochs", blocks);
	for (i = 0; i < BLOCKS; i++) {
		assert_in_range(blocks[i].whole, BLOCK * 95 / 100, BLOCK * 97 / 100);
		assert_true(blocks[i].admitted * 100 >= blocks[i].whole * 98);
	}
}

/* That this test sees the defect: without epochs leftovers stay, and fewer and fewer get in. */
static void test_losses_without_epochs(void **state)
{
	struct block blocks[BLOCKS];

	start_gate(false);
	run_client(blocks);
	print_blocks("without epochs", blocks);
	assert_true(blocks[BLOCKS - 1].admitted * 100 < blocks[BLOCKS - 1].whole * 90);
	assert_true(blocks[BLOCKS - 1].admitted < blocks[0].admitted);
}

/* A SYN of every mark that there is: the client is shut out for that epoch, and for no longer. */
static void test_every_mark(void **state)
{
	const uint64_t epoch = 1ULL << TAP_GROUP_EPOCH_SHIFT;
	uint64_t start = 8 * epoch - 5 * NS_PER_S; /* where an epoch begins */
	struct packet segments[4];
	unsigned int later, n, i, admitted;

	start_gate(true);
	set_clock(start);
	for (n = 0; n < n_marks; n++) {
		make_group(n, marks[n], segments);
		assert_false(send_segment(&segments[0]));
	}
	for (later = 0; later < 4; later++) {
		admitted = 0;
		for (n = 0; n < 100; n++) {
			set_clock(start + later * (epoch / 2) + epoch / 8);
			make_group(n, marks[(n * 37 + later * 251) % n_marks], segments);
			for (i = 0; i < 4; i++)
				admitted += send_segment(&segments[(i + 1) % 4]);
		}
		assert_in_range(admitted, later < 2 ? 0 : 99, later < 2 ? 2 : 100);
	}
}

/* Segments of one group on both sides of an epoch are two groups': it is lost, and that is all. */
static void test_straddling(void **state)
{
	const uint64_t epoch = 1ULL << TAP_GROUP_EPOCH_SHIFT;
	uint64_t border = 9 * epoch - 5 * NS_PER_S;
	struct packet segments[4];
	unsigned int before, i, admitted;

	start_gate(true);
	for (before = 0; before <= 4; before++) {
		set_clock(border - 1);
		make_group(before, marks[before], segments);
		for (i = admitted = 0; i < 4; i++) {
			set_clock(i < before ? border - 1 : border);
			admitted += send_segment(&segments[i]);
		}
		assert_int_equal(admitted, before % 4 == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_losses_expire),
		cmocka_unit_test(test_losses_without_epochs),
		cmocka_unit_test(test_every_mark),
		cmocka_unit_test(test_straddling),
	};

	if (sodium_init() < 0)
		return 1;
	fill_constants();
	host_gate_start();
	return cmocka_run_group_tests_name("leftovers", tests, NULL, NULL);
}
