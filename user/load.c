// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and reloading, for both sides. New interfaces come first: that is what may fail. Then the
 * programs that are attached are replaced in place, without a gap; whatever was done is taken back
 * if a later step fails.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/clsact.h"
#include "user/link.h"
#include "user/load.h"
#include "user/output.h"
#include "user/programs.h"
#include "user/rule_device.h"
#include "user/xdp_shared.h"

int load_program(const struct load *load, const struct interface *interface)
{
	return interface->l3 ? load->l3_fd : load->ether_fd;
}

int load_record(struct load *load, struct step *step, __u32 hook)
{
	step->device.record.hook = hook;
	return device_record(&load->devices, &step->device);
}

int load_pin_link(struct load *load, const struct step *step, int link_fd)
{
	char path[PINS_PATH_BYTES];
	int err = 0;

	device_link_path(load->tapctl, load->side, step->interface.ifindex, path);
	if (bpf_obj_pin(link_fd, path))
		err = fail(errno, "cannot pin the link of %s at %s: %s", step->interface.name, path,
			   cause(errno));
	close(link_fd);
	return err;
}

static struct step *new_step(struct load *load, const struct interface *interface)
{
	struct step *step = &load->steps[load->n++];

	memset(step, 0, sizeof(*step));
	step->interface = *interface;
	step->old_prog = -1;
	return step;
}

/* Clears away what is left of interfaces that had the name or the number of a new one. */
static int clear_remains(struct load *load, const struct interface *interface)
{
	for (size_t i = 0; i < load->devices.n; i++) {
		const struct device *device = &load->devices.at[i];
		int err;

		if (device->state != DEVICE_GONE)
			continue;
		if (device->ifindex != interface->ifindex && !device_is(device, interface->name))
			continue;
		err = device_remove(load->tapctl, load->side, &load->devices, device);
		if (err)
			return err;
	}
	return 0;
}

static int record_program(struct load *load, struct step *step)
{
	int err = device_program(load->tapctl, load->side, &step->device,
				 &step->device.record.prog_id);

	return err ? err : device_record(&load->devices, &step->device);
}

static int add(struct load *load, const struct interface *interface)
{
	struct step *step;
	int err;

	if (load->n == TAP_DEVICES_MAX)
		return fail(E2BIG, "more than %d interfaces at once are not possible",
			    TAP_DEVICES_MAX);
	err = clear_remains(load, interface);
	if (err)
		return err;
	step = new_step(load, interface);
	step->added = true;
	step->device.ifindex = interface->ifindex;
	step->device.state = DEVICE_GONE;
	err = interfaces_netns(&step->device.record.netns);
	if (err)
		return err;
	memcpy(step->device.name, interface->name, sizeof(step->device.name));
	memcpy(step->device.record.name, interface->name, sizeof(step->device.record.name));
	err = load->attach(load, step);
	if (err)
		return err;
	step->device.state = DEVICE_ATTACHED;
	return record_program(load, step);
}

static struct device *attached(struct load *load, __u32 ifindex)
{
	for (size_t i = 0; i < load->devices.n; i++)
		if (load->devices.at[i].ifindex == ifindex &&
		    load->devices.at[i].state == DEVICE_ATTACHED)
			return &load->devices.at[i];
	return NULL;
}

static enum ruleset_side ruleset_of(const struct load *load)
{
	return load->side == &server_side ? RULESET_SERVER : RULESET_CLIENT;
}

/*
 * Looks up the devices of the rules again. Comes before anything is attached, or a device that was
 * made anew would be open for a moment; one that is replaced after this look has no number that could
 * be attached to.
 */
static int resolve_rules(struct load *load)
{
	struct tap_ruleset *before = NULL, *set = NULL;
	int err;

	err = ruleset_read(load->tapctl, ruleset_of(load), &before);
	if (!err)
		err = ruleset_read(load->tapctl, ruleset_of(load), &set);
	if (!err)
		err = rule_devices_resolve(set, load->side, &load->devices);
	if (err > 0) {
		err = ruleset_publish(load->tapctl, ruleset_of(load), set);
		if (!err) {
			load->rules_before = before;
			before = NULL;
		}
	}
	free(before);
	free(set);
	return err;
}

static void undo_rules(struct load *load)
{
	if (load->rules_before)
		ruleset_publish(load->tapctl, ruleset_of(load), load->rules_before);
	free(load->rules_before);
	load->rules_before = NULL;
}

static int add_wanted(struct load *load, struct interfaces *wanted)
{
	const struct device *device;
	int err;

	/* First look at all: most mistakes are found before anything is touched. */
	for (size_t i = 0; i < wanted->n; i++) {
		err = interface_find(&wanted->at[i]);
		if (err)
			return err;
		device = attached(load, wanted->at[i].ifindex);
		err = device ? load->agrees(load, device) : 0;
		if (err)
			return err;
	}
	err = resolve_rules(load);
	if (err)
		return err;
	for (size_t i = 0; i < wanted->n; i++) {
		if (attached(load, wanted->at[i].ifindex))
			continue;
		err = add(load, &wanted->at[i]);
		if (err)
			return err;
	}
	return 0;
}

static int put_program(struct load *load, const struct step *step, int prog_fd)
{
	const struct device *device = &step->device;
	char path[PINS_PATH_BYTES];
	int err;

	if (device->record.hook == TAP_HOOK_CLSACT)
		return clsact_attach(device->name, device->ifindex, prog_fd, true);
	device_link_path(load->tapctl, load->side, device->ifindex, path);
	err = link_replace(path, prog_fd);
	return err ? fail(-err, "cannot replace the %s on %s: %s", load->side->program,
			  device->name, cause(-err))
		   : 0;
}

static int replace(struct load *load, const struct device *device)
{
	struct interface interface = { .ifindex = device->ifindex };
	char name[PROGRAM_NAME_BYTES];
	struct step *step;
	__u32 id;
	int err;

	/* The program that is there tells what frames it gets; the interface may not be here. */
	err = device_program(load->tapctl, load->side, device, &id);
	if (!err)
		err = program_name(id, name);
	if (err)
		return err;
	interface.l3 = strstr(name, "_l3") != NULL;
	memcpy(interface.name, device->name, sizeof(interface.name));
	step = new_step(load, &interface);
	step->device = *device;
	memcpy(step->device.record.name, device->name, sizeof(step->device.record.name));
	step->old_prog = bpf_prog_get_fd_by_id(id);
	if (step->old_prog < 0)
		return fail(errno, "cannot hold the %s that is on %s now: %s", load->side->program,
			    device->name, cause(errno));
	err = device->record.hook == TAP_HOOK_XDP_SHARED
		      ? load->replace_shared(load, step)
		      : put_program(load, step, load_program(load, &interface));
	if (err)
		return err;
	return record_program(load, step);
}

/* What cannot be taken back, a change of libxdp's dispatcher, comes last. */
static int replace_others(struct load *load)
{
	for (int shared = 0; shared < 2; shared++) {
		for (size_t i = 0; i < load->devices.n; i++) {
			const struct device *device = &load->devices.at[i];
			int err;

			if (device->state != DEVICE_ATTACHED ||
			    (device->record.hook == TAP_HOOK_XDP_SHARED) != shared)
				continue;
			err = replace(load, device);
			if (err)
				return err;
		}
	}
	return 0;
}

/* Taking back must not hide why: what it records as failures comes second, fail() ignores it. */
static void undo_step(struct load *load, const struct step *step)
{
	if (step->added && step->device.state == DEVICE_ATTACHED)
		device_remove(load->tapctl, load->side, &load->devices, &step->device);
	else if (step->added)
		device_forget(&load->devices, step->interface.ifindex);
	else if (step->old_prog >= 0 && step->device.record.hook != TAP_HOOK_XDP_SHARED)
		put_program(load, step, step->old_prog);
}

void load_undo(struct load *load)
{
	while (load->n) {
		struct step *step = &load->steps[--load->n];

		undo_step(load, step);
		if (step->old_prog >= 0)
			close(step->old_prog);
	}
	undo_rules(load);
}

int load_run(struct load *load, struct interfaces *wanted)
{
	int err;

	load->n = 0;
	err = devices_open(load->tapctl, load->side, &load->devices);
	if (err)
		return err;
	err = devices_check_netns(&load->devices, load->side);
	if (!err)
		err = add_wanted(load, wanted);
	if (!err)
		err = replace_others(load);
	if (err)
		load_undo(load);
	return err;
}

void load_end(struct load *load)
{
	for (size_t i = 0; i < load->n; i++)
		if (load->steps[i].old_prog >= 0)
			close(load->steps[i].old_prog);
	free(load->rules_before);
	devices_close(&load->devices);
}

static int print_json(const struct load *load)
{
	json_t *list = json_array();

	for (size_t i = 0; i < load->n; i++) {
		const struct step *step = &load->steps[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s*}", "name",
						      step->interface.name, "action",
						      step->added ? "attached" : "reloaded", "hook",
						      hook_label(step->device.record.hook), "why",
						      step->why[0] ? step->why : NULL));
	}
	return output_json(json_pack("{s:o}", "interfaces", list));
}

int load_print(const struct load *load)
{
	if (load->tapctl->json)
		return print_json(load);
	for (size_t i = 0; i < load->n; i++) {
		const struct step *step = &load->steps[i];

		printf("%s: %s %s, %s", step->interface.name, load->side->program,
		       step->added ? "attached" : "reloaded", hook_text(step->device.record.hook));
		printf(step->why[0] ? " (%s)\n" : "\n", step->why);
	}
	return output_flush();
}
