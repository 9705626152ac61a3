// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate's BPF object and its settings: constants in the program, maps taken over or made.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/derive.h"
#include "user/gate.h"
#include "user/kernel.h"
#include "user/pins.h"
#include "user/programs.h"
#include "user/realm.h"
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

static void set_marks(struct tap_gate_constants *constants, __u32 i, const struct tap_sipkey *mark)
{
	if (constants->sealed)
		derive_marks(mark, constants->marks_of[i]);
	else
		memset(constants->marks_of[i], 0xff, sizeof(constants->marks_of[i]));
	for (__u32 word = 0; word < 65536 / 64; word++)
		constants->marks[word] |= constants->marks_of[i][word];
}

/* Secret 0 of the constants is the newest, 1 the one before it while that is taken. */
static void set_secrets(struct tap_gate_constants *constants, const struct tap_realm *realm)
{
	const struct tap_realm_secret *secret;

	constants->newest = realm->newest;
	constants->secrets = realm_overlaps(realm, time(NULL)) && realm_has_older(realm) ? 2 : 1;
	for (__u32 i = 0; i < constants->secrets; i++) {
		secret = &realm->secret[i ? !realm->newest : realm->newest];
		constants->veil[i] = secret->veil;
		set_marks(constants, i, &secret->mark);
	}
}

static void set_constants(struct gate_bpf *gate, const struct tap_realm *realm)
{
	struct kernel_functions has = kernel_functions();
	struct tap_gate_constants constants = {
		.place = realm->place,
		.skew = realm->skew,
		.replay_size = realm->replay_size,
		.default_rate = tap_default_rate(realm->replay_size, realm->skew),
		.encoding = realm->encoding,
		.group_by = realm->group_by,
		.monitor = realm->monitor,
		.sealed = realm->mark_mode == TAP_MARK_SEALED,
		.conntrack = has.conntrack,
		.pull = has.pull,
		.cookie_acks = realm->cookie_acks,
	};

	sodium_mlock(&constants, sizeof(constants));
	set_secrets(&constants, realm);
	memcpy((void *)&gate->rodata->gate, &constants, sizeof(constants));
	sodium_munlock(&constants, sizeof(constants)); /* wipes it, too */
}

struct gate_bpf *gate_open(const struct tapctl *tapctl, const struct tap_realm *realm)
{
	int cpus = libbpf_num_possible_cpus(); /* an LRU map has lists for each of them */
	struct gate_bpf *gate;
	int err;

	if (cpus <= 0) {
		fail(-cpus, "cannot tell how many CPUs this machine may have "
			    "(/sys/devices/system/cpu/possible), which the size of the replay map "
			    "depends on: %s", cause_file(-cpus));
		return NULL;
	}
	gate = gate_bpf__open();
	if (!gate) {
		fail(errno, "cannot open the gate's BPF object: %s", cause(errno));
		return NULL;
	}
	set_constants(gate, realm);
	err = bpf_map__set_max_entries(gate->maps.tap_replay,
				       realm->replay_size + TAP_REPLAY_SPARE_PER_CPU * cpus);
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
