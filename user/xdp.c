// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate on an interface by a BPF link.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "user/programs.h"
#include "user/xdp.h"

static int attach(const struct interface *interface, int prog_fd, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int fd = bpf_link_create(prog_fd, interface->ifindex, BPF_XDP, &opts);

	return fd < 0 ? -errno : fd;
}

int xdp_occupied(const struct interface *interface)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	char name[PROGRAM_NAME_BYTES] = "";
	__u32 id = 0;

	if (!bpf_xdp_query(interface->ifindex, 0, &opts))
		id = opts.prog_id	? opts.prog_id
		     : opts.drv_prog_id ? opts.drv_prog_id
					: opts.skb_prog_id;
	if (!id)
		return fail(EBUSY,
			    "%s takes no XDP program now: it, or the bond or bridge it belongs to, "
			    "has another one",
			    interface->name);
	program_name(id, name);
	if (!strncmp(name, server_side.kernel_name, strlen(server_side.kernel_name)))
		return fail(EBUSY,
			    "%s already has a gate, which this pin directory does not know: detach "
			    "it with its own --pin-dir",
			    interface->name);
	return fail(EBUSY,
		    "%s already has an XDP program (%s, id %u) of somebody else: --shared lets "
		    "both run if that one uses libxdp too; else detach it first",
		    interface->name, name[0] ? name : "no name", id);
}

static int refused(const struct interface *interface, const char *mode, int err)
{
	if (err == -EBUSY || err == -EEXIST)
		return xdp_occupied(interface);
	if (err == -EPERM)
		return fail(EPERM,
			    "not allowed to attach to %s: run as root (it needs CAP_NET_ADMIN)",
			    interface->name);
	return fail(-err, "%s does not take the gate as %s XDP: %s%s", interface->name, mode,
		    cause(-err),
		    strcmp(mode, "native") ? "" : "; --mode generic works on every device");
}

int xdp_attach(const struct interface *interface, int prog_fd, enum xdp_mode mode, __u32 *hook,
	       char why[XDP_WHY_BYTES])
{
	int fd = -EOPNOTSUPP;

	why[0] = '\0';
	/* The native hook of a driver is for frames with Ethernet headers. */
	if (interface->l3 && mode == XDP_NATIVE)
		return fail(ENOTSUP,
			    "%s has no Ethernet headers, and so no native XDP: use --mode generic",
			    interface->name);
	*hook = TAP_HOOK_XDP_NATIVE;
	if (mode != XDP_GENERIC && !interface->l3)
		fd = attach(interface, prog_fd, XDP_FLAGS_DRV_MODE);
	if (fd >= 0)
		return fd;
	if (mode == XDP_NATIVE || fd == -EBUSY || fd == -EEXIST || fd == -EPERM)
		return refused(interface, "native", fd);
	if (mode == XDP_ANY && interface->l3)
		snprintf(why, XDP_WHY_BYTES, "no Ethernet headers");
	else if (mode == XDP_ANY)
		snprintf(why, XDP_WHY_BYTES, "its driver refuses native XDP: %s", strerror(-fd));
	*hook = TAP_HOOK_XDP_GENERIC;
	fd = attach(interface, prog_fd, XDP_FLAGS_SKB_MODE);
	return fd < 0 ? refused(interface, "generic", fd) : fd;
}
