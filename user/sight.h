/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which devices the gate or the splitter sees packets on. That is the device it is attached to, with
 * one exception: the gate in the driver of a bond runs in the drivers of the bond's devices, and sees
 * those. What stands on another device (VLAN, macvlan, bridge) it sees on that one.
 */
#ifndef TAP_SIGHT_H
#define TAP_SIGHT_H

#include "user/devices.h"
#include "user/netdevs.h"

enum sight_kind {
	SIGHT_SEEN,
	SIGHT_PORTS, /* a bond with the gate in its driver: it sees the bond's devices */
	SIGHT_ABOVE, /* it stands on a device that is seen */
	SIGHT_BELOW, /* a device that is seen stands on it */
	SIGHT_NONE, /* the program is neither there nor, the gate, on any of those */
};

struct sight {
	const struct side *side;
	struct devices devices;
	struct netdevs all;
	bool in_ports[TAP_DEVICES_MAX]; /* of devices.at[i]: its ports are seen, not itself */
};

/* Looks where the program is; 0, or a negative errno after fail(). sight_close() is always due. */
int sight_open(const struct tapctl *tapctl, const struct side *side, struct sight *sight);
void sight_close(struct sight *sight);

#define SIGHT_NAMES 160
/* What of the device is seen. names: "eth0, eth1", what is seen in its place. */
enum sight_kind sight_look(const struct sight *sight, __u32 ifindex, char names[SIGHT_NAMES]);

/* The numbers of what the program on one of the devices sees; at most max. Returns how many. */
size_t sight_numbers(const struct sight *sight, const struct device *device, __u32 *numbers,
		     size_t max);

#endif /* TAP_SIGHT_H */
