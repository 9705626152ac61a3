// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the gate or the splitter is attached. Interfaces get renamed and made anew, links outlive
 * them, and tapctl may be killed at any point: so what a record says is checked with the kernel.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/clsact.h"
#include "user/devices.h"
#include "user/link.h"
#include "user/programs.h"
#include "user/xdp_shared.h"

static const struct {
	const char *text, *label;
} hooks[] = {
	[TAP_HOOK_XDP_NATIVE] = { "native XDP", "native" },
	[TAP_HOOK_XDP_GENERIC] = { "generic XDP", "generic" },
	[TAP_HOOK_XDP_SHARED] = { "XDP through libxdp", "shared" },
	[TAP_HOOK_TCX] = { "TCX", "tcx" },
	[TAP_HOOK_CLSACT] = { "tc filter (clsact)", "clsact" },
};

const char *hook_text(__u32 hook)
{
	return hook <= TAP_HOOK_CLSACT ? hooks[hook].text : "an unknown hook";
}

const char *hook_label(__u32 hook)
{
	return hook <= TAP_HOOK_CLSACT ? hooks[hook].label : "unknown";
}

void device_link_path(const struct tapctl *tapctl, const struct side *side, __u32 ifindex,
		      char path[PINS_PATH_BYTES])
{
	char name[32];

	snprintf(name, sizeof(name), "%s%u", side->link_prefix, ifindex);
	pins_path(tapctl, name, path);
}

/*
 * Of attachments without a link nothing can be seen from another network namespace; when that
 * namespace is gone, so is the program.
 */
static bool program_exists(__u32 prog_id)
{
	int fd;

	if (!prog_id)
		return false;
	fd = bpf_prog_get_fd_by_id(prog_id);
	if (fd < 0)
		return errno != ENOENT;
	close(fd);
	return true;
}

/* 1 or 0, or a negative errno after fail(). */
static int is_attached(const struct tapctl *tapctl, const struct side *side,
		       const struct device *device, bool here)
{
	char path[PINS_PATH_BYTES];
	struct xdp_shared_gate gate;
	__u32 prog_id;
	int err;

	switch (device->record.hook) {
	case TAP_HOOK_XDP_SHARED:
		if (!here)
			return program_exists(device->record.prog_id);
		err = xdp_shared_find(device->ifindex, &gate);
		return err ? err : gate.id != 0;
	case TAP_HOOK_CLSACT:
		if (!here)
			return program_exists(device->record.prog_id);
		err = clsact_program(device->ifindex, &prog_id);
		return err ? err : program_is(prog_id, side->kernel_name);
	default:
		device_link_path(tapctl, side, device->ifindex, path);
		return link_alive(path, &prog_id);
	}
}

static int look_at(const struct tapctl *tapctl, const struct side *side, struct device *device)
{
	__u64 netns;
	int attached, err;
	bool here;

	err = interfaces_netns(&netns);
	if (err)
		return err;
	here = device->record.netns == netns;
	memcpy(device->name, device->record.name, sizeof(device->name) - 1);
	attached = is_attached(tapctl, side, device, here);
	if (attached < 0)
		return attached;
	device->state = !attached ? DEVICE_GONE : here ? DEVICE_ATTACHED : DEVICE_ELSEWHERE;
	/* One that was moved to another namespace with its link keeps the name it is known by. */
	if (attached && here)
		if_indextoname(device->ifindex, device->name);
	return 0;
}

int device_program(const struct tapctl *tapctl, const struct side *side,
		   const struct device *device, __u32 *id)
{
	struct xdp_shared_gate gate;
	char path[PINS_PATH_BYTES];
	int err;

	switch (device->record.hook) {
	case TAP_HOOK_XDP_SHARED:
		err = xdp_shared_find(device->ifindex, &gate);
		*id = gate.id;
		break;
	case TAP_HOOK_CLSACT:
		err = clsact_program(device->ifindex, id);
		break;
	default:
		device_link_path(tapctl, side, device->ifindex, path);
		err = link_alive(path, id);
	}
	if (err >= 0 && *id)
		return 0;
	return fail(err < 0 ? -err : ENOENT,
		    "the %s on %s has just gone: run it again, `tapctl status` tells what is there",
		    side->program, device->name);
}

static int by_ifindex(const void *a, const void *b)
{
	const struct device *left = a, *right = b;

	return (left->ifindex > right->ifindex) - (left->ifindex < right->ifindex);
}

/* Reads the record after PREVIOUS: 1; 0 at the end; or a negative errno after fail(). */
static int read_record(const struct devices *devices, const __u32 *previous, struct device *device)
{
	memset(device, 0, sizeof(*device));
	if (!bpf_map_get_next_key(devices->map, previous, &device->ifindex)) {
		if (!bpf_map_lookup_elem(devices->map, &device->ifindex, &device->record))
			return 1;
	} else if (errno == ENOENT) {
		return 0;
	}
	return fail(errno, "cannot read which interfaces are attached: %s", cause(errno));
}

int devices_open(const struct tapctl *tapctl, const struct side *side, struct devices *devices)
{
	const __u32 *previous = NULL;
	int err = 0;

	devices->n = 0;
	devices->map = pins_map(tapctl, side->devices);
	if (devices->map < 0)
		return devices->map;
	while (devices->n < TAP_DEVICES_MAX) {
		struct device *device = &devices->at[devices->n];

		err = read_record(devices, previous, device);
		if (err <= 0)
			break;
		err = look_at(tapctl, side, device);
		if (err)
			break;
		previous = &device->ifindex;
		devices->n++;
	}
	if (err < 0) {
		devices_close(devices);
		return err;
	}
	qsort(devices->at, devices->n, sizeof(devices->at[0]), by_ifindex);
	return 0;
}

void devices_close(struct devices *devices)
{
	if (devices->map >= 0)
		close(devices->map);
	devices->map = -1;
}

bool devices_any(const struct devices *devices)
{
	for (size_t i = 0; i < devices->n; i++)
		if (devices->at[i].state != DEVICE_GONE)
			return true;
	return false;
}

int devices_check_netns(const struct devices *devices, const struct side *side)
{
	for (size_t i = 0; i < devices->n; i++) {
		const struct device *device = &devices->at[i];

		if (device->state == DEVICE_ELSEWHERE)
			return fail(EXDEV,
				    "the %s is attached to %s in another network namespace (inode "
				    "%llu): run this there (nsenter --net=/run/netns/NAME), or use "
				    "another --pin-dir here",
				    side->program, device->name,
				    (unsigned long long)device->record.netns);
	}
	return 0;
}

int device_record(const struct devices *devices, const struct device *device)
{
	if (!bpf_map_update_elem(devices->map, &device->ifindex, &device->record, BPF_ANY))
		return 0;
	if (errno == E2BIG)
		return fail(E2BIG,
			    "%d interfaces are attached already, and no more are possible: detach "
			    "some by unload -i",
			    TAP_DEVICES_MAX);
	return fail(errno, "cannot record that %s is attached: %s", device->name, cause(errno));
}

int device_forget(const struct devices *devices, __u32 ifindex)
{
	if (!bpf_map_delete_elem(devices->map, &ifindex) || errno == ENOENT)
		return 0;
	return fail(errno, "cannot remove the record of interface %u: %s", ifindex,
		    cause(errno));
}

bool device_is(const struct device *device, const char *name)
{
	return !strcmp(device->name, name);
}

int device_remove(const struct tapctl *tapctl, const struct side *side,
		  const struct devices *devices, const struct device *device)
{
	char path[PINS_PATH_BYTES];
	__u64 netns;
	int err = 0;

	/* What another namespace's interface of the same number carries is none of ours. */
	if (device->state == DEVICE_ATTACHED && device->record.hook == TAP_HOOK_XDP_SHARED)
		err = xdp_shared_detach(device->ifindex, 0);
	else if (device->state == DEVICE_ATTACHED && device->record.hook == TAP_HOOK_CLSACT)
		err = clsact_detach(device->name, device->ifindex);
	if (err)
		return err;
	if (device->record.own_qdisc && !interfaces_netns(&netns) && device->record.netns == netns)
		clsact_remove_empty_qdisc(device->ifindex);
	device_link_path(tapctl, side, device->ifindex, path);
	err = link_remove(path);
	return err ? err : device_forget(devices, device->ifindex);
}
