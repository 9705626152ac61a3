// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks up the devices that rules name: see rule_device.h.
 */
#include <net/if.h>

#include "user/rule_device.h"

__u32 rule_device_resolve(const struct tap_rule *rule, bool passes,
			  const struct rule_device_look *look)
{
	bool foreign = rule->netns != look->netns;

	if (foreign && passes)
		return TAP_IFINDEX_GONE;
	if (look->by_name)
		return look->by_name;
	return !foreign && look->attached ? rule->ifindex : TAP_IFINDEX_GONE;
}

static bool is_attached(const struct devices *devices, __u32 ifindex)
{
	for (size_t i = 0; i < devices->n; i++)
		if (devices->at[i].ifindex == ifindex && devices->at[i].state == DEVICE_ATTACHED)
			return true;
	return false;
}

int rule_devices_resolve(struct tap_ruleset *set, const struct side *side,
			 const struct devices *devices)
{
	struct rule_device_look look;
	bool changed = false;
	int err;

	err = interfaces_netns(&look.netns);
	if (err)
		return err;
	for (__u32 i = 0; i < set->n_rules; i++) {
		struct tap_rule *rule = &set->rules[i];
		bool passes = side == &server_side && rule->service.action == TAP_ACTION_PASS;
		__u32 ifindex;

		if (!rule->device[0])
			continue;
		look.by_name = if_nametoindex(rule->device);
		look.attached = is_attached(devices, rule->ifindex);
		ifindex = rule_device_resolve(rule, passes, &look);
		changed |= ifindex != rule->ifindex;
		rule->ifindex = ifindex;
		if (ifindex != TAP_IFINDEX_GONE && rule->netns != look.netns) {
			rule->netns = look.netns;
			changed = true;
		}
	}
	return changed;
}
