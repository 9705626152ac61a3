// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the per-CPU counters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "user/counters.h"
#include "user/pins.h"

const struct counter_label reason_labels[TAP_REASON_COUNT] = {
#define X(label, text) { #label, text },
	TAP_REASONS(X)
#undef X
};

const struct counter_label split_labels[TAP_SPLIT_COUNT] = {
#define X(label, text) { #label, text },
	TAP_SPLITS(X)
#undef X
};

/* Adds up `n` counters; the map has one value for each possible CPU. */
static int sum(const struct tapctl *tapctl, const char *name, __u64 *counters, size_t n)
{
	static const __u32 only_entry;
	int cpus = libbpf_num_possible_cpus(), map, err = 0;
	__u64 *values;
	size_t i;

	if (cpus < 0)
		return fail(-cpus, "cannot tell how many CPUs there are: %s", cause(-cpus));
	map = pins_map(tapctl, name);
	if (map < 0)
		return map;
	values = calloc(cpus, n * sizeof(*values));
	if (!values)
		err = fail(ENOMEM, "out of memory");
	else if (bpf_map_lookup_elem(map, &only_entry, values))
		err = fail(errno, "cannot read the counters %s: %s", name, cause(errno));
	for (i = 0; !err && i < cpus * n; i++)
		counters[i % n] += values[i];
	free(values);
	close(map);
	return err;
}

int counters_read(const struct tapctl *tapctl, struct counters *counters)
{
	int lock, err = 0;

	memset(counters, 0, sizeof(*counters));
	lock = pins_open(tapctl, PINS_READ);
	if (lock < 0)
		return lock;
	counters->server = pins_have(tapctl, "tap_stats");
	counters->client = pins_have(tapctl, "tap_client_stats");
	if (!counters->server && !counters->client)
		err = fail(ENOENT, "nothing is loaded in %s: run 'tapctl server load' or 'tapctl client load'",
			   tapctl->pin_dir);
	if (counters->server)
		err = sum(tapctl, "tap_stats", counters->reasons, TAP_REASON_COUNT);
	if (!err && counters->client)
		err = sum(tapctl, "tap_client_stats", counters->splits, TAP_SPLIT_COUNT);
	close(lock);
	return err;
}
