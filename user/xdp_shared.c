// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate through libxdp's dispatcher (--shared), beside other XDP programs.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "user/bpffs.h"
#include "user/kernel.h"
#include "user/programs.h"
#include "user/xdp_shared.h"

static bool is_gate(const struct xdp_program *program)
{
	return program_is(xdp_program__id(program), server_side.kernel_name);
}

/* Calls VISIT for each gate on the interface, in the dispatcher or alone. */
static int for_each_gate(struct xdp_multiprog *multi,
			 int (*visit)(struct xdp_program *program, void *context), void *context)
{
	struct xdp_program *program = NULL;
	int err;

	if (xdp_multiprog__is_legacy(multi)) {
		program = xdp_multiprog__main_prog(multi);
		return program && is_gate(program) ? visit(program, context) : 0;
	}
	while ((program = xdp_multiprog__next_prog(program, multi))) {
		err = is_gate(program) ? visit(program, context) : 0;
		if (err)
			return err;
	}
	return 0;
}

static int greatest_id(struct xdp_program *program, void *context)
{
	__u32 *id = context;

	if (xdp_program__id(program) > *id)
		*id = xdp_program__id(program);
	return 0;
}

static struct xdp_multiprog *programs_on(__u32 ifindex)
{
	struct xdp_multiprog *multi = xdp_multiprog__get_from_ifindex(ifindex);

	return libxdp_get_error(multi) ? NULL : multi;
}

__u32 xdp_shared_newest(__u32 ifindex)
{
	struct xdp_multiprog *multi = programs_on(ifindex);
	__u32 id = 0;

	if (!multi)
		return 0;
	for_each_gate(multi, greatest_id, &id);
	xdp_multiprog__close(multi);
	return id;
}

bool xdp_shared_present(__u32 ifindex, bool *alone, bool *generic)
{
	struct xdp_multiprog *multi = programs_on(ifindex);
	__u32 id = 0;

	if (!multi)
		return false;
	for_each_gate(multi, greatest_id, &id);
	*alone = xdp_multiprog__is_legacy(multi);
	*generic = xdp_multiprog__attach_mode(multi) == XDP_MODE_SKB;
	xdp_multiprog__close(multi);
	return id != 0;
}

int xdp_shared_attach(const struct interface *interface, struct bpf_object *object,
		      const char *name, bool generic, bool *alone)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .obj = object, .prog_name = name);
	struct xdp_program *program;
	bool ignored;
	int err;

	/* libxdp pins its dispatcher here. */
	err = bpffs_mount();
	if (err)
		return err;
	program = xdp_program__create(&opts);
	err = libxdp_get_error(program);
	if (err)
		return fail(-err, "libxdp does not take the gate: %s", strerror(-err));
	err = xdp_program__attach(program, interface->ifindex,
				  generic ? XDP_MODE_SKB : XDP_MODE_NATIVE, 0);
	xdp_program__close(program);
	if (err == -EBUSY || err == -EEXIST)
		return fail(EBUSY,
			    "%s has an XDP program that libxdp's dispatcher cannot run beside the "
			    "gate, because it was attached without libxdp or this kernel has no "
			    "dispatcher: `bpftool net` names it; detach it first",
			    interface->name);
	if (err == -EOPNOTSUPP && !generic)
		return err;
	if (err)
		return fail(-err, "libxdp cannot attach the gate to %s: %s (%s)", interface->name,
			    strerror(-err), kernel_log_cause());
	if (!xdp_shared_present(interface->ifindex, alone, &ignored))
		return fail(EIO,
			    "libxdp attached the gate to %s, but it is not there: see `xdp-loader "
			    "status`",
			    interface->name);
	return 0;
}

int xdp_shared_replace_alone(const struct interface *interface, int prog_fd)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	bool alone, generic = false;
	int err;

	xdp_shared_present(interface->ifindex, &alone, &generic);
	opts.old_prog_fd = bpf_prog_get_fd_by_id(xdp_shared_newest(interface->ifindex));
	if (opts.old_prog_fd < 0)
		return fail(errno, "the gate on %s is gone: unload it, then load again",
			    interface->name);
	err = bpf_xdp_attach(
		interface->ifindex, prog_fd,
		XDP_FLAGS_REPLACE | (generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE), &opts);
	close(opts.old_prog_fd);
	return err ? fail(-err, "cannot replace the gate on %s: %s", interface->name,
			  strerror(-err))
		   : 0;
}

struct detaching {
	__u32 ifindex;
	__u32 keep_id;
	enum xdp_attach_mode mode;
};

/* 1: one gate was detached, and with it the list that was being walked. */
static int detach_one(struct xdp_program *program, void *context)
{
	struct detaching *detaching = context;
	int err;

	if (xdp_program__id(program) == detaching->keep_id)
		return 0;
	err = xdp_program__detach(program, detaching->ifindex, detaching->mode, 0);
	return err ? err : 1;
}

int xdp_shared_detach(__u32 ifindex, __u32 keep_id)
{
	struct detaching detaching = { .ifindex = ifindex, .keep_id = keep_id };
	int err = 1;

	while (err == 1) {
		struct xdp_multiprog *multi = programs_on(ifindex);

		if (!multi)
			return 0;
		detaching.mode = xdp_multiprog__attach_mode(multi);
		err = for_each_gate(multi, detach_one, &detaching);
		xdp_multiprog__close(multi);
	}
	return err ? fail(-err, "libxdp cannot detach the gate from interface %u: %s (%s)", ifindex,
			  strerror(-err), kernel_log_cause())
		   : 0;
}
