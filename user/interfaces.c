// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network interfaces, as -i names them.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/interfaces.h"
#include "user/tapctl.h"

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519 /* linux/if_arp.h, which does not go with net/if_arp.h */
#endif
#ifndef ARPHRD_NONE
#define ARPHRD_NONE 0xFFFE
#endif

static int add_one(struct interfaces *list, const char *name, size_t length)
{
	if (!length)
		return usage("-i has an empty interface name: write -i eth0 or -i eth0,eth1");
	if (length >= IF_NAMESIZE)
		return usage("\"%.*s\" is no interface name: they have at most %d characters",
			     (int)length, name, IF_NAMESIZE - 1);
	for (size_t i = 0; i < list->n; i++)
		if (!strncmp(list->at[i].name, name, length) && !list->at[i].name[length])
			return 0;
	if (list->n == TAP_DEVICES_MAX)
		return usage("-i names more than %d interfaces", TAP_DEVICES_MAX);
	list->at[list->n] = (struct interface){ 0 };
	memcpy(list->at[list->n++].name, name, length);
	return 0;
}

int interfaces_add(struct interfaces *list, const char *text)
{
	int err;

	for (;;) {
		size_t length = strcspn(text, ",");

		err = add_one(list, text, length);
		if (err || !text[length])
			return err;
		text += length + 1;
	}
}

/* The ARPHRD_* of an interface, or -errno. */
static int hardware_type(const char *name)
{
	struct ifreq request = { 0 };
	int fd, err = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	memcpy(request.ifr_name, name, strnlen(name, IF_NAMESIZE - 1));
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		err = -errno;
	close(fd);
	return err ? err : request.ifr_hwaddr.sa_family;
}

int interface_find(struct interface *interface)
{
	int type;

	interface->ifindex = if_nametoindex(interface->name);
	if (!interface->ifindex)
		return fail(ENODEV, "there is no interface %s here: `ip link` lists what there is",
			    interface->name);
	type = hardware_type(interface->name);
	switch (type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		interface->l3 = false;
		return 0;
	case ARPHRD_NONE: /* tun, WireGuard */
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case 823: /* ARPHRD_IP6GRE */
		interface->l3 = true;
		return 0;
	}
	if (type < 0)
		return fail(-type, "cannot ask for the kind of %s: %s", interface->name,
			    cause(-type));
	return fail(ENOTSUP,
		    "%s is of a kind (ARPHRD %d) whose frames TAP cannot read: it takes Ethernet "
		    "and IP tunnels",
		    interface->name, type);
}

bool interface_hides_redirected(const struct interface *interface)
{
	static const char *const drivers[] = { "veth", "ipvlan", "netkit" };
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (char *)&info };
	int fd, err;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	memcpy(request.ifr_name, interface->name, strnlen(interface->name, IF_NAMESIZE - 1));
	err = ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	for (size_t i = 0; !err && i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(info.driver, drivers[i]))
			return true;
	return false;
}

int interfaces_netns(__u64 *inode)
{
	struct stat st;

	if (stat("/proc/self/ns/net", &st))
		return fail(errno, "cannot tell the network namespace by /proc/self/ns/net: %s",
			    cause_file(errno));
	*inode = st.st_ino;
	return 0;
}
