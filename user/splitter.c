// SPDX-License-Identifier: GPL-2.0-only
/*
 * The splitter's BPF object and its settings.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/clock.h"
#include "user/programs.h"
#include "user/side.h"
#include "user/splitter.h"

#define PORT_RANGE "/proc/sys/net/ipv4/ip_local_port_range"

void splitter_settings(struct tap_client *client)
{
	unsigned int lo = 32768, hi = 60999; /* the kernel's defaults */
	FILE *file;

	file = fopen(PORT_RANGE, "re");
	if (!file || fscanf(file, "%u %u", &lo, &hi) != 2 || !lo || lo > hi || hi > 65535) {
		lo = 32768;
		hi = 60999;
	}
	if (file)
		fclose(file);
	memset(client, 0, sizeof(*client));
	client->tai_minus_utc_ns = clock_tai_minus_utc_ns();
	client->port_lo = lo;
	client->port_hi = hi;
}

static int store(const struct splitter_bpf *splitter, const struct tap_client *client)
{
	__u32 zero = 0;

	if (!bpf_map_update_elem(bpf_map__fd(splitter->maps.tap_client), &zero, client, BPF_ANY))
		return 0;
	return fail(errno, "cannot store the splitter's settings: %s", cause(errno));
}

struct splitter_bpf *splitter_load(const struct tapctl *tapctl, const struct tap_client *client)
{
	struct splitter_bpf *splitter;
	int err;

	splitter = splitter_bpf__open();
	if (!splitter) {
		fail(errno, "cannot open the splitter's BPF object: %s", cause(errno));
		return NULL;
	}
	err = programs_take_maps(tapctl, &client_side, splitter->obj);
	if (err)
		goto out;
	err = splitter_bpf__load(splitter);
	if (err) {
		programs_refused(&client_side, err);
		goto out;
	}
	err = program_check_name(&client_side, bpf_program__fd(splitter->progs.tap_split));
	if (!err)
		err = programs_pin_maps(tapctl, &client_side, splitter->obj);
	if (!err)
		err = store(splitter, client);
	if (!err)
		err = programs_pin_settings(tapctl, &client_side, splitter->obj);
out:
	if (!err)
		return splitter;
	splitter_bpf__destroy(splitter);
	return NULL;
}
