// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule sets as tapctl compiles them and as the programs look them up, against the obvious way: go
 * through the rules from the first to the last. Random sets with shared and nested port ranges,
 * prefixes and devices.
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

#include "bpf/rules.h"
#include "selftests/common/ref.h"
#include "user/pins.h"
#include "user/ruleset.h"

/* Nothing is published here. */
int pins_map(const struct tapctl *tapctl, const char *name)
{
	return -1;
}

static uint64_t state_of_random = 11;

static unsigned int below(unsigned int n)
{
	return ref_random(&state_of_random) % n;
}

static void random_prefix(struct tap_prefix *prefix)
{
	uint8_t mask[16] = { 0 }, address[16];
	unsigned int bits = below(4) * 8, i;

	memset(prefix, 0, sizeof(*prefix));
	if (!bits)
		return;
	for (i = 0; i < 96 + bits; i++)
		mask[i / 8] |= 0x80 >> i % 8;
	memset(address, 0, 10);
	memset(address + 10, 0xff, 2);
	for (i = 12; i < 16; i++)
		address[i] = mask[i] ? below(2) : 0;
	memcpy(prefix->addr, address, 16);
	memcpy(prefix->mask, mask, 16);
}

/* Ranges of one rule do not overlap, they may touch. Few different ports, so that rules meet. */
static void random_rule(struct tap_rule *rule, unsigned int ports)
{
	unsigned int at = below(ports / 4), i;

	memset(rule, 0, sizeof(*rule));
	for (i = 0; i < 1 + below(TAP_RULE_PORTS) && at < ports; i++) {
		unsigned int hi = at + below(ports / 8);

		if (hi >= ports)
			hi = ports - 1;
		rule->ports[rule->n_ports++] = (struct tap_port_range){ at, hi };
		at = hi + 1 + below(3);
	}
	rule->service.action = below(3);
	rule->service.reject = below(2);
	if (!below(4))
		return; /* asks for the port only */
	rule->ifindex = below(3);
	random_prefix(&rule->dst);
	random_prefix(&rule->src);
}

static bool names(const struct tap_rule *rule, unsigned int port)
{
	unsigned int i;

	for (i = 0; i < rule->n_ports; i++)
		if (port >= rule->ports[i].lo && port <= rule->ports[i].hi)
			return true;
	return false;
}

static bool in_prefix(const struct tap_prefix *prefix, const uint8_t address[16])
{
	const uint8_t *want = (const uint8_t *)prefix->addr, *mask = (const uint8_t *)prefix->mask;
	unsigned int i;

	for (i = 0; i < 16; i++)
		if ((address[i] & mask[i]) != want[i])
			return false;
	return true;
}

/* port -1: could not be read. */
static unsigned int naive(const struct tap_ruleset *set, int port, const uint8_t src[16],
			  const uint8_t dst[16], uint32_t ifindex)
{
	unsigned int r;

	for (r = 0; r < set->n_rules; r++) {
		const struct tap_rule *rule = &set->rules[r];

		if (port < 0 ? rule->service.action == TAP_ACTION_PASS : !names(rule, port))
			continue;
		if (rule->ifindex && rule->ifindex != ifindex)
			continue;
		if (in_prefix(&rule->dst, dst) && in_prefix(&rule->src, src))
			return r;
	}
	return TAP_RULES_MAX;
}

static void random_address(uint8_t address[16])
{
	unsigned int i;

	memset(address, 0, 10);
	memset(address + 10, 0xff, 2);
	for (i = 12; i < 16; i++)
		address[i] = below(2);
}

static unsigned int compiled(const struct tap_ruleset *set, int port, const uint8_t src[16],
			     const uint8_t dst[16], uint32_t ifindex)
{
	struct tap_packet packet = { .dport = port, .port_known = port >= 0 };
	struct rules_search search = { .set = set, .ifindex = ifindex };

	memcpy(packet.src, src, 16);
	memcpy(packet.dst, dst, 16);
	search.class = rules_at_port(set, &packet);
	return rules_find(&search, &packet);
}

/* Whether the port alone says that its SYNs are let in as groups or refused in silence. */
static bool is_shut(const struct tap_ruleset *set, int port)
{
	static const struct tap_prefix all;
	unsigned int r;

	for (r = 0; r < set->n_rules; r++) {
		const struct tap_rule *rule = &set->rules[r];

		if (port >= 0 && names(rule, port))
			return !rule->ifindex && !memcmp(&rule->dst, &all, sizeof(all)) &&
			       !memcmp(&rule->src, &all, sizeof(all)) &&
			       rule->service.action == TAP_ACTION_TAP &&
			       rule->service.reject == TAP_REJECT_DROP;
	}
	return false;
}

static void check_set(struct tap_ruleset *set, unsigned int ports)
{
	uint8_t src[16], dst[16];
	unsigned int i;
	int port;

	assert_int_equal(ruleset_compile(set, RULESET_SERVER), 0);
	for (i = 0; i < 20000; i++) {
		struct tap_packet packet = {};
		uint32_t ifindex = below(4);

		port = below(20) ? (int)below(below(4) ? ports + 2 : 65536) : -1;
		random_address(src);
		random_address(dst);
		assert_int_equal(compiled(set, port, src, dst, ifindex),
				 naive(set, port, src, dst, ifindex));
		packet.dport = port;
		packet.port_known = port >= 0;
		assert_int_equal(!!(rules_at_port(set, &packet) & TAP_RULE_SHUT),
				 is_shut(set, port));
	}
}

static void test_random_sets(void **state)
{
	static const unsigned int sizes[] = { 0, 1, 2, 5, 20, 64, 65, 128, 256 };
	struct tap_ruleset *set = calloc(1, sizeof(*set));
	unsigned int i, r;

	assert_non_null(set);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		set->n_rules = sizes[i];
		for (r = 0; r < sizes[i]; r++)
			random_rule(&set->rules[r], i % 2 ? 300 : 100);
		check_set(set, i % 2 ? 300 : 100);
	}
	free(set);
}

/* Ports at the ends of the range, and a rule for all of them behind a rule for one. */
static void test_ends(void **state)
{
	struct tap_ruleset *set = calloc(1, sizeof(*set));
	uint8_t any[16] = { 0 };
	struct tap_rule rule = { .n_ports = 1 };

	assert_non_null(set);
	rule.ports[0] = (struct tap_port_range){ 65535, 65535 };
	assert_int_equal(ruleset_insert(set, RULESET_SERVER, &rule, 0), 0);
	rule.ports[0] = (struct tap_port_range){ 0, 0 };
	assert_int_equal(ruleset_insert(set, RULESET_SERVER, &rule, 0), 0);
	rule.ports[0] = (struct tap_port_range){ 0, 65535 };
	assert_int_equal(ruleset_insert(set, RULESET_SERVER, &rule, 3), 0);
	assert_int_equal(ruleset_compile(set, RULESET_SERVER), 0);
	assert_int_equal(compiled(set, 65535, any, any, 1), 0);
	assert_int_equal(compiled(set, 0, any, any, 1), 1);
	assert_int_equal(compiled(set, 1, any, any, 1), 2);
	assert_int_equal(compiled(set, 65534, any, any, 1), 2);
	assert_int_equal(ruleset_remove(set, RULESET_SERVER, 1), 0);
	assert_int_equal(ruleset_compile(set, RULESET_SERVER), 0);
	assert_int_equal(compiled(set, 65535, any, any, 1), 1);
	assert_int_equal(compiled(set, 0, any, any, 1), 0);
	free(set);
}

static void test_insert_and_remove(void **state)
{
	struct tap_ruleset *set = calloc(1, sizeof(*set));
	struct tap_rule rule = { .n_ports = 1 };
	unsigned int i;

	assert_non_null(set);
	assert_true(ruleset_remove(set, RULESET_SERVER, 1) < 0);
	for (i = 0; i < TAP_RULES_MAX; i++) {
		rule.ports[0] = (struct tap_port_range){ i, i };
		assert_int_equal(ruleset_insert(set, RULESET_SERVER, &rule, 1), 0);
	}
	assert_int_equal(set->n_rules, TAP_RULES_MAX);
	assert_int_equal(set->rules[0].ports[0].lo, TAP_RULES_MAX - 1);
	assert_int_equal(set->rules[TAP_RULES_MAX - 1].ports[0].lo, 0);
	assert_true(ruleset_insert(set, RULESET_SERVER, &rule, 1) < 0);
	assert_true(ruleset_remove(set, RULESET_SERVER, 0) < 0);
	assert_true(ruleset_remove(set, RULESET_SERVER, TAP_RULES_MAX + 1) < 0);
	assert_int_equal(ruleset_remove(set, RULESET_SERVER, TAP_RULES_MAX), 0);
	assert_int_equal(ruleset_remove(set, RULESET_SERVER, 1), 0);
	assert_int_equal(set->n_rules, TAP_RULES_MAX - 2);
	assert_int_equal(set->rules[0].ports[0].lo, TAP_RULES_MAX - 2);
	assert_true(ruleset_insert(set, RULESET_SERVER, &rule, TAP_RULES_MAX) < 0);
	free(set);
}

/* More different parts of the port range than there are classes: refused, not wrong. */
static void test_too_many_classes(void **state)
{
	struct tap_ruleset *set = calloc(1, sizeof(*set));
	unsigned int r, p;

	assert_non_null(set);
	set->n_rules = TAP_RULES_MAX;
	for (r = 0; r < TAP_RULES_MAX; r++) {
		struct tap_rule *rule = &set->rules[r];

		rule->n_ports = TAP_RULE_PORTS;
		for (p = 0; p < TAP_RULE_PORTS; p++)
			rule->ports[p] = (struct tap_port_range){ p * 4096 + r * 7,
								  p * 4096 + r * 7 + 20 + p * 7 };
	}
	assert_true(ruleset_compile(set, RULESET_SERVER) < 0);
	assert_non_null(failure());
	free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_sets),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_insert_and_remove),
		cmocka_unit_test(test_too_many_classes),
	};

	return cmocka_run_group_tests_name("ruleset", tests, NULL, NULL);
}
