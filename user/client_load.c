// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl client load: the splitter on interfaces, by TCX where the kernel has it, else as a classic
 * tc filter. Never both on one interface: SYNs would be split twice.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/clsact.h"
#include "user/device_lint.h"
#include "user/kernel.h"
#include "user/load.h"
#include "user/parse.h"
#include "user/programs.h"
#include "user/splitter.h"
#include "user/tcx.h"
#include "user/unload.h"
#include "user/verbs.h"

enum hook_wish { HOOK_AUTO, HOOK_TCX, HOOK_CLSACT };

struct client_options {
	struct interfaces interfaces;
	enum hook_wish hook;
};

static int read_options(int argc, char **argv, struct client_options *o)
{
	static const struct option options[] = { { "interface", required_argument, NULL, 'i' },
						 { "hook", required_argument, NULL, 'h' },
						 { 0 } };
	static const char *const hooks[] = { "auto", "tcx", "clsact", NULL };
	int option, err;
	__u8 hook = 0;

	memset(o, 0, sizeof(*o));
	options_start();
	while ((option = options_next(argc, argv, ":i:", options)) != OPTIONS_END) {
		if (option == 'i') {
			options_again(option);
			err = interfaces_add(&o->interfaces, optarg);
		} else if (option == 'h') {
			err = parse_choice("--hook", optarg, hooks, &hook);
		} else {
			err = USAGE;
		}
		if (err)
			return err;
	}
	o->hook = hook;
	if (optind < argc)
		return usage("unexpected word \"%s\": interfaces are named by -i", argv[optind]);
	if (!o->interfaces.n)
		return usage("which interface? -i eth0");
	return 0;
}

static int attach_clsact(struct load *load, struct step *step)
{
	const struct interface *interface = &step->interface;
	bool made = false;
	int err;

	step->device.record.tc_handle = CLSACT_HANDLE;
	step->device.record.tc_priority = CLSACT_PRIORITY;
	/* Written before it is made, or nobody would remove it after a tapctl killed in between. */
	step->device.record.own_qdisc = !clsact_has_qdisc(interface->ifindex);
	err = load_record(load, step, TAP_HOOK_CLSACT);
	if (!err)
		err = clsact_make_qdisc(interface->name, interface->ifindex, &made);
	/* Somebody else was faster: it is theirs. */
	if (!err && step->device.record.own_qdisc != made) {
		step->device.record.own_qdisc = made;
		err = load_record(load, step, TAP_HOOK_CLSACT);
	}
	if (!err)
		err = clsact_attach(interface->name, interface->ifindex,
				    load_program(load, interface), false);
	/* Also where making it failed: the kernel may have done it, and only its answer was lost. */
	if (err && step->device.record.own_qdisc)
		clsact_remove_empty_qdisc(interface->ifindex);
	return err;
}

static int attach_tcx(struct load *load, struct step *step, enum hook_wish wish)
{
	const struct interface *interface = &step->interface;
	int err, fd;

	err = load_record(load, step, TAP_HOOK_TCX);
	if (err)
		return err;
	fd = tcx_attach(interface->ifindex, load_program(load, interface));
	if (fd >= 0)
		return load_pin_link(load, step, fd);
	if (fd != -EINVAL)
		return fail(-fd, "cannot attach the splitter to %s by TCX: %s", interface->name,
			    cause(-fd));
	if (wish == HOOK_TCX)
		return fail(ENOTSUP, "this kernel has no TCX, which came with Linux 6.6: use "
				     "--hook clsact");
	snprintf(step->why, sizeof(step->why), "this kernel has no TCX");
	return attach_clsact(load, step);
}

static int attach(struct load *load, struct step *step)
{
	const struct client_options *options = load->options;
	const struct interface *interface = &step->interface;
	__u32 id;
	int there;

	there = tcx_has_program(interface->ifindex, client_side.kernel_name);
	if (there < 0)
		return there;
	if (there)
		return fail(EBUSY,
			    "%s already has a splitter, which this pin directory does not know: "
			    "detach it with its own --pin-dir; two would split every SYN twice",
			    interface->name);
	there = clsact_program(interface->ifindex, &id);
	if (!there)
		there = program_is(id, client_side.kernel_name);
	if (there)
		return there < 0 ? there : clsact_occupied(interface->name);
	if (options->hook == HOOK_CLSACT)
		return attach_clsact(load, step);
	return attach_tcx(load, step, options->hook);
}

static int agrees(const struct load *load, const struct device *device)
{
	const struct client_options *options = load->options;

	if (options->hook == HOOK_AUTO ||
	    (options->hook == HOOK_TCX) == (device->record.hook == TAP_HOOK_TCX))
		return 0;
	return fail(EEXIST,
		    "%s has the splitter as %s, and a reload cannot change that: `tapctl client "
		    "unload -i %s` first",
		    device->name, hook_text(device->record.hook), device->name);
}

/* What this call made is gone again if it fails. */
static int run(const struct tapctl *tapctl, struct client_options *options)
{
	bool fresh = !pins_have(tapctl, client_side.settings);
	struct load *load = calloc(1, sizeof(*load));
	struct splitter_bpf *splitter = NULL;
	struct tap_client client;
	int err;

	if (!load)
		return fail(ENOMEM, "out of memory");
	*load = (struct load){ .tapctl = tapctl,
			       .side = &client_side,
			       .attach = attach,
			       .agrees = agrees,
			       .options = options };
	load->devices.map = -1;
	/* A tapctl that was killed may have left some of the maps. */
	err = fresh ? unload_all(tapctl, &client_side) : 0;
	if (err)
		goto out;
	splitter_settings(&client);
	splitter = splitter_load(tapctl, &client);
	if (!splitter) {
		err = -EIO;
		goto out;
	}
	load->ether_fd = bpf_program__fd(splitter->progs.tap_split);
	load->l3_fd = bpf_program__fd(splitter->progs.tap_split_l3);
	err = load_run(load, &options->interfaces);
	if (!err)
		err = load_print(load);
	if (!err)
		device_lint_notes(tapctl, &client_side);
out:
	if (err && fresh && !load->n)
		unload_all(tapctl, &client_side);
	load_end(load);
	splitter_bpf__destroy(splitter);
	free(load);
	return err;
}

int client_load(const struct tapctl *tapctl, int argc, char **argv)
{
	struct client_options options;
	int err, lock;

	err = read_options(argc, argv, &options);
	if (!err)
		err = kernel_check();
	if (err)
		return err;
	lock = pins_open(tapctl, PINS_CREATE);
	if (lock < 0)
		return lock;
	err = run(tapctl, &options);
	/* Only if it is empty. */
	if (err)
		pins_remove_directory(tapctl);
	close(lock);
	return err;
}
