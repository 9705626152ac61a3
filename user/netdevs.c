// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network interfaces of this namespace and how they stand on each other, as the kernel lists them.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "user/netdevs.h"
#include "user/tapctl.h"

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

int netdevs_list(struct netdevs *all)
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

const struct netdev *netdevs_find(const struct netdevs *all, __u32 ifindex)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].ifindex == ifindex)
			return &all->at[i];
	return NULL;
}

static bool stands_on(const struct netdevs *all, __u32 upper, __u32 lower, int depth)
{
	const struct netdev *netdev = netdevs_find(all, lower);

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

bool netdevs_stands_on(const struct netdevs *all, __u32 upper, __u32 lower)
{
	return stands_on(all, upper, lower, NETDEVS_DEPTH);
}
