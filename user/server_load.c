// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl server load: the first time, and again with other settings or more interfaces. The gate is
 * never opened on the way: programs are replaced in place, and with no service it passes all.
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/advice.h"
#include "user/barrier.h"
#include "user/clock.h"
#include "user/device_lint.h"
#include "user/gate.h"
#include "user/kernel.h"
#include "user/keyfile.h"
#include "user/load.h"
#include "user/programs.h"
#include "user/realm.h"
#include "user/server.h"
#include "user/settings.h"
#include "user/stacking.h"
#include "user/unload.h"
#include "user/verbs.h"
#include "user/xdp_shared.h"

/* What the callbacks of a load need. */
struct context {
	const struct server_options *options;
	const struct tap_realm *realm;
};

static void note_generic(const struct interface *interface)
{
	if (interface_hides_redirected(interface))
		note("%s: generic XDP is not shown what a TC program at the other end redirects: who "
		     "may load one there gets past the gate, and a splitter there does not get in; "
		     "native XDP sees all",
		     interface->name);
}

/* libxdp loads the program itself, once for each interface: it depends on the dispatcher there. */
static int attach_through_libxdp(struct load *load, struct step *step, bool generic)
{
	const struct context *context = load->options;
	bool alone = false;
	struct gate_bpf *gate;
	int err;

	gate = gate_open(load->tapctl, context->realm);
	if (!gate)
		return -EIO;
	err = xdp_shared_attach(&step->interface, gate->obj,
				step->interface.l3 ? "tap_gate_l3" : "tap_gate", generic, &alone);
	gate_bpf__destroy(gate);
	if (!err && (alone || generic))
		snprintf(step->why, sizeof(step->why), "%s%s%s", generic ? "generic" : "",
			 alone && generic ? "; " : "",
			 alone ? "alone: this kernel cannot run libxdp's dispatcher, so no other "
				 "XDP program fits beside the gate"
			       : "");
	if (!err && generic)
		note_generic(&step->interface);
	return err;
}

static int attach_shared(struct load *load, struct step *step)
{
	const struct context *context = load->options;
	enum xdp_mode mode = context->options->mode;
	int err;

	err = -EOPNOTSUPP;
	if (mode != XDP_GENERIC && !step->interface.l3)
		err = attach_through_libxdp(load, step, false);
	if (err != -EOPNOTSUPP || failure())
		return err;
	if (mode == XDP_NATIVE)
		return fail(ENOTSUP, "%s has no native XDP: --mode generic works on every device",
			    step->interface.name);
	return attach_through_libxdp(load, step, true);
}

static int attach(struct load *load, struct step *step)
{
	const struct context *context = load->options;
	struct xdp_shared_gate there;
	__u32 hook;
	int err, fd;

	if (context->options->shared) {
		err = xdp_shared_find(step->interface.ifindex, &there);
		if (err)
			return err;
		if (there.id)
			return xdp_occupied(&step->interface);
		err = load_record(load, step, TAP_HOOK_XDP_SHARED);
		return err ? err : attach_shared(load, step);
	}
	err = load_record(load, step, TAP_HOOK_XDP_NATIVE);
	if (err)
		return err;
	fd = xdp_attach(&step->interface, load_program(load, &step->interface),
			context->options->mode, &hook, step->why);
	if (fd < 0)
		return fd;
	/* The final hook is written before the pin makes the link outlive this process. */
	err = load_record(load, step, hook);
	if (err) {
		close(fd);
		return err;
	}
	if (hook == TAP_HOOK_XDP_GENERIC)
		note_generic(&step->interface);
	return load_pin_link(load, step, fd);
}

/* In the dispatcher the new gate runs behind the old one, which shuts out all, until that goes. */
static int replace_shared(struct load *load, struct step *step)
{
	struct xdp_shared_gate gate;
	int err;

	err = xdp_shared_find(step->interface.ifindex, &gate);
	if (err)
		return err;
	if (!gate.id)
		return fail(ENOENT, "the gate on %s has just gone: load it again",
			    step->interface.name);
	if (gate.alone)
		return xdp_shared_replace_alone(&step->interface,
						load_program(load, &step->interface));
	err = attach_through_libxdp(load, step, gate.generic);
	if (!err)
		err = xdp_shared_find(step->interface.ifindex, &gate);
	return err ? err : xdp_shared_detach(step->interface.ifindex, gate.id);
}

static int agrees(const struct load *load, const struct device *device)
{
	const struct server_options *o = ((const struct context *)load->options)->options;
	__u32 hook = device->record.hook;

	if (o->shared == (hook == TAP_HOOK_XDP_SHARED) &&
	    (o->shared || o->mode == XDP_ANY ||
	     (o->mode == XDP_NATIVE) == (hook == TAP_HOOK_XDP_NATIVE)))
		return 0;
	return fail(EEXIST,
		    "%s has the gate as %s, and a reload cannot change that: `tapctl server unload "
		    "-i %s` first, which opens its ports until the gate is back and keeps the rest",
		    device->name, hook_text(hook), device->name);
}

/* What libxdp has replaced cannot be taken back. */
static bool may_stay_replaced(const struct load *load)
{
	for (size_t i = 0; i < load->devices.n; i++)
		if (load->devices.at[i].record.hook == TAP_HOOK_XDP_SHARED)
			return true;
	return false;
}

/* Puts the programs in place, and the settings before or after them. */
static int put(struct load *load, const struct gate_bpf *gate, const struct server_change *change)
{
	struct interfaces wanted = change->options->interfaces;
	int err = 0;

	if (change->before)
		err = gate_write_settings(gate, change->realm);
	if (!err)
		err = load_run(load, &wanted);
	if (!err) {
		change->realm->rotating = 0;
		err = gate_write_settings(gate, change->realm);
		if (err)
			load_undo(load);
	}
	/* A rotation that is marked as unfinished fits programs with and without the new secret. */
	if (err && change->before && !may_stay_replaced(load))
		gate_write_settings(gate, change->before);
	return err;
}

int server_put(const struct tapctl *tapctl, const struct server_change *change)
{
	struct context context = { .options = change->options, .realm = change->realm };
	bool fresh = !pins_have(tapctl, server_side.settings);
	struct load *load = calloc(1, sizeof(*load));
	struct gate_bpf *gate = NULL;
	int err;

	if (!load)
		return fail(ENOMEM, "out of memory");
	*load = (struct load){ .tapctl = tapctl,
			       .side = &server_side,
			       .attach = attach,
			       .agrees = agrees,
			       .replace_shared = replace_shared,
			       .options = &context };
	load->devices.map = -1;
	gate = gate_load(tapctl, change->realm, !change->attached && !change->before);
	if (!gate) {
		err = -EIO;
		goto out;
	}
	load->ether_fd = bpf_program__fd(gate->progs.tap_gate);
	load->l3_fd = bpf_program__fd(gate->progs.tap_gate_l3);
	if (change->attached || change->options->interfaces.n)
		barrier_mark(tapctl, change->realm);
	err = put(load, gate, change);
	if (!err && change->report)
		err = change->report(load);
	if (!err) {
		if (change->realm->monitor)
			note("monitor: the gate judges and counts, but drops nothing, so every protected "
			     "port is open to everybody; `tapctl server load ... --monitor=off` ends that");
		advise_on_opened(tapctl, load->rules_before);
		device_lint_notes(tapctl, &server_side);
	}
out:
	if (err && fresh && !load->n)
		unload_all(tapctl, &server_side);
	load_end(load);
	gate_bpf__destroy(gate);
	free(load);
	return err;
}

int server_attached(const struct tapctl *tapctl, bool *any)
{
	struct devices devices;
	int err;

	err = devices_open(tapctl, &server_side, &devices);
	if (err)
		return err;
	*any = devices_any(&devices);
	devices_close(&devices);
	return 0;
}

/* The settings to load with: new ones, or those in force with changes. */
static int settle(const struct tapctl *tapctl, const struct server_options *options,
		  const struct realm_key *key, struct tap_realm *realm, bool *attached)
{
	int err;

	*attached = false;

	if (!pins_have(tapctl, server_side.settings)) {
		/* A tapctl that was killed may have left some of the maps. */
		err = unload_all(tapctl, &server_side);
		if (!err)
			err = settings_make(options, key, realm);
		if (!err)
			barrier_start(tapctl, realm, false);
		return err;
	}
	err = gate_read_settings(tapctl, realm);
	if (!err)
		err = settings_change(options, key, realm);
	if (!err)
		err = server_attached(tapctl, attached);
	/* The programs that are loaded now will have what the settings say, and no more. */
	if (!err && !realm_overlaps(realm, time(NULL)))
		realm_forget_older(realm);
	realm->rotating = 0;
	/* What passed while no gate was there has no record; what it admitted before has. */
	if (!err && !*attached)
		barrier_start(tapctl, realm, true);
	return err;
}

int server_load(const struct tapctl *tapctl, int argc, char **argv)
{
	struct realm_key key;
	struct server_options options;
	struct tap_realm realm;
	struct server_change change = {
		.options = &options,
		.realm = &realm,
		.report = load_print,
	};
	int err, lock = -1;

	err = settings_read_options(argc, argv, &options);
	if (err)
		return err;
	sodium_mlock(&key, sizeof(key));
	sodium_mlock(&realm, sizeof(realm));
	err = kernel_check();
	if (!err)
		err = keyfile_read(options.realm_key, (unsigned char *)&key, sizeof(key));
	if (!err)
		err = lock = pins_open(tapctl, PINS_CREATE);
	if (err < 0)
		goto out;
	err = stacking_check(tapctl, &options.interfaces);
	if (!err)
		err = settle(tapctl, &options, &key, &realm, &change.attached);
	if (!err)
		err = server_put(tapctl, &change);
	if (!err)
		advise_on_cookies(tapctl);
	/* Only if it is empty. */
	if (err)
		pins_remove_directory(tapctl);
out:
	sodium_munlock(&key, sizeof(key));
	sodium_munlock(&realm, sizeof(realm));
	if (lock >= 0)
		close(lock);
	return err;
}
