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

/* 1 or 0, or a negative errno after fail(). */
static int is_gate(const struct xdp_program *program)
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
		err = program ? is_gate(program) : 0;
		return err > 0 ? visit(program, context) : err;
	}
	while ((program = xdp_multiprog__next_prog(program, multi))) {
		err = is_gate(program);
		if (err > 0)
			err = visit(program, context);
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

/* *multi: NULL where no program is. */
static int programs_on(__u32 ifindex, struct xdp_multiprog **multi)
{
	int err;

	*multi = xdp_multiprog__get_from_ifindex(ifindex);
	err = libxdp_get_error(*multi);
	if (err)
		*multi = NULL;
	if (!err || err == -ENOENT || err == -ENODEV)
		return 0;
	return fail(-err, "libxdp cannot look at interface %u: %s", ifindex, cause(-err));
}

int xdp_shared_find(__u32 ifindex, struct xdp_shared_gate *gate)
{
	struct xdp_multiprog *multi;
	int err;

	*gate = (struct xdp_shared_gate){ 0 };
	err = programs_on(ifindex, &multi);
	if (!multi)
		return err;
	err = for_each_gate(multi, greatest_id, &gate->id);
	gate->alone = xdp_multiprog__is_legacy(multi);
	gate->generic = xdp_multiprog__attach_mode(multi) == XDP_MODE_SKB;
	xdp_multiprog__close(multi);
	return err;
}

/* What was attached must be found again, or it would stay for good: else it goes at once. */
static int look_again(struct xdp_program *program, const struct interface *interface,
		      enum xdp_attach_mode mode, struct xdp_shared_gate *gate)
{
	int err = xdp_shared_find(interface->ifindex, gate);

	if (!err && !gate->id)
		err = fail(EIO,
			   "libxdp attached the gate to %s, but it is not there: see `xdp-loader "
			   "status`",
			   interface->name);
	if (err)
		xdp_program__detach(program, interface->ifindex, mode, 0);
	return err;
}

int xdp_shared_attach(const struct interface *interface, struct bpf_object *object,
		      const char *name, bool generic, bool *alone)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .obj = object, .prog_name = name);
	enum xdp_attach_mode mode = generic ? XDP_MODE_SKB : XDP_MODE_NATIVE;
	struct xdp_program *program;
	struct xdp_shared_gate gate;
	int err;

	/* libxdp pins its dispatcher here. */
	err = bpffs_mount();
	if (err)
		return err;
	program = xdp_program__create(&opts);
	err = libxdp_get_error(program);
	if (err)
		return fail(-err, "libxdp does not take the gate: %s", cause(-err));
	err = xdp_program__attach(program, interface->ifindex, mode, 0);
	if (!err)
		err = look_again(program, interface, mode, &gate);
	else /* the kernel may have done it all the same, and only its answer was lost */
		xdp_program__detach(program, interface->ifindex, mode, 0);
	xdp_program__close(program);
	if (failure())
		return err;
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
			    cause(-err), kernel_log_cause());
	*alone = gate.alone;
	return 0;
}

int xdp_shared_replace_alone(const struct interface *interface, int prog_fd)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	struct xdp_shared_gate gate;
	int err;

	err = xdp_shared_find(interface->ifindex, &gate);
	if (err)
		return err;
	opts.old_prog_fd = bpf_prog_get_fd_by_id(gate.id);
	if (opts.old_prog_fd < 0)
		return fail(errno, "the gate on %s has just gone: load it again",
			    interface->name);
	err = bpf_xdp_attach(
		interface->ifindex, prog_fd,
		XDP_FLAGS_REPLACE | (gate.generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE), &opts);
	close(opts.old_prog_fd);
	return err ? fail(-err, "cannot replace the gate on %s: %s", interface->name,
			  cause(-err))
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
		struct xdp_multiprog *multi;

		err = programs_on(ifindex, &multi);
		if (!multi)
			return err;
		detaching.mode = xdp_multiprog__attach_mode(multi);
		err = for_each_gate(multi, detach_one, &detaching);
		xdp_multiprog__close(multi);
	}
	return err ? fail(-err, "libxdp cannot detach the gate from interface %u: %s (%s)", ifindex,
			  cause(-err), kernel_log_cause())
		   : 0;
}
