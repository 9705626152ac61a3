// SPDX-License-Identifier: GPL-2.0-only
/*
 * The segment that is passed on, rewritten in place: all of it, checksum included, must be what the
 * client's kernel sent but for the window. Packets at random, with timestamps anywhere.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tap/wire.h"
#include "bpf/admit.h"
#include "selftests/common/packet.h"

/* What the gate does with the last segment of a group. */
static void admit(uint8_t *bytes, unsigned int length, uint32_t seq, uint16_t sport)
{
	struct tap_frame_memory frame = { bytes, bytes + length };
	struct tap_packet p = { 0 };
	struct admission a = { .seq = seq, .sport = sport };

	assert_int_equal(tap_parse_ethernet(&frame, &p), TAP_SYN);
	a.tcp_offset = (uint8_t *)p.tcp - bytes;
	a.tcp_bytes = p.tcp_bytes;
	a.pseudo = checksum_pseudo(&p);
	admit_rewrite(p.tcp, bytes + length, &a);
}

static const char *const payloads[] = { NULL, "x", "even", "some more payload than that" };

static void random_packet(struct packet *packet, uint64_t *random)
{
	uint64_t r = ref_random(random);
	unsigned int i;

	packet_syn(packet, r & 1, r >> 8, 443, r >> 32);
	for (i = 0; i < 16; i++) {
		packet->src[i] = ref_random(random);
		packet->dst[i] = ref_random(random);
	}
	if (r & 2) { /* the timestamp anywhere, even at odd offsets */
		unsigned int at = 2 + (r >> 16) % 27;

		packet->tcp_options_length = 40;
		memset(packet->tcp_options, 1, 40);
		packet->tcp_options[at - 2] = 8;
		packet->tcp_options[at - 1] = 10;
		packet->timestamp_at = at;
	}
	if (r & 4)
		packet_syn_plain(packet, r & 1, r >> 8, 443, r >> 32);
	else
		packet_set_timestamp(packet, ref_random(random), ref_random(random));
	packet->payload = payloads[r >> 5 & 3];
	packet->partial_checksum = r & 16;
	packet->window = r >> 20;
}

static void test_rewrite(void **state)
{
	uint64_t random = 17;
	int i;

	for (i = 0; i < 200000; i++) {
		uint8_t bytes[PACKET_BYTES], want[PACKET_BYTES];
		struct packet packet, original, admitted;
		unsigned int length;

		random_packet(&packet, &random);
		original = packet;
		original.seq = ref_random(&random);
		original.sport = original.seq >> 7;
		packet_admitted(&original, &admitted);
		length = packet_build(&packet, bytes);
		assert_int_equal(packet_build(&admitted, want), length);
		admit(bytes, length, original.seq, original.sport);
		assert_memory_equal(bytes, want, length);
	}
}

/* A finished checksum that happens to equal the pseudo-header's sum is still a finished one. */
static void test_lookalike(void **state)
{
	uint64_t random = 23;
	unsigned int found = 0, i;

	for (i = 0; i < 1000000; i++) {
		uint8_t bytes[PACKET_BYTES], want[PACKET_BYTES];
		struct packet packet, admitted;
		struct tap_frame_memory frame = { .data = bytes };
		struct tap_packet p = { 0 };
		unsigned int length;

		packet_syn(&packet, i & 1, 1, 443, ref_random(&random));
		length = packet_build(&packet, bytes);
		frame.data_end = bytes + length;
		assert_int_equal(tap_parse_ethernet(&frame, &p), TAP_SYN);
		if (p.tcp->check != checksum_pseudo(&p))
			continue;
		found++;
		packet_admitted(&packet, &admitted);
		admitted.seq = 5;
		admitted.sport = 6;
		packet_build(&admitted, want);
		admit(bytes, length, 5, 6);
		assert_memory_equal(bytes, want, length);
	}
	assert_true(found > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewrite),
		cmocka_unit_test(test_lookalike),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
