// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding the TCP header, and telling SYNs, fragments and broken packets from all else. Packets are
 * kept in memory of exactly their size, so that the address sanitizer sees any byte read beyond.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bpf/parse.h"
#include "bpf/timestamps.h"
#include "selftests/common/packet.h"

static enum tap_kind parse_bytes(const uint8_t *bytes, unsigned int length, bool ethernet,
				 struct tap_packet *p)
{
	uint8_t *copy = malloc(length ? length : 1);
	struct tap_frame_memory frame = { copy, copy + length };
	enum tap_kind kind;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	memset(p, 0, sizeof(*p));
	kind = ethernet ? tap_parse_ethernet(&frame, p) : tap_parse_ip(&frame, p);
	if (kind == TAP_SYN) { /* its options can be walked, too */
		assert_true((uint8_t *)p->tcp + p->tcp->doff * 4 <= copy + length);
		tap_find_timestamp(p->tcp, copy + length);
	}
	free(copy);
	return kind;
}

static enum tap_kind parse_packet(const struct packet *packet, struct tap_packet *p)
{
	uint8_t bytes[PACKET_BYTES];
	unsigned int length = packet_build(packet, bytes);

	return parse_bytes(bytes, length, !packet->no_ethernet, p);
}

/* Where the TCP header starts, and what is in the packet, in every way to wrap it. */
static void test_syn(void **state)
{
	unsigned int bits;

	for (bits = 0; bits < 64; bits++) {
		bool v6 = bits & 1;
		uint8_t bytes[PACKET_BYTES];
		struct packet packet;
		struct tap_packet p;

		packet_syn(&packet, v6, 1000 + bits, 2000 + bits, 7);
		packet.no_ethernet = bits & 2;
		packet.vlan[0] = bits & 4 ? 9 : 0;
		packet.vlan[1] = (bits & 12) == 12 ? 10 : 0;
		if (bits & 16) {
			packet.ip_options_length = v6 ? 0 : 4 * (bits % 11);
			if (v6)
				packet_extend(&packet, 60, 8 + bits / 8 * 8);
		}
		packet.payload = bits & 32 ? "data" : NULL;
		assert_int_equal(parse_packet(&packet, &p), TAP_SYN);
		assert_int_equal(p.ipv6, v6);
		assert_true(p.port_known);
		assert_int_equal(p.dport, packet.dport);
		assert_int_equal(p.tcp_bytes, 40 + (bits & 32 ? 4 : 0));
		packet_build(&packet, bytes);
		if (v6) {
			assert_memory_equal(p.src, packet.src, 16);
			assert_memory_equal(p.dst, packet.dst, 16);
		} else {
			static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

			assert_memory_equal(p.src, mapped, 12);
			assert_memory_equal((uint8_t *)p.src + 12, packet.src, 4);
			assert_memory_equal(p.dst, mapped, 12);
			assert_memory_equal((uint8_t *)p.dst + 12, packet.dst, 4);
		}
	}
}

/* By TCP flags: a SYN is a SYN without ACK, whatever else is set. */
static void test_flags(void **state)
{
	unsigned int flags;

	for (flags = 0; flags < 256; flags++) {
		struct packet packet;
		struct tap_packet p;

		packet_syn(&packet, flags & 1, 1, 2, 3);
		packet.flags = flags;
		assert_int_equal(parse_packet(&packet, &p),
				 (flags & SYN) && !(flags & ACK) ? TAP_SYN : TAP_SEGMENT);
	}
}

static void test_doff(void **state)
{
	unsigned int doff;

	for (doff = 1; doff < 16; doff++) {
		struct packet packet;
		struct tap_packet p;

		packet_syn(&packet, doff & 1, 1, 2, 3);
		packet.doff = doff;
		assert_int_equal(parse_packet(&packet, &p),
				 doff < 5 || doff > 10 ? TAP_BROKEN_SYN : TAP_SYN);
		packet.flags = ACK;
		assert_int_equal(parse_packet(&packet, &p), TAP_SEGMENT);
	}
}

/* Cut anywhere, even inside what the IP header promises: never TAP_SYN, and nothing read beyond. */
static void test_truncated(void **state)
{
	unsigned int bits, cut;

	for (bits = 0; bits < 8; bits++) {
		struct packet packet;
		struct tap_packet p;
		uint8_t bytes[PACKET_BYTES];
		unsigned int length;

		packet_syn(&packet, bits & 1, 1, 2, 3);
		packet.no_ethernet = bits & 2;
		if (bits & 4) {
			packet.vlan[0] = 1;
			if (packet.ipv6)
				packet_extend(&packet, 0, 16);
			else
				packet.ip_options_length = 8;
		}
		length = packet_build(&packet, bytes);
		for (cut = 0; cut < length; cut++)
			assert_int_not_equal(parse_bytes(bytes, cut, !packet.no_ethernet, &p),
					     TAP_SYN);
	}
}

static void test_fragments_ipv4(void **state)
{
	struct packet packet;
	struct tap_packet p;
	unsigned int offset;

	packet_syn(&packet, false, 1, 2, 3);
	packet.ipv4_fragment = 0x2000;
	assert_int_equal(parse_packet(&packet, &p), TAP_FRAGMENT); /* a SYN's first fragment */
	packet.flags = ACK;
	assert_int_equal(parse_packet(&packet, &p), TAP_SEGMENT); /* another segment's */
	packet.flags = SYN;
	for (offset = 1; offset < 10; offset++) {
		packet.ipv4_fragment = 0x2000 | offset;
		assert_int_equal(parse_packet(&packet, &p),
				 offset * 8 < TAP_FRAGMENT_FLOOR ? TAP_FRAGMENT : TAP_OTHER);
		assert_false(p.port_known);
		packet.protocol = 17;
		assert_int_equal(parse_packet(&packet, &p), TAP_OTHER);
		packet.protocol = 0;
	}
}

/* A first fragment that ends inside the TCP header, at each length. */
static void test_tiny_fragments(void **state)
{
	unsigned int tcp_bytes;

	for (tcp_bytes = 0; tcp_bytes < 20; tcp_bytes++) {
		uint8_t bytes[PACKET_BYTES];
		struct packet packet;
		struct tap_packet p;

		packet_syn_plain(&packet, false, 1, 443, 3);
		packet.ipv4_fragment = 0x2000;
		packet.flags = ACK;
		packet_build(&packet, bytes);
		bytes[14 + 3] = 20 + tcp_bytes;
		assert_int_equal(parse_bytes(bytes, 34 + tcp_bytes, true, &p), TAP_FRAGMENT);
		assert_int_equal(p.port_known, tcp_bytes >= 4);
	}
}

static void test_fragments_ipv6(void **state)
{
	struct packet packet;
	struct tap_packet p;
	unsigned int offset;

	packet_syn(&packet, true, 1, 2, 3);
	packet_extend_fragment(&packet, 0, true);
	assert_int_equal(parse_packet(&packet, &p), TAP_FRAGMENT);
	packet.flags = ACK;
	assert_int_equal(parse_packet(&packet, &p), TAP_SEGMENT);
	for (offset = 8; offset < 80; offset += 8) {
		packet_syn(&packet, true, 1, 2, 3);
		packet_extend_fragment(&packet, offset, offset & 8);
		assert_int_equal(parse_packet(&packet, &p),
				 offset < TAP_FRAGMENT_FLOOR ? TAP_FRAGMENT : TAP_OTHER);
	}
	/* Whole, with a fragment header all the same. */
	packet_syn(&packet, true, 1, 2, 3);
	packet_extend_fragment(&packet, 0, false);
	assert_int_equal(parse_packet(&packet, &p), TAP_SYN);
	/* Destination options behind the fragment header, the SYN behind them. */
	packet_syn(&packet, true, 1, 2, 3);
	packet_extend_fragment(&packet, 0, true);
	packet_extend(&packet, 60, 8);
	assert_int_equal(parse_packet(&packet, &p), TAP_FRAGMENT);
}

static void test_extension_chain(void **state)
{
	unsigned int n;

	for (n = 1; n <= 12; n++) {
		struct packet packet;
		struct tap_packet p;
		unsigned int i;

		packet_syn(&packet, true, 1, 2, 3);
		for (i = 0; i < n; i++)
			packet_extend(&packet, i ? 60 : 0, 8);
		assert_int_equal(parse_packet(&packet, &p),
				 n <= TAP_IPV6_EXTENSIONS ? TAP_SYN : TAP_BURIED);
	}
}

/*
 * A payload length of 0 before a hop-by-hop header: the kernel then goes by the frame's length, so
 * this is a SYN to it, and must not be a stranger's way around the gate.
 */
static void test_jumbo_length(void **state)
{
	uint8_t bytes[PACKET_BYTES];
	struct packet packet;
	struct tap_packet p;
	unsigned int length;

	packet_syn(&packet, true, 1, 2, 3);
	packet_extend(&packet, 0, 8);
	length = packet_build(&packet, bytes);
	bytes[14 + 4] = bytes[14 + 5] = 0;
	assert_int_not_equal(parse_bytes(bytes, length, true, &p), TAP_OTHER);
}

/* More tags than two: the kernel strips priority tags (VLAN 0) without end. */
static void test_many_tags(void **state)
{
	unsigned int tags, i;

	for (tags = 1; tags <= 6; tags++) {
		uint8_t bytes[PACKET_BYTES], built[PACKET_BYTES];
		struct packet packet;
		struct tap_packet p;
		unsigned int length;

		packet_syn(&packet, false, 1, 2, 3);
		length = packet_build(&packet, built);
		memcpy(bytes, built, 12);
		for (i = 0; i < tags; i++)
			memcpy(bytes + 12 + 4 * i, "\x81\x00\x00\x00", 4);
		memcpy(bytes + 12 + 4 * tags, built + 12, length - 12);
		assert_int_not_equal(parse_bytes(bytes, length + 4 * tags, true, &p), TAP_OTHER);
	}
}

/* All ways to get at a TSval, which must agree: what the reader and the short cut say of a SYN. */
static void check_tsval(const struct packet *packet, bool linux_form)
{
	struct timestamps slow = { 0 }, fast = { 0 };
	uint8_t bytes[PACKET_BYTES];
	unsigned int length = packet_build(packet, bytes);
	struct tap_frame_memory frame = { bytes, bytes + length };
	struct tap_packet p = { 0 };

	assert_int_equal(tap_parse_ethernet(&frame, &p), TAP_SYN);
	assert_int_equal(read_timestamps(&frame, (uint8_t *)p.tcp - bytes, &slow), 0);
	assert_int_equal(linux_timestamps(p.tcp, frame.data_end, &fast), linux_form);
	if (linux_form) {
		assert_int_equal(fast.at, slow.at);
		assert_int_equal(fast.tsval, slow.tsval);
	}
	if (packet->timestamp_at) {
		assert_int_equal(slow.at, 20 + packet->timestamp_at - 2);
		assert_int_equal(slow.tsval, packet_tsval(packet));
	} else {
		assert_int_equal(slow.at, TAP_NO_TIMESTAMP);
		assert_int_equal(slow.tsval, 0);
	}
}

static void test_tsval(void **state)
{
	struct packet packet;
	uint64_t random = 31;
	unsigned int i, at;

	for (i = 0; i < 20000; i++) {
		uint64_t r = ref_random(&random);

		packet_syn(&packet, i & 1, r, 443, r >> 32);
		packet.payload = i & 2 ? "data" : NULL;
		packet_set_timestamp(&packet, r, r >> 32); /* TSecr is never looked at */
		check_tsval(&packet, true);
		/* Each of the bytes before TSval that the short cut goes by, changed. */
		packet.tcp_options[6] = 1;
		packet.tcp_options[7] = 1;
		packet.timestamp_at = 0;
		memset(packet.tcp_options + 8, 1, 8);
		check_tsval(&packet, false);
		at = 2 + (r >> 16) % 31;
		packet.tcp_options_length = 40;
		memset(packet.tcp_options, 1, 40);
		packet.tcp_options[at - 2] = 8;
		packet.tcp_options[at - 1] = 10;
		packet.timestamp_at = at;
		packet_set_timestamp(&packet, r >> 8, 0);
		check_tsval(&packet, false);
		packet_syn_plain(&packet, i & 1, r, 443, r >> 32);
		check_tsval(&packet, false);
	}
}

static void test_timestamp(void **state)
{
	static const struct {
		const char *options;
		int length;
		int found; /* from the start of the TCP header */
	} cases[] = {
		{ "", 0, TAP_NO_TIMESTAMP },
		{ "\x08\x0a" "12345678" "\x01\x01", 12, 20 },
		{ "\x01\x01\x08\x0a" "12345678", 12, 22 },
		{ "\x01\x08\x0a" "12345678" "\x01", 12, 21 },
		{ "\x00\x01\x08\x0a" "12345678", 12, TAP_NO_TIMESTAMP },
		{ "\x08\x09" "1234567" "\x01\x01\x01", 12, TAP_NO_TIMESTAMP },
		{ "\x01\x01\x01\x08\x0a" "1234567", 12, TAP_BAD_OPTIONS },
		{ "\x01\x01\x01\x08", 4, TAP_BAD_OPTIONS },
		{ "\x02\x00\x01\x01", 4, TAP_BAD_OPTIONS },
		{ "\x02\x01\x01\x01", 4, TAP_BAD_OPTIONS },
		{ "\x02\x05\x01\x01", 4, TAP_BAD_OPTIONS },
		{ "\xfd\xff\x01\x01", 4, TAP_BAD_OPTIONS },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t bytes = 20 + cases[i].length;
		struct tcphdr *tcp = calloc(1, bytes);

		assert_non_null(tcp);
		tcp->doff = bytes / 4;
		memcpy(tcp + 1, cases[i].options, cases[i].length);
		assert_int_equal(tap_find_timestamp(tcp, (uint8_t *)tcp + bytes), cases[i].found);
		free(tcp);
	}
}

/* Bytes changed at random in every kind of packet: whatever comes out, nothing is read beyond. */
static void test_noise(void **state)
{
	uint64_t random = 99;
	unsigned int i;

	for (i = 0; i < 300000; i++) {
		uint64_t r = ref_random(&random);
		uint8_t bytes[PACKET_BYTES];
		struct packet packet;
		struct tap_packet p;
		unsigned int length, n;

		packet_syn(&packet, r & 1, 1, 2, 3);
		packet.vlan[0] = r & 2;
		packet.no_ethernet = r & 4;
		if (r & 8 && packet.ipv6)
			packet_extend(&packet, r & 16 ? 0 : 43, 16);
		if (r & 32 && packet.ipv6)
			packet_extend_fragment(&packet, 0, r & 64);
		length = packet_build(&packet, bytes);
		for (n = r >> 8 & 7; n; n--) {
			uint64_t s = ref_random(&random);

			bytes[s % length] = s >> 32;
		}
		if (r >> 16 & 1)
			length = (r >> 20) % (length + 1);
		parse_bytes(bytes, length, !packet.no_ethernet, &p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syn),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_doff),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_fragments_ipv4),
		cmocka_unit_test(test_tiny_fragments),
		cmocka_unit_test(test_fragments_ipv6),
		cmocka_unit_test(test_extension_chain),
		cmocka_unit_test(test_jumbo_length),
		cmocka_unit_test(test_many_tags),
		cmocka_unit_test(test_timestamp),
		cmocka_unit_test(test_tsval),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
