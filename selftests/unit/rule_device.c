// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which device a rule matches after its name was looked up again.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#undef fail /* tapctl has a function of that name */

#include "user/rule_device.h"

#define HERE 100 /* the network namespace */
#define AWAY 200

static const struct {
	const char *what;
	uint64_t netns; /* of the rule, which matches device 5 until now */
	bool passes;
	uint32_t by_name;
	bool attached; /* to device 5 */
	uint32_t wanted;
} cases[] = {
	{ "nothing happened", HERE, false, 5, true, 5 },
	{ "nothing happened, no gate there", HERE, false, 5, false, 5 },
	{ "deleted and made again", HERE, false, 9, false, 9 },
	{ "renamed, and another one has the name", HERE, false, 9, true, 9 },
	{ "renamed", HERE, false, 0, true, 5 },
	{ "deleted", HERE, false, 0, false, TAP_IFINDEX_GONE },
	{ "pass: deleted and made again", HERE, true, 9, false, 9 },
	{ "pass: renamed", HERE, true, 0, true, 5 },
	{ "pass: deleted", HERE, true, 0, false, TAP_IFINDEX_GONE },
	{ "another namespace has the name", AWAY, false, 7, false, 7 },
	{ "another namespace has the number only", AWAY, false, 0, true, TAP_IFINDEX_GONE },
	{ "pass: another namespace has the name", AWAY, true, 7, false, TAP_IFINDEX_GONE },
	{ "pass: another namespace has both", AWAY, true, 5, true, TAP_IFINDEX_GONE },
};

static void test_resolve(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tap_rule rule = { .device = "eth0", .ifindex = 5, .netns = cases[i].netns };
		struct rule_device_look look = { HERE, cases[i].by_name, cases[i].attached };

		print_message("%s\n", cases[i].what);
		assert_int_equal(rule_device_resolve(&rule, cases[i].passes, &look), cases[i].wanted);
	}
}

/* Rules without a name, those for any device, are left alone; and so is a set without change. */
static void test_set(void **state)
{
	static struct tap_ruleset set, before;
	static struct devices devices = { .map = -1 };
	uint64_t netns;

	assert_int_equal(interfaces_netns((__u64 *)&netns), 0);
	set.n_rules = 3;
	strcpy(set.rules[1].device, "lo");
	set.rules[1].netns = netns;
	set.rules[1].ifindex = if_nametoindex("lo");
	strcpy(set.rules[2].device, "tapnone0");
	set.rules[2].netns = netns;
	set.rules[2].ifindex = TAP_IFINDEX_GONE;
	before = set;
	assert_int_equal(rule_devices_resolve(&set, &server_side, &devices), 0);
	assert_memory_equal(&set, &before, sizeof(set));
	set.rules[1].ifindex += 77;
	set.rules[2].ifindex = 78;
	assert_int_equal(rule_devices_resolve(&set, &server_side, &devices), 1);
	assert_memory_equal(&set, &before, sizeof(set));
	devices.n = 1;
	devices.at[0].ifindex = set.rules[2].ifindex = 78;
	assert_int_equal(rule_devices_resolve(&set, &server_side, &devices), 0);
	assert_int_equal(set.rules[2].ifindex, 78);
	devices.at[0].state = DEVICE_GONE;
	assert_int_equal(rule_devices_resolve(&set, &server_side, &devices), 1);
	assert_memory_equal(&set, &before, sizeof(set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests_name("rule_device", tests, NULL, NULL);
}
