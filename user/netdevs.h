/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network interfaces of this namespace and how they stand on each other: a bridge or a bond on
 * its ports, a VLAN or macvlan on its Ethernet device.
 */
#ifndef TAP_NETDEVS_H
#define TAP_NETDEVS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define NETDEVS_DEPTH 16 /* interfaces on top of each other; the kernel allows 8 */

struct netdev {
	__u32 ifindex;
	__u32 master; /* the bridge or bond that this is a port of; 0: none */
	__u32 link; /* the interface that this one stands on; 0: none here */
};

struct netdevs {
	struct netdev *at; /* for free() */
	size_t n;
	bool failed; /* memory ran out on the way */
};

/* Lists them into a zeroed struct; 0, or a negative errno after fail(). */
int netdevs_list(struct netdevs *all);

const struct netdev *netdevs_find(const struct netdevs *all, __u32 ifindex);

/* Whether what comes in through `lower` can come up to `upper`. */
bool netdevs_stands_on(const struct netdevs *all, __u32 upper, __u32 lower);

#endif /* TAP_NETDEVS_H */
