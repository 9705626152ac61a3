// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a change of the services opens, against brute force: every connection of a small world is
 * looked up in the services before and after. Random sets, and changes as the verbs make them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#undef fail /* tapctl has a function of that name */

#include "selftests/common/ref.h"
#include "user/openings.h"

#define PORTS 8 /* from FIRST_PORT on */
#define FIRST_PORT 20
#define ADDRESSES 8 /* that prefixes are made of; the next one stands for all others */
#define DEVICES 4 /* 1 to 3, and 9, which no service names */

static uint64_t state_of_random = 5;

static unsigned int below(unsigned int n)
{
	return ref_random(&state_of_random) % n;
}

struct connection {
	unsigned int port, src, dst;
	uint32_t device;
};

static void address(unsigned int number, uint8_t bytes[16])
{
	memset(bytes, 0, 16);
	memset(bytes + 10, 0xff, 2);
	bytes[12] = 10;
	bytes[15] = number;
}

static void prefix(unsigned int number, unsigned int bits, struct tap_prefix *prefix)
{
	uint8_t bytes[16], mask[16] = { 0 };
	unsigned int i;

	address(number, bytes);
	for (i = 0; i < bits; i++)
		mask[i / 8] |= 0x80 >> i % 8;
	for (i = 0; i < 16; i++)
		bytes[i] &= mask[i];
	memcpy(prefix->addr, bytes, 16);
	memcpy(prefix->mask, mask, 16);
}

static void random_prefix(struct tap_prefix *out)
{
	memset(out, 0, sizeof(*out));
	if (below(2))
		prefix(below(ADDRESSES), 125 + below(4), out);
}

static void random_rule(struct tap_rule *rule)
{
	unsigned int lo = FIRST_PORT + below(PORTS), hi = lo + below(4);

	memset(rule, 0, sizeof(*rule));
	rule->n_ports = 1;
	rule->ports[0] = (struct tap_port_range){ lo, hi < FIRST_PORT + PORTS ? hi : lo };
	rule->service.action = below(3);
	random_prefix(&rule->src);
	random_prefix(&rule->dst);
	if (!below(3))
		rule->ifindex = 1 + below(3);
	if (!below(12))
		rule->ifindex = TAP_IFINDEX_GONE;
}

static bool in_prefix(const struct tap_prefix *prefix, unsigned int number)
{
	const uint8_t *want = (const uint8_t *)prefix->addr, *mask = (const uint8_t *)prefix->mask;
	uint8_t bytes[16];

	address(number, bytes);
	for (int i = 0; i < 16; i++)
		if ((bytes[i] & mask[i]) != want[i])
			return false;
	return true;
}

static bool lets_in(const struct tap_ruleset *set, const struct connection *c)
{
	for (uint32_t i = 0; i < set->n_rules; i++) {
		const struct tap_rule *rule = &set->rules[i];

		if (c->port >= rule->ports[0].lo && c->port <= rule->ports[0].hi &&
		    (!rule->ifindex || rule->ifindex == c->device) && in_prefix(&rule->src, c->src) &&
		    in_prefix(&rule->dst, c->dst))
			return rule->service.action == TAP_ACTION_PASS;
	}
	return true;
}

static bool speaks_of(const struct opening *opening, const struct connection *c)
{
	return c->port >= opening->ports.lo && c->port <= opening->ports.hi &&
	       (!opening->ifindex || opening->ifindex == c->device) &&
	       in_prefix(&opening->src, c->src) && in_prefix(&opening->dst, c->dst);
}

static const uint32_t device_numbers[DEVICES] = { 1, 2, 3, 9 };

/* Every connection of the world, in turn. */
static bool next(struct connection *c, unsigned int *state)
{
	unsigned int n = (*state)++;

	c->port = FIRST_PORT - 1 + n % (PORTS + 2);
	n /= PORTS + 2;
	c->src = n % (ADDRESSES + 1);
	n /= ADDRESSES + 1;
	c->dst = n % (ADDRESSES + 1);
	n /= ADDRESSES + 1;
	c->device = device_numbers[n % DEVICES];
	return n < DEVICES;
}

static bool among(uint32_t device, const uint32_t *devices, size_t n)
{
	while (n--)
		if (devices[n] == device)
			return true;
	return false;
}

static void check_change(const struct tap_ruleset *before, const struct tap_ruleset *after,
			 const uint32_t *devices, size_t n_devices)
{
	size_t opened[OPENINGS_MAX] = { 0 }, others[OPENINGS_MAX] = { 0 };
	static struct openings openings;
	unsigned int state = 0;
	struct connection c;
	bool any = false, found;

	found = openings_find(before, after, devices, n_devices, &openings);
	assert_false(openings.more);
	while (next(&c, &state)) {
		bool opens, told = false;

		if (devices && !among(c.device, devices, n_devices))
			continue;
		opens = !lets_in(before, &c) && lets_in(after, &c);
		any |= opens;
		for (size_t i = 0; i < openings.n; i++) {
			if (!speaks_of(&openings.at[i], &c))
				continue;
			told = true;
			(opens ? opened : others)[i]++;
		}
		assert_true(told || !opens);
	}
	assert_int_equal(any, found);
	for (size_t i = 0; i < openings.n; i++) {
		assert_true(opened[i] > 0);
		assert_int_equal(openings.at[i].part, others[i] > 0);
	}
}

/* What a verb may do to the services: any one taken out, put in, exchanged, all of them gone. */
static void change(struct tap_ruleset *set)
{
	unsigned int at = below(set->n_rules + 1);

	switch (below(5)) {
	case 0:
		set->n_rules = 0;
		return;
	case 1:
	case 2:
		if (at == set->n_rules)
			return;
		memmove(&set->rules[at], &set->rules[at + 1],
			(set->n_rules - at - 1) * sizeof(set->rules[0]));
		set->n_rules--;
		return;
	case 3:
		memmove(&set->rules[at + 1], &set->rules[at],
			(set->n_rules - at) * sizeof(set->rules[0]));
		set->n_rules++;
		random_rule(&set->rules[at]);
		return;
	default:
		if (at < set->n_rules)
			set->rules[at].ifindex = 1 + below(3);
	}
}

static void test_random_changes(void **state)
{
	struct tap_ruleset *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	unsigned int i, r;

	assert_true(before && after);
	for (i = 0; i < 3000; i++) {
		uint32_t devices[DEVICES];
		size_t n = 0;

		before->n_rules = below(9);
		for (r = 0; r < before->n_rules; r++)
			random_rule(&before->rules[r]);
		memcpy(after, before, sizeof(*after));
		for (r = 0; r < 1 + below(3); r++)
			change(after);
		check_change(before, after, NULL, 0);
		for (r = 0; r < DEVICES; r++)
			if (below(2))
				devices[n++] = device_numbers[r];
		check_change(before, after, devices, n);
	}
	free(before);
	free(after);
}

static void add(struct tap_ruleset *set, unsigned int lo, unsigned int hi, enum tap_action action)
{
	struct tap_rule *rule = &set->rules[set->n_rules++];

	memset(rule, 0, sizeof(*rule));
	rule->n_ports = 1;
	rule->ports[0] = (struct tap_port_range){ lo, hi };
	rule->service.action = action;
}

static void is_said(const struct tap_ruleset *before, const struct tap_ruleset *after, const char *wanted)
{
	static struct openings openings;
	char text[OPENINGS_TEXT];

	openings_find(before, after, NULL, 0, &openings);
	assert_string_equal(openings_text(&openings, text), wanted);
}

static void test_words(void **state)
{
	struct tap_ruleset *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	struct tap_rule *rule;

	assert_true(before && after);
	add(before, 22, 22, TAP_ACTION_TAP);
	is_said(before, after, "port 22");
	add(after, 22, 22, TAP_ACTION_PASS);
	prefix(0, 125, &after->rules[0].src);
	is_said(before, after, "port 22");
	after->rules[0].service.action = TAP_ACTION_DROP;
	is_said(before, after, "port 22 except what other services match");
	after->rules[0].service.action = TAP_ACTION_PASS;
	add(after, 22, 22, TAP_ACTION_TAP);
	is_said(before, after, "port 22 from 10.0.0.0/29");
	rule = &after->rules[0];
	strcpy(rule->device, "tapnone0");
	rule->ifindex = 0x7ffffff0;
	prefix(4, 128, &rule->dst);
	is_said(before, after, "port 22 at 10.0.0.4 from 10.0.0.0/29 on tapnone0");
	before->n_rules = after->n_rules = 0;
	/* Ranges go on through ports that are a service's of their own, and end at those that stay. */
	add(before, 20, 25, TAP_ACTION_TAP);
	add(after, 23, 23, TAP_ACTION_DROP);
	is_said(before, after, "port 20-22, port 24-25");
	add(before, 1, 65535, TAP_ACTION_DROP);
	is_said(before, after, "port 1-19, port 20-22, port 24-25, port 26-65535");
	add(after, 1, 65535, TAP_ACTION_TAP);
	is_said(before, after, "");
	free(before);
	free(after);
}

/* As many kinds of connections as can be: the answer may be "perhaps", and never "nothing". */
static void test_too_many(void **state)
{
	struct tap_ruleset *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	static struct openings openings;
	unsigned int i;

	assert_true(before && after);
	for (i = 0; i < TAP_RULES_MAX; i++) {
		add(before, 80, 80, i == TAP_RULES_MAX - 1 ? TAP_ACTION_TAP : TAP_ACTION_PASS);
		if (i == TAP_RULES_MAX - 1)
			break;
		before->rules[i].ifindex = 1 + i;
		prefix(i, 128, &before->rules[i].src);
		prefix(i, 128, &before->rules[i].dst);
	}
	memcpy(after, before, sizeof(*after));
	after->n_rules--;
	assert_true(openings_find(before, after, NULL, 0, &openings));
	/* More different openings than are kept. */
	before->n_rules = after->n_rules = 0;
	for (i = 0; i < 200; i++)
		add(before, 2 * i + 1, 2 * i + 1, TAP_ACTION_TAP);
	assert_true(openings_find(before, after, NULL, 0, &openings));
	assert_int_equal(openings.n, OPENINGS_MAX);
	assert_true(openings.more);
	free(before);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests_name("openings", tests, NULL, NULL);
}
