// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds interfaces on top of each other: see stacking.h.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "user/devices.h"
#include "user/pins.h"
#include "user/stacking.h"

#define STACKING_DEPTH 16 /* interfaces on top of each other; the kernel allows 8 */

struct netdev {
	__u32 ifindex;
	__u32 master; /* the bridge or bond that this is a port of; 0: none */
	__u32 link; /* the interface that this one stands on; 0: none here */
};

struct netdevs {
	struct netdev *at;
	size_t n;
	bool failed;
};

/* 0 for what is too short to be a number. */
static __u32 number(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(attr);
}

static bool is_veth(const struct nlattr *info)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info)
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 &&
			       !strcmp(mnl_attr_get_str(attr), "veth");
	return false;
}

/* For mnl_cb_run(): one interface. */
static int add_netdev(const struct nlmsghdr *header, void *context)
{
	const struct ifinfomsg *message = mnl_nlmsg_get_payload(header);
	struct netdev netdev = { .ifindex = message->ifi_index };
	struct netdevs *all = context;
	const struct nlattr *attr;
	struct netdev *grown;
	bool elsewhere = false;

	mnl_attr_for_each(attr, header, sizeof(*message)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_MASTER:
			netdev.master = number(attr);
			break;
		case IFLA_LINK:
			netdev.link = number(attr);
			break;
		case IFLA_LINK_NETNSID:
			elsewhere = true;
			break;
		case IFLA_LINKINFO: /* a veth's link is its other end, not what it stands on */
			elsewhere |= is_veth(attr);
			break;
		}
	}
	if (elsewhere || netdev.link == netdev.ifindex)
		netdev.link = 0;
	grown = realloc(all->at, (all->n + 1) * sizeof(*grown));
	if (!grown) {
		all->failed = true;
		return MNL_CB_ERROR;
	}
	all->at = grown;
	all->at[all->n++] = netdev;
	return MNL_CB_OK;
}

static int list_netdevs(struct netdevs *all)
{
	char buffer[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	struct ifinfomsg *message;
	ssize_t length;
	int more = -1;

	if (!socket)
		goto out;
	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->ifi_family = AF_UNSPEC;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		goto out;
	do {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		more = length < 0 ? -1 :
				    mnl_cb_run(buffer, length, 0, mnl_socket_get_portid(socket),
					       add_netdev, all);
	} while (more > MNL_CB_STOP);
out:
	if (socket)
		mnl_socket_close(socket);
	if (!more)
		return 0;
	return fail(all->failed ? ENOMEM : errno, "cannot list the network interfaces: %s",
		    cause(all->failed ? ENOMEM : errno));
}

static const struct netdev *find(const struct netdevs *all, __u32 ifindex)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].ifindex == ifindex)
			return &all->at[i];
	return NULL;
}

/* Whether what comes in through `lower` can come up to `upper`. */
static bool stands_on(const struct netdevs *all, __u32 upper, __u32 lower, int depth)
{
	const struct netdev *netdev = find(all, lower);

	if (upper == lower)
		return true;
	if (!netdev || !depth)
		return false;
	if (netdev->master && stands_on(all, upper, netdev->master, depth - 1))
		return true;
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].link == lower &&
		    stands_on(all, upper, all->at[i].ifindex, depth - 1))
			return true;
	return false;
}

static int check_pair(const struct netdevs *all, const struct interface *a,
		      const struct interface *b)
{
	if (a->ifindex == b->ifindex ||
	    (!stands_on(all, a->ifindex, b->ifindex, STACKING_DEPTH) &&
	     !stands_on(all, b->ifindex, a->ifindex, STACKING_DEPTH)))
		return 0;
	return fail(EINVAL,
		    "%s and %s stand on each other, so a packet would pass two gates, and the second "
		    "refuses what the first admits: put the gate on one of them",
		    a->name, b->name);
}

/* The named interfaces, and those of this namespace that have the gate already. */
static int gather(const struct tapctl *tapctl, const struct interfaces *named,
		  struct interfaces *gated)
{
	struct devices devices;
	int err = 0;

	*gated = *named;
	for (size_t i = 0; !err && i < gated->n; i++)
		err = interface_find(&gated->at[i]);
	if (err || !pins_have(tapctl, server_side.devices))
		return err;
	err = devices_open(tapctl, &server_side, &devices);
	if (err)
		return err;
	for (size_t i = 0; i < devices.n && gated->n < TAP_DEVICES_MAX; i++) {
		struct interface *one = &gated->at[gated->n];

		if (devices.at[i].state != DEVICE_ATTACHED)
			continue;
		*one = (struct interface){ .ifindex = devices.at[i].ifindex };
		memcpy(one->name, devices.at[i].name, sizeof(one->name));
		gated->n++;
	}
	devices_close(&devices);
	return 0;
}

int stacking_check(const struct tapctl *tapctl, const struct interfaces *named)
{
	struct interfaces *gated = calloc(1, sizeof(*gated));
	struct netdevs all = { 0 };
	int err;

	if (!gated)
		return fail(ENOMEM, "out of memory");
	err = gather(tapctl, named, gated);
	if (!err && gated->n > 1)
		err = list_netdevs(&all);
	for (size_t i = 0; !err && i < gated->n; i++)
		for (size_t j = 0; !err && j < i; j++)
			err = check_pair(&all, &gated->at[j], &gated->at[i]);
	free(all.at);
	free(gated);
	return err;
}
