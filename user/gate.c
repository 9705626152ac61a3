// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate's BPF object and its settings: constants in the program, maps taken over or made.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "user/derive.h"
#include "user/gate.h"
#include "user/kernel.h"
#include "user/pins.h"
#include "user/programs.h"
#include "user/side.h"

int gate_read_settings(const struct tapctl *tapctl, struct tap_realm *realm)
{
	__u32 zero = 0;
	int fd, err = 0;

	fd = pins_map(tapctl, server_side.settings);
	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, realm))
		err = fail(errno, "cannot read the gate's settings: %s", cause(errno));
	close(fd);
	return err;
}

int gate_write_settings(const struct gate_bpf *gate, const struct tap_realm *realm)
{
	__u32 zero = 0;

	if (!bpf_map_update_elem(bpf_map__fd(gate->maps.tap_realm), &zero, realm, BPF_ANY))
		return 0;
	return fail(errno, "cannot store the gate's settings: %s", cause(errno));
}

static void set_constants(struct gate_bpf *gate, const struct tap_realm *realm)
{
	struct kernel_functions has = kernel_functions();
	struct tap_gate_constants constants = {
		.veil = realm->veil,
		.place = realm->place,
		.skew = realm->skew,
		.replay_size = realm->replay_size,
		.frames = realm->frames,
		.group_by = realm->group_by,
		.monitor = realm->monitor,
		.sealed = realm->mark_mode == TAP_MARK_SEALED,
		.conntrack = has.conntrack,
		.pull = has.pull,
		.cookie_acks = realm->cookie_acks,
	};

	if (constants.sealed)
		derive_marks(&realm->mark, constants.marks);
	else
		memset(constants.marks, 0xff, sizeof(constants.marks));
	memcpy((void *)&gate->rodata->gate, &constants, sizeof(constants));
	sodium_memzero(&constants, sizeof(constants));
}

struct gate_bpf *gate_open(const struct tapctl *tapctl, const struct tap_realm *realm)
{
	__u32 spare = TAP_REPLAY_SPARE_PER_CPU * libbpf_num_possible_cpus();
	struct gate_bpf *gate;
	int err;

	gate = gate_bpf__open();
	if (!gate) {
		fail(errno, "cannot open the gate's BPF object: %s", cause(errno));
		return NULL;
	}
	set_constants(gate, realm);
	err = bpf_map__set_max_entries(gate->maps.tap_replay, realm->replay_size + spare);
	if (err)
		fail(-err, "cannot set the size of the replay map: %s", cause(-err));
	else
		err = programs_take_maps(tapctl, &server_side, gate->obj);
	if (!err)
		return gate;
	gate_bpf__destroy(gate);
	return NULL;
}

struct gate_bpf *gate_load(const struct tapctl *tapctl, const struct tap_realm *realm, bool store)
{
	struct gate_bpf *gate;
	int err;

	gate = gate_open(tapctl, realm);
	if (!gate)
		return NULL;
	err = gate_bpf__load(gate);
	if (err) {
		programs_refused(&server_side, err);
		goto out;
	}
	err = program_check_name(&server_side, bpf_program__fd(gate->progs.tap_gate));
	if (!err)
		err = programs_pin_maps(tapctl, &server_side, gate->obj);
	if (!err && store)
		err = gate_write_settings(gate, realm);
	if (!err)
		err = programs_pin_settings(tapctl, &server_side, gate->obj);
out:
	if (!err)
		return gate;
	gate_bpf__destroy(gate);
	return NULL;
}
