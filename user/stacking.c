// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds interfaces on top of each other: see stacking.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/devices.h"
#include "user/netdevs.h"
#include "user/pins.h"
#include "user/stacking.h"

static int check_pair(const struct netdevs *all, const struct interface *a,
		      const struct interface *b)
{
	if (a->ifindex == b->ifindex ||
	    (!netdevs_stands_on(all, a->ifindex, b->ifindex) &&
	     !netdevs_stands_on(all, b->ifindex, a->ifindex)))
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
		err = netdevs_list(&all);
	for (size_t i = 0; !err && i < gated->n; i++)
		for (size_t j = 0; !err && j < i; j++)
			err = check_pair(&all, &gated->at[j], &gated->at[i]);
	free(all.at);
	free(gated);
	return err;
}
