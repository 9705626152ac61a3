// SPDX-License-Identifier: GPL-2.0-only
/*
 * --dev of a service or a client rule. The name is what counts; the number that it stands for now is
 * what packets are compared by (user/rule_device.h).
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "user/interfaces.h"
#include "user/parse.h"
#include "user/tapctl.h"

int parse_device(const char *text, struct tap_rule *rule)
{
	__u32 ifindex = strlen(text) < sizeof(rule->device) ? if_nametoindex(text) : 0;
	__u64 netns;
	int err;

	if (!ifindex)
		return fail(ENODEV, "--dev %s: there is no such interface here: see 'ip link'", text);
	err = interfaces_netns(&netns);
	if (err)
		return err;
	memset(rule->device, 0, sizeof(rule->device));
	memcpy(rule->device, text, strlen(text));
	rule->netns = netns;
	rule->ifindex = ifindex;
	return 0;
}

/* From another network namespace nobody can see it. */
static bool is_gone(const struct tap_rule *rule)
{
	char name[IF_NAMESIZE];
	__u64 netns;

	if (rule->ifindex == TAP_IFINDEX_GONE)
		return true;
	if (interfaces_netns(&netns)) {
		forget_failure();
		return false;
	}
	return netns == rule->netns && !if_indextoname(rule->ifindex, name);
}

const char *device_text(const struct tap_rule *rule, char text[DEVICE_TEXT])
{
	if (!rule->ifindex)
		return strcpy(text, "any");
	snprintf(text, DEVICE_TEXT, "%.15s%s", rule->device, is_gone(rule) ? " (gone)" : "");
	return text;
}
