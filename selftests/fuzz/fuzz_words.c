// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words of tapctl's command line: numbers, ports, key IDs, prefixes, addresses, times, names,
 * interfaces.
 * A word is taken whole or refused with a reason and nothing stored; what is taken and printed
 * reads back as the same.
 *
 * Input: a byte that chooses the parser, then the word.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "selftests/common/ref.h"
#include "selftests/fuzz/fuzz.h"
#include "user/interfaces.h"
#include "user/parse.h"
#include "user/tapctl.h"

/* A refusal has words, one line of them; nothing else may have been recorded. */
static bool refused(int err)
{
	const char *why = failure();

	MUST(!err == !why, "%d: %s", err, why ?: "no reason");
	MUST(!why || (*why && !strchr(why, '\n')), "%s", why);
	forget_failure();
	return err;
}

static void number(const char *text)
{
	unsigned int min = strlen(text) % 3 * 10, max = min + 65535, got = 0xaaaaaaaa;
	const char *at = text;
	uint64_t value = 0;
	bool good = *text;
	__u16 id = 0xaaaa;

	for (; *at; at++) {
		good = good && isdigit((unsigned char)*at);
		if (good && value < 1ULL << 40)
			value = value * 10 + (*at - '0');
	}
	if (refused(parse_number("n", text, min, max, &got)))
		MUST(got == 0xaaaaaaaa && !(good && value >= min && value <= max), "%s", text);
	else
		MUST(good && got == value && value >= min && value <= max, "%s: %u", text, got);
	if (refused(parse_key_id(text, &id)))
		MUST(id == 0xaaaa && !(good && value >= 1 && value <= 65535), "%s", text);
	else
		MUST(good && id == value && id, "%s: %u", text, id);
}

static void port_list(const char *text)
{
	struct tap_rule rule, again;
	char printed[PORTS_TEXT];
	uint32_t i;

	memset(&rule, 0xaa, sizeof(rule));
	again = rule;
	if (refused(parse_ports("--port", text, rule.ports, &rule.n_ports))) {
		MUST(!memcmp(&rule, &again, sizeof(rule)), "stored something");
		return;
	}
	MUST(rule.n_ports >= 1 && rule.n_ports <= TAP_RULE_PORTS, "%u", rule.n_ports);
	for (i = 0; i < rule.n_ports; i++) {
		MUST(rule.ports[i].lo && rule.ports[i].lo <= rule.ports[i].hi, "range %u", i);
		/* Neither overlapping nor touching. */
		MUST(!i || rule.ports[i].lo > rule.ports[i - 1].hi + 1, "range %u", i);
	}
	for (; i < TAP_RULE_PORTS; i++)
		MUST(!rule.ports[i].lo && !rule.ports[i].hi, "range %u", i);
	ports_text(&rule, printed);
	MUST(!refused(parse_ports("--port", printed, again.ports, &again.n_ports)), "%s", printed);
	MUST(again.n_ports == rule.n_ports && !memcmp(again.ports, rule.ports, sizeof(rule.ports)),
	     "%s", printed);
}

static void ids(const char *text)
{
	static struct tap_acl list, before, again;
	unsigned int n = 0, id;
	char *printed;

	memset(&list, 0, sizeof(list));
	ids_add(&list, 7, 7);
	before = list;
	if (refused(parse_ids("--keys", text, &list))) {
		MUST(!memcmp(&list, &before, sizeof(list)), "stored something");
		return;
	}
	MUST(ids_have(&list, 7) && !ids_have(&list, 0), "%s", text);
	printed = ids_text(&list);
	MUST(printed, "no memory");
	memset(&again, 0, sizeof(again));
	MUST(!refused(parse_ids("--keys", printed, &again)), "%s", printed);
	MUST(!memcmp(&list, &again, sizeof(list)), "%s", printed);
	for (id = 1; id < 65536; id++)
		n += ids_have(&list, id);
	MUST(n == ids_count(&list), "%u", n);
	free(printed);
}

static void prefix(const char *text)
{
	struct tap_prefix got, again;
	char printed[PREFIX_TEXT];
	const uint8_t *mask = (const uint8_t *)got.mask;
	unsigned int i, bits = 0;

	memset(&got, 0xaa, sizeof(got));
	again = got;
	if (refused(parse_prefix("--dst", text, &got))) {
		MUST(!memcmp(&got, &again, sizeof(got)), "stored something");
		return;
	}
	for (i = 0; i < 2; i++)
		MUST(!(got.addr[i] & ~got.mask[i]), "bits beyond the mask");
	while (bits < 128 && mask[bits / 8] >> (7 - bits % 8) & 1)
		bits++;
	for (i = bits; i < 128; i++)
		MUST(!(mask[i / 8] >> (7 - i % 8) & 1), "a hole in the mask");
	prefix_text(&got, printed);
	MUST(bits || !strcmp(printed, "any"), "%s", printed);
	if (bits) {
		MUST(!refused(parse_prefix("--dst", printed, &again)), "%s", printed);
		MUST(!memcmp(&got, &again, sizeof(got)), "%s", printed);
	}
}

static void when(const char *text)
{
	char printed[TIME_TEXT];
	__s64 got = -42, again;

	if (refused(parse_time("--not-after", text, &got))) {
		MUST(got == -42, "stored %lld", (long long)got);
		return;
	}
	MUST(got > 0, "%lld", (long long)got);
	time_text(got, printed);
	/* Years of more than four digits are printed, but only as seconds taken. */
	if (got < 253402300800) {
		MUST(!refused(parse_time("--not-after", printed, &again)), "%s", printed);
		MUST(again == got, "%s: %lld and %lld", printed, (long long)got, (long long)again);
	}
	time_ns_text(got % 9000000000 * 1000000000 + got % 1000000000, printed);
	MUST(strlen(printed) < TIME_TEXT && printed[strlen(printed) - 1] == 'Z', "%s", printed);
}

static void name(const char *text)
{
	static const char *const words[] = { "tap", "pass", "drop", NULL };
	char got[TAP_NAME_BYTES];
	__u8 index = 0xaa;
	size_t i;

	memset(got, 0xaa, sizeof(got));
	if (refused(parse_name("NAME", text, strlen(text) & 1, got))) {
		MUST((uint8_t)got[0] == 0xaa, "stored something");
	} else {
		MUST(!strcmp(got, text) && *got, "%s", text);
		for (i = strlen(got); i < sizeof(got); i++)
			MUST(!got[i], "byte %zu", i);
		MUST(!strpbrk(got, " \t\n\"\\/$'"), "%s", got);
	}
	if (refused(parse_choice("--action", text, words, &index)))
		MUST(index == 0xaa, "%u", index);
	else
		MUST(!strcmp(words[index], text), "%s", text);
	index = 0xaa;
	if (refused(parse_encoding(text, &index)))
		MUST(index == 0xaa, "%u", index);
	else
		MUST(index <= 1 && !strcmp(encoding_text(index), text), "%s: %u", text, index);
	index = 0xaa;
	if (refused(parse_bind(text, "none", &index)))
		MUST(index == 0xaa, "%u", index);
	else
		MUST(index <= 3 && !strcmp(bind_text(index, "none"), text), "%s: %u", text, index);
}

/* An address that a client may dial, as a tag has it. */
static void address(const char *text)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }, zero[16];
	uint8_t got[16], want[16] = {};
	bool good = ref_address(text, want);
	__u64 words[2] = { 0xaa, 0xaa };

	ref_dialled(want);
	if (!memcmp(want, zero, 16) || (!memcmp(want, mapped, 12) && !memcmp(want + 12, zero, 4)))
		good = false; /* nobody's */
	if (refused(parse_address("--public-address", text, words))) {
		MUST(words[0] == 0xaa && words[1] == 0xaa, "stored something");
		MUST(!good, "%s", text);
		return;
	}
	memcpy(got, words, sizeof(got));
	MUST(good && !memcmp(got, want, sizeof(got)), "%s", text);
}

static void interfaces(const char *text)
{
	static struct interfaces list;
	size_t i, j;

	list.n = 0;
	if (refused(interfaces_add(&list, text)))
		return;
	MUST(list.n >= 1 && list.n <= TAP_DEVICES_MAX, "%zu", list.n);
	for (i = 0; i < list.n; i++) {
		MUST(list.at[i].name[0] && !list.at[i].name[IF_NAMESIZE - 1], "%zu", i);
		MUST(strstr(text, list.at[i].name) && !strchr(list.at[i].name, ','), "%zu", i);
		for (j = 0; j < i; j++)
			MUST(strcmp(list.at[i].name, list.at[j].name), "%s twice", list.at[i].name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(const char *text) = { number, port_list, ids, prefix, when,
							     name, interfaces, address };
	struct input input = { data, size };
	uint8_t which = take8(&input);
	char *text = take_text(&input);

	parsers[which % (sizeof(parsers) / sizeof(parsers[0]))](text);
	free(text);
	return 0;
}
