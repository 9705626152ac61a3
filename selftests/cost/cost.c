// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints what one flood SYN costs the gate, next to the least that any program can do with it, in the
 * kernel's program test runner. Figures, not a test: a busy machine must not fail it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sodium.h>

#include "selftests/common/check.h"
#include "selftests/fixtures/gate_run.h"
#include "cost.skel.h"
#include "gate.skel.h"

#define ROUNDS 15
#define REPEAT 400000

/* What is measured: each with the same packet again and again, and with another in each run. */
struct candidate {
	const char *name;
	const struct bpf_program *program;
	double target; /* times the floor; 0: none */
	double same[ROUNDS], varied[ROUNDS]; /* ns */
};

static struct cost_bpf *cost;
static uint8_t frame[PACKET_BYTES];
static unsigned int length;

static double measure(const struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = length,
		    .repeat = REPEAT);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
		give_up("test run: %s", strerror(errno));
	if (opts.retval != XDP_DROP)
		give_up("a flood SYN got verdict %u", opts.retval);
	return opts.duration;
}

static double measure_varied(const struct bpf_program *program)
{
	int fd = bpf_program__fd(program);
	__u32 zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(cost->maps.behind), &zero, &fd, BPF_ANY))
		give_up("tail call: %s", strerror(errno));
	return measure(cost->progs.cost_vary);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), by_value);
	return values[ROUNDS / 2];
}

/* A stranger's SYN, whose window is no mark of the realm; of the least size, or as Linux sends it. */
static void make_frame(const struct gate *sealed, bool options)
{
	struct packet packet;

	packet_syn(&packet, false, 12345, GATE_PORT, 1);
	if (!options) {
		packet.tcp_options_length = 0;
		packet.timestamp_at = 0;
	}
	packet.window = 2000;
	while (ref_is_mark(sealed->k_mark, packet.window))
		packet.window++;
	length = packet_build(&packet, frame);
}

static void print(struct candidate *candidates, unsigned int n, bool options)
{
	double same[n], varied[n];
	unsigned int i;

	for (i = 0; i < n; i++) {
		same[i] = median(candidates[i].same);
		varied[i] = median(candidates[i].varied);
	}
	printf("What a flood SYN %s costs (median of %d x %d runs in the test runner):\n\n",
	       options ? "with Linux's TCP options" : "of the least size", ROUNDS, REPEAT);
	printf("%-34s %18s   %24s\n", "", "one source", "another source each time");
	printf("%-34s %8s %9s   %8s %9s\n", "", "ns", "x floor", "ns", "x floor");
	for (i = 0; i < n; i++) {
		printf("%-34s %8.0f %9.2f   %8.0f %9.2f", candidates[i].name, same[i],
		       same[i] / same[1], varied[i], varied[i] / varied[1]);
		if (candidates[i].target)
			printf("   (aim: at most %.2f)", candidates[i].target);
		putchar('\n');
	}
	putchar('\n');
}

int main(void)
{
	struct gate_setup with_open_marks = { .open = true };
	struct gate sealed, open;
	int round, options, i;

	if (sodium_init() < 0)
		give_up("libsodium does not start");
	cost = cost_bpf__open_and_load();
	if (!cost)
		give_up("the programs to compare with do not load: %s", strerror(errno));
	gate_load(&sealed, NULL);
	gate_load(&open, &with_open_marks);

	struct candidate candidates[] = {
		{ .name = "empty program", .program = cost->progs.cost_nothing },
		{ .name = "floor: parse, count, drop", .program = cost->progs.cost_floor },
		{ .name = "gate, sealed marks", .program = sealed.bpf->progs.tap_gate,
		  .target = 1.25 },
		{ .name = "gate, open marks", .program = open.bpf->progs.tap_gate, .target = 1.6 },
	};
	const int n = sizeof(candidates) / sizeof(candidates[0]);

	for (options = 0; options < 2; options++) {
		make_frame(&sealed, options);
		for (round = 0; round < ROUNDS; round++)
			for (i = 0; i < n; i++) {
				candidates[i].same[round] = measure(candidates[i].program);
				candidates[i].varied[round] =
					measure_varied(candidates[i].program);
			}
		print(candidates, n, options);
	}
	gate_unload(&sealed);
	gate_unload(&open);
	cost_bpf__destroy(cost);
	return 0;
}
