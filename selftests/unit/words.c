// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words of tapctl's command line: what each parser takes, what it refuses, and that a refusal
 * stores nothing. What is printed must read back as the same value.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#undef fail /* tapctl has a function of that name */

#include "selftests/common/ref.h"
#include "user/parse.h"
#include "user/tapctl.h"

static const char *const no_numbers[] = { "",	 " ",	 "-1",	 "+1",	"0x10", "1 ",
					  " 1",	 "1.0",	 "65536", "1e3", "99999999999999999999",
					  "one", "1-",	 "4294967297" };
#define EACH(list) (sizeof(list) / sizeof((list)[0]))

static void test_numbers(void **state)
{
	unsigned int value = 77, i;
	__u16 id = 77;

	for (i = 0; i < EACH(no_numbers); i++) {
		assert_int_equal(parse_number("n", no_numbers[i], 0, 65535, &value), USAGE);
		assert_int_equal(parse_key_id(no_numbers[i], &id), USAGE);
	}
	assert_int_equal(parse_key_id("0", &id), USAGE);
	assert_int_equal(value, 77);
	assert_int_equal(id, 77);
	assert_int_equal(parse_key_id("1", &id), 0);
	assert_int_equal(id, 1);
	assert_int_equal(parse_key_id("65535", &id), 0);
	assert_int_equal(id, 65535);
	assert_int_equal(parse_number("n", "9", 10, 20, &value), USAGE);
	assert_int_equal(parse_number("n", "20", 10, 20, &value), 0);
	assert_int_equal(value, 20);
}

static void test_ports(void **state)
{
	static const struct {
		const char *text;
		unsigned int n; /* 0: refused */
		uint16_t lo, hi; /* of the last range */
	} cases[] = {
		{ "22", 1, 22, 22 },
		{ "20-30", 1, 20, 30 },
		{ "1-65535", 1, 1, 65535 },
		{ "80,443", 2, 443, 443 },
		{ "443,80", 2, 443, 443 },
		{ "10-20,15-30", 1, 10, 30 },
		{ "10-20,21-30", 1, 10, 30 },
		{ "10-20,22-30", 2, 22, 30 },
		{ "10-30,15-20", 1, 10, 30 },
		{ "5,5,5", 1, 5, 5 },
		{ "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31", 16, 31, 31 },
		{ "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33", 0, 0, 0 },
		{ "30-20", 0, 0, 0 }, { "0", 0, 0, 0 }, { "0-5", 0, 0, 0 }, { "65536", 0, 0, 0 },
		{ "1-65536", 0, 0, 0 }, { "", 0, 0, 0 }, { ",", 0, 0, 0 }, { "22,", 0, 0, 0 },
		{ ",22", 0, 0, 0 }, { "-22", 0, 0, 0 }, { "22-", 0, 0, 0 }, { "1-2-3", 0, 0, 0 },
		{ "no-such-service", 0, 0, 0 }, { "22;80", 0, 0, 0 },
		{ "00000000000000000000000022-30", 0, 0, 0 },
	};
	unsigned int i;

	for (i = 0; i < EACH(cases); i++) {
		struct tap_rule rule, again;
		char text[PORTS_TEXT];
		int err;

		memset(&rule, 0x5a, sizeof(rule));
		err = parse_ports("--port", cases[i].text, rule.ports, &rule.n_ports);
		if (!cases[i].n) {
			assert_int_equal(err, USAGE);
			assert_int_equal(rule.n_ports, 0x5a5a5a5a);
			assert_int_equal(rule.ports[0].lo, 0x5a5a);
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(rule.n_ports, cases[i].n);
		assert_int_equal(rule.ports[rule.n_ports - 1].lo, cases[i].lo);
		assert_int_equal(rule.ports[rule.n_ports - 1].hi, cases[i].hi);
		ports_text(&rule, text);
		assert_int_equal(parse_ports("--port", text, again.ports, &again.n_ports), 0);
		assert_int_equal(again.n_ports, rule.n_ports);
		assert_memory_equal(again.ports, rule.ports, sizeof(rule.ports));
	}
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *text, *printed; /* NULL: refused */
		unsigned int bits; /* of the 128 */
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.0/24", 120 },
		{ "192.0.2.1", "192.0.2.1", 128 },
		{ "192.0.2.1/32", "192.0.2.1", 128 },
		{ "0.0.0.0/0", "0.0.0.0/0", 96 },
		{ "10.128.0.0/9", "10.128.0.0/9", 105 },
		{ "2001:db8::/32", "2001:db8::/32", 32 },
		{ "2001:db8::1", "2001:db8::1", 128 },
		{ "2000::/3", "2000::/3", 3 },
		{ "fd00::/8", "fd00::/8", 8 },
		{ "192.0.2.1/24", NULL, 0 }, { "192.0.2.0/33", NULL, 0 }, { "192.0.2.0/", NULL, 0 },
		{ "192.0.2.0/-1", NULL, 0 }, { "192.0.2.0/24x", NULL, 0 }, { "192.0.2", NULL, 0 },
		{ "2001:db8::1/64", NULL, 0 }, { "2001:db8::/129", NULL, 0 }, { "::/0", NULL, 0 },
		{ "", NULL, 0 }, { "/", NULL, 0 }, { "/8", NULL, 0 }, { "localhost", NULL, 0 },
		{ "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22", NULL, 0 },
		{ "256.0.0.1", NULL, 0 }, { "1:2:3:4:5:6:7:8:9", NULL, 0 },
	};
	unsigned int i, bit;

	for (i = 0; i < EACH(cases); i++) {
		struct tap_prefix prefix, again;
		char text[PREFIX_TEXT];
		int err;

		memset(&prefix, 0x5a, sizeof(prefix));
		err = parse_prefix("--dst", cases[i].text, &prefix);
		if (!cases[i].printed) {
			assert_int_equal(err, USAGE);
			assert_int_equal(prefix.addr[0], 0x5a5a5a5a5a5a5a5a);
			continue;
		}
		assert_int_equal(err, 0);
		for (bit = 0; bit < 128; bit++)
			assert_int_equal(((uint8_t *)prefix.mask)[bit / 8] >> (7 - bit % 8) & 1,
					 bit < cases[i].bits);
		assert_string_equal(prefix_text(&prefix, text), cases[i].printed);
		assert_int_equal(parse_prefix("--dst", text, &again), 0);
		assert_memory_equal(&prefix, &again, sizeof(again));
	}
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		long long seconds; /* 0: refused */
	} cases[] = {
		{ "2027-01-31", 1801350000 }, /* in local time, see below */
		{ "2027-07-31", 1816984800 }, /* summer */
		{ "2027-01-31Z", 1801353600 },
		{ "2027-01-31+02:00", 1801346400 },
		{ "2027-01-31T18:00:00Z", 1801418400 },
		{ "2027-01-31T18:00:00", 1801418400 },
		{ "2027-01-31T18:00Z", 1801418400 },
		{ "2027-01-31 18:00", 1801418400 },
		{ "2027-01-31T18:00:00+02:00", 1801411200 },
		{ "2027-01-31T18:00:00-05:30", 1801438200 },
		{ "2028-02-29", 1835391600 },
		{ "@1", 1 },
		{ "@4294967296", 4294967296 },
		{ "2027-02-29", 0 }, { "2027-06-31", 0 }, { "2027-13-01", 0 }, { "2027-01-32", 0 },
		{ "2027-01-31T25:00", 0 }, { "2027-01-31T18:00:00X", 0 }, { "27-01-31", 0 },
		{ "@0", 0 }, { "@-1", 0 }, { "@", 0 }, { "@1x", 0 }, { "", 0 }, { "tomorrow", 0 },
		{ "+", 0 }, { "+5", 0 }, { "+5w", 0 }, { "+d", 0 }, { "+-5d", 0 }, { "+5dd", 0 },
		{ "@99999999999999999999", 0 }, { "+99999999999999d", 0 }, { "1970-01-01", 0 },
		{ "2027-01-31T18:00:00+02", 0 }, { "2027-01-31T18:00:00+99:00", 0 },
	};
	char text[TIME_TEXT];
	__s64 got, again;
	unsigned int i;

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	for (i = 0; i < EACH(cases); i++) {
		got = -42;
		if (!cases[i].seconds) {
			assert_int_equal(parse_time("--not-before", cases[i].text, &got), USAGE);
			assert_int_equal(got, -42);
			continue;
		}
		assert_int_equal(parse_time("--not-before", cases[i].text, &got), 0);
		assert_int_equal(got, cases[i].seconds);
		assert_int_equal(parse_time("--not-before", time_text(got, text), &again), 0);
		assert_int_equal(again, got);
	}
	assert_int_equal(parse_time("--not-after", "+90d", &got), 0);
	assert_in_range(got - time(NULL), 90 * 86400 - 2, 90 * 86400);
	assert_int_equal(parse_time("--not-after", "+12h", &got), 0);
	assert_in_range(got - time(NULL), 12 * 3600 - 2, 12 * 3600);
}

/* To the end of a day: 23, 24 or 25 hours after it began. */
static void test_day_ends(void **state)
{
	static const struct {
		const char *text;
		int hours;
	} cases[] = {
		{ "2027-01-31", 24 }, { "2027-01-31Z", 24 }, { "2027-12-31", 24 }, { "2028-02-29", 24 },
		{ "2027-03-28", 23 }, { "2027-10-31", 25 }, { "2027-10-31Z", 24 },
		{ "2027-01-31T18:00", 0 }, { "@1801353600", 0 },
	};
	__s64 begin, end;
	unsigned int i;

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	for (i = 0; i < EACH(cases); i++) {
		assert_int_equal(parse_time("--not-before", cases[i].text, &begin), 0);
		assert_int_equal(parse_time_end("--not-after", cases[i].text, &end), 0);
		assert_int_equal(end - begin, cases[i].hours * 3600);
	}
	assert_int_equal(parse_time_end("--not-after", "2027-02-29", &end), USAGE);
}

static void test_ids(void **state)
{
	static const char *const bad[] = { "", ",", "1,", "0", "65536", "5-3", "1-", "-5", "a", "1--2",
					   "1-65536", "0-5" };
	static struct tap_acl list, again, before;
	uint64_t random = 3;
	unsigned int i, n, count;
	char *text;

	for (i = 0; i < EACH(bad); i++) {
		before = list;
		assert_int_equal(parse_ids("ID", bad[i], &list), USAGE);
		assert_memory_equal(&list, &before, sizeof(list));
	}
	assert_int_equal(parse_ids("ID", "5,1-3,65535,7-7", &list), 0);
	text = ids_text(&list);
	assert_string_equal(text, "1-3,5,7,65535");
	free(text);
	assert_int_equal(ids_count(&list), 6);
	for (n = 0; n < 20; n++) {
		memset(&list, 0, sizeof(list));
		memset(&again, 0, sizeof(again));
		for (i = 0, count = 0; i < 500; i++) {
			unsigned int id = 1 + ref_random(&random) % (n % 2 ? 600 : 65535);

			count += !ids_have(&list, id);
			ids_add(&list, id, id);
		}
		assert_int_equal(ids_count(&list), count);
		text = ids_text(&list);
		assert_int_equal(parse_ids("ID", text, &again), 0);
		assert_memory_equal(&list, &again, sizeof(list));
		free(text);
	}
	memset(&list, 0, sizeof(list));
	assert_int_equal(parse_ids("ID", "1-65535", &list), 0);
	assert_int_equal(ids_count(&list), 65535);
	assert_false(ids_have(&list, 0));
}

static void test_names(void **state)
{
	static const char *const good[] = { "a", "web-1", "Office_2.example",
					    "1234567890123456789012345678901" };
	static const char *const bad[] = { "", " ", "a b", "a/b", "a\n", "../x", "n\xc3\xa4me", "a\"b",
					   "12345678901234567890123456789012" };
	char name[TAP_NAME_BYTES];
	unsigned int i;

	for (i = 0; i < EACH(good); i++) {
		memset(name, 'x', sizeof(name));
		assert_int_equal(parse_name("NAME", good[i], false, name), 0);
		assert_string_equal(name, good[i]);
	}
	for (i = 0; i < EACH(bad); i++)
		assert_int_equal(parse_name("NAME", bad[i], true, name), USAGE);
	assert_int_equal(parse_name("NAME", "joe@example.org", false, name), USAGE);
	assert_int_equal(parse_name("NAME", "joe+tap@example.org", true, name), 0);
}

static void test_choices(void **state)
{
	static const char *const words[] = { "drop", "rst", NULL };
	__u8 index = 9;

	assert_int_equal(parse_choice("--reject", "dro", words, &index), USAGE);
	assert_int_equal(parse_choice("--reject", "", words, &index), USAGE);
	assert_int_equal(index, 9);
	assert_int_equal(parse_choice("--reject", "rst", words, &index), 0);
	assert_int_equal(index, 1);
}

static void test_encodings(void **state)
{
	__u8 encoding = 77;

	assert_int_equal(parse_encoding("classic", &encoding), 0);
	assert_int_equal(encoding, TAP_ENCODING_CLASSIC);
	assert_string_equal(encoding_text(encoding), "classic");
	assert_int_equal(parse_encoding("veiled", &encoding), 0);
	assert_int_equal(encoding, TAP_ENCODING_VEILED);
	assert_string_equal(encoding_text(encoding), "veiled");
	/* Of protocol 2: a gate that took both gave every key the shorter tag. */
	assert_int_equal(parse_encoding("both", &encoding), USAGE);
	assert_int_equal(parse_encoding("", &encoding), USAGE);
	assert_int_equal(encoding, TAP_ENCODING_VEILED);
}

static void test_binds(void **state)
{
	static const char *const words[] = { "any", "dst", "src", "both" };
	__u8 bind = 77, flags;

	for (flags = 0; flags <= TAP_FLAGS_KNOWN; flags++) {
		assert_int_equal(parse_bind(words[flags], "any", &bind), 0);
		assert_int_equal(bind, flags);
		assert_string_equal(bind_text(flags, "any"), words[flags]);
	}
	assert_int_equal(parse_bind("none", "any", &bind), USAGE);
	assert_int_equal(parse_bind("any", "none", &bind), USAGE);
	assert_int_equal(parse_bind("none", "none", &bind), 0);
	assert_int_equal(bind, TAP_BIND_ANY);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		const char *is; /* NULL: refused */
	} cases[] = {
		{ "198.51.100.1", "198.51.100.1" },
		{ "::ffff:198.51.100.1", "198.51.100.1" },
		{ "64:ff9b::198.51.100.1", "198.51.100.1" }, /* NAT64 */
		{ "64:ff9b::c633:6401", "198.51.100.1" },
		{ "64:ff9b:1::c633:6401", "64:ff9b:1::c633:6401" }, /* another prefix */
		{ "2001:db8::1", "2001:db8::1" },
		{ "::1", "::1" },
		{ "0.0.0.0", NULL },
		{ "::", NULL },
		{ "64:ff9b::", NULL },
		{ "198.51.100.1/32", NULL },
		{ "198.51.100", NULL },
		{ "example.org", NULL },
		{ "", NULL },
	};
	char text[PREFIX_TEXT];
	__u64 address[2];
	unsigned int i;

	for (i = 0; i < EACH(cases); i++) {
		memset(address, 0x55, sizeof(address));
		assert_int_equal(parse_address("a", cases[i].text, address), cases[i].is ? 0 : USAGE);
		if (cases[i].is)
			assert_string_equal(address_text((unsigned char *)address, text), cases[i].is);
		else
			assert_int_equal(address[0], 0x5555555555555555);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_day_ends),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_binds),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
