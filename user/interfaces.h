/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network interfaces, as -i names them.
 */
#ifndef TAP_INTERFACES_H
#define TAP_INTERFACES_H

#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "tap/maps.h"

struct interface {
	char name[IF_NAMESIZE];
	__u32 ifindex; /* 0 until interface_find() */
	bool l3; /* frames have no Ethernet header */
};

struct interfaces {
	size_t n;
	struct interface at[TAP_DEVICES_MAX];
};

/* Adds "IF[,IF...]"; one named twice counts once. 0, or USAGE after usage(). */
int interfaces_add(struct interfaces *list, const char *text);

/* Looks up index and kind; 0, or a negative errno after fail() for one that is not there or is of
 * a kind whose frames the programs cannot read. */
int interface_find(struct interface *interface);

/*
 * Whether frames come to it straight from a device in another namespace (veth, ipvlan, netkit): the
 * kernel does not show generic XDP those that a TC program redirected there.
 */
bool interface_hides_redirected(const struct interface *interface);

/* Inode of the network namespace that this process is in; 0 or a negative errno after fail(). */
int interfaces_netns(__u64 *inode);

#endif /* TAP_INTERFACES_H */
