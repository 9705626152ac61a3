// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's list of interfaces as tapctl reads it, and the question whether one stands on
 * another: answers for any list, in time, and against a plain search for paths.
 *
 * Input: a byte; even: interfaces in a short form of their own; odd: the netlink message as it is.
 */
#include "selftests/fuzz/fuzz.h"

#include "user/netdevs.c"

#define NETDEVS 12
#define MESSAGE_BYTES 4096

/* Any path of steps up, of any length: from an interface to its master, and to those on it. */
static bool reachable(const struct netdevs *all, __u32 upper, __u32 lower)
{
	bool seen[NETDEVS + 1] = { false }, more = true;
	size_t i;

	seen[lower] = true;
	while (more) {
		more = false;
		for (i = 0; i < all->n; i++) {
			const struct netdev *d = &all->at[i];

			if (seen[d->ifindex] && d->master && !seen[d->master])
				seen[d->master] = more = true;
			if (d->link && seen[d->link] && !seen[d->ifindex])
				seen[d->ifindex] = more = true;
		}
	}
	return seen[upper];
}

/* Interfaces on top of each other are never in a circle; the numbers only go up. */
static void graph(struct input *input)
{
	struct netdev devs[NETDEVS] = {};
	struct netdevs all = { .at = devs, .n = 1 + take_below(input, NETDEVS) };
	__u32 upper, lower;
	size_t i;

	for (i = 0; i < all.n; i++) {
		uint8_t bits = take8(input);

		devs[i].ifindex = 1 + i;
		if (bits & 1 && i)
			devs[i].link = 1 + (bits >> 4) % i;
		if (bits & 2 && i + 1 < all.n)
			devs[i].master = 2 + i + (bits >> 4) % (all.n - i - 1);
	}
	for (upper = 1; upper <= all.n; upper++)
		for (lower = 1; lower <= all.n; lower++)
			MUST(stands_on(&all, upper, lower, NETDEVS_DEPTH) ==
				     reachable(&all, upper, lower),
			     "%u on %u", upper, lower);
}

static void message(struct input *input)
{
	_Alignas(8) static uint8_t buffer[MESSAGE_BYTES];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct netdevs all = { 0 };
	uint8_t *copy;
	size_t length = input->left;
	int more;

	header->nlmsg_type = RTM_NEWLINK;
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	if (length > sizeof(buffer) - header->nlmsg_len - NLMSG_ALIGNTO)
		length = sizeof(buffer) - header->nlmsg_len - NLMSG_ALIGNTO;
	take(input, buffer + header->nlmsg_len - sizeof(struct ifinfomsg), length);
	if (length > sizeof(struct ifinfomsg))
		header->nlmsg_len += length - sizeof(struct ifinfomsg);
	/* So that reading beyond is seen; libmnl itself reads up to the padding. */
	copy = malloc(NLMSG_ALIGN(header->nlmsg_len));
	MUST(copy, "no memory");
	memcpy(copy, buffer, NLMSG_ALIGN(header->nlmsg_len));
	more = mnl_cb_run(copy, header->nlmsg_len, 0, 0, add_netdev, &all);
	MUST(more >= MNL_CB_STOP || !all.failed, "%d", more);
	stands_on(&all, 1, 2, NETDEVS_DEPTH);
	free(all.at);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	if (take8(&input) & 1)
		message(&input);
	else
		graph(&input);
	return 0;
}
