// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which devices the gate or the splitter sees packets on: see sight.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/sight.h"
#include "user/xdp_shared.h"

static bool has_ports(const struct netdevs *all, __u32 ifindex)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].master == ifindex)
			return true;
	return false;
}

/* Whether the gate runs in the device's driver: 1 or 0, or a negative errno after fail(). */
static int in_driver(const struct device *device)
{
	struct xdp_shared_gate gate;
	int err;

	if (device->record.hook != TAP_HOOK_XDP_SHARED)
		return device->record.hook == TAP_HOOK_XDP_NATIVE;
	err = xdp_shared_find(device->ifindex, &gate);
	return err ? err : !gate.generic;
}

int sight_open(const struct tapctl *tapctl, const struct side *side, struct sight *sight)
{
	int err;

	memset(sight, 0, sizeof(*sight));
	sight->side = side;
	err = devices_open(tapctl, side, &sight->devices);
	if (err)
		return err;
	err = netdevs_list(&sight->all);
	for (size_t i = 0; !err && i < sight->devices.n; i++) {
		const struct device *device = &sight->devices.at[i];

		if (device->state != DEVICE_ATTACHED || !has_ports(&sight->all, device->ifindex))
			continue;
		err = in_driver(device);
		if (err >= 0) {
			sight->in_ports[i] = err;
			err = 0;
		}
	}
	return err;
}

void sight_close(struct sight *sight)
{
	devices_close(&sight->devices);
	free(sight->all.at);
	sight->all.at = NULL;
}

static void add_name(char names[SIGHT_NAMES], __u32 ifindex)
{
	char name[IF_NAMESIZE];
	size_t n = strlen(names);

	if (if_indextoname(ifindex, name) && n + strlen(name) + 3 < SIGHT_NAMES)
		snprintf(names + n, SIGHT_NAMES - n, "%s%s", n ? ", " : "", name);
}

size_t sight_numbers(const struct sight *sight, const struct device *device, __u32 *numbers,
		     size_t max)
{
	size_t n = 0;

	if (!sight->in_ports[device - sight->devices.at]) {
		numbers[0] = device->ifindex;
		return 1;
	}
	for (size_t i = 0; i < sight->all.n && n < max; i++)
		if (sight->all.at[i].master == device->ifindex)
			numbers[n++] = sight->all.at[i].ifindex;
	return n;
}

/* How the device stands to one that the program is attached to. */
static enum sight_kind look_at(const struct sight *sight, const struct device *attached,
			       __u32 ifindex)
{
	bool in_ports = sight->in_ports[attached - sight->devices.at];
	const struct netdev *netdev = netdevs_find(&sight->all, ifindex);

	if (attached->ifindex == ifindex)
		return in_ports ? SIGHT_PORTS : SIGHT_SEEN;
	if (in_ports && netdev && netdev->master == attached->ifindex)
		return SIGHT_SEEN;
	/* The splitter may be on both. */
	if (sight->side == &client_side)
		return SIGHT_NONE;
	if (netdevs_stands_on(&sight->all, ifindex, attached->ifindex))
		return SIGHT_ABOVE;
	if (netdevs_stands_on(&sight->all, attached->ifindex, ifindex))
		return SIGHT_BELOW;
	return SIGHT_NONE;
}

enum sight_kind sight_look(const struct sight *sight, __u32 ifindex, char names[SIGHT_NAMES])
{
	enum sight_kind kind = SIGHT_NONE, one;
	__u32 seen[64];
	size_t n;

	names[0] = '\0';
	for (size_t i = 0; i < sight->devices.n; i++) {
		const struct device *device = &sight->devices.at[i];

		if (device->state != DEVICE_ATTACHED)
			continue;
		one = look_at(sight, device, ifindex);
		if (one == SIGHT_SEEN)
			return one;
		if (one == SIGHT_NONE)
			continue;
		kind = one < kind ? one : kind;
		n = sight_numbers(sight, device, seen, sizeof(seen) / sizeof(seen[0]));
		for (size_t j = 0; j < n; j++)
			add_name(names, seen[j]);
	}
	return kind;
}
