// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replays push no record out of the map that it must keep. An insertion with BPF_NOEXIST takes a free
 * entry of an LRU map before it looks whether the record is there, and an old record goes to make
 * one free. Here a map of the gate's size and kind is full, and ten million insertions of records that
 * exist follow, from all CPUs at once. The last replay_size records must all be there after that.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "selftests/common/check.h"
#include "tap/maps.h"
#include "full.skel.h"

#define REPLAY_SIZE TAP_REPLAY_SIZE_DEFAULT
#define REPLAYS 10000000u
#define AT_ONCE 500000u /* insertions in one run */
#define THREADS_MAX 64

static struct full_bpf *bpf;
static unsigned int cpus;

struct driver {
	pthread_t thread;
	int cpu, program;
	__u32 times;
};

static void *drive(void *argument)
{
	const struct driver *self = argument;
	__u32 times, left;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(self->cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		give_up("CPU %d is not there", self->cpu);
	for (left = self->times; left; left -= times) {
		times = left < AT_ONCE ? left : AT_ONCE;
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &times, .ctx_size_in = sizeof(times));
		if (bpf_prog_test_run_opts(self->program, &opts))
			give_up("test run: %s", strerror(errno));
	}
	return NULL;
}

static void drive_all(const struct bpf_program *program, __u32 times)
{
	struct driver drivers[THREADS_MAX];
	unsigned int i;

	for (i = 0; i < cpus; i++) {
		drivers[i] = (struct driver){ .cpu = i, .program = bpf_program__fd(program),
					      .times = times / cpus };
		if (pthread_create(&drivers[i].thread, NULL, drive, &drivers[i]))
			give_up("no threads");
	}
	for (i = 0; i < cpus; i++)
		pthread_join(drivers[i].thread, NULL);
}

/* How many of the records with numbers from..to-1 are there. */
static __u64 count_records(__u64 from, __u64 to)
{
	struct tap_replay_key record = { 0 };
	__u64 there = 0;
	__u32 value;

	for (record.tag = from; record.tag < to; record.tag++)
		there += !bpf_map_lookup_elem(bpf_map__fd(bpf->maps.tap_replay), &record, &value);
	return there;
}

/* fewer: entries that the map has less than the gate's. */
static void load(__u32 fewer)
{
	int possible = libbpf_num_possible_cpus(), err;

	if (possible < 1)
		give_up("cannot count the CPUs: %s", strerror(-possible));
	bpf = full_bpf__open();
	if (!bpf)
		give_up("the program does not open: %s", strerror(errno));
	bpf->rodata->newest = REPLAY_SIZE;
	bpf_map__set_max_entries(bpf->maps.tap_replay,
				 REPLAY_SIZE + TAP_REPLAY_SPARE_PER_CPU * possible - fewer);
	err = full_bpf__load(bpf);
	if (err)
		give_up("the program does not load: %s (run as root)", strerror(-err));
}

static void run(bool spare)
{
	int possible = libbpf_num_possible_cpus();
	__u64 made, older, older_after, kept;

	/* Without spare entries records must be missing, or this test is none. */
	load(spare ? 0 : TAP_REPLAY_SPARE_PER_CPU * possible);
	drive_all(bpf->progs.full_make, 2 * REPLAY_SIZE);
	made = bpf->bss->next_new;
	check(!bpf->bss->failed, "%llu records could not be made", bpf->bss->failed);
	/* A look-up from user space marks no record as used. */
	older = count_records(0, made - REPLAY_SIZE);
	drive_all(bpf->progs.full_repeat, REPLAYS);
	older_after = count_records(0, made - REPLAY_SIZE);
	kept = count_records(made - REPLAY_SIZE, made);
	printf("# map of %u: %llu replays found, %llu inserted, %llu other errors; of the last %u records "
	       "%llu are there; of older ones %llu before and %llu after\n",
	       bpf_map__max_entries(bpf->maps.tap_replay), bpf->bss->found, bpf->bss->lost,
	       bpf->bss->failed, REPLAY_SIZE, kept, older, older_after);
	if (spare) {
		check(bpf->bss->found == REPLAYS / cpus * cpus,
		      "%llu of %u replays were found on record", bpf->bss->found, REPLAYS);
		check(!bpf->bss->lost, "%llu replays were inserted", bpf->bss->lost);
		check(!bpf->bss->failed, "%llu insertions failed otherwise", bpf->bss->failed);
		check(kept == REPLAY_SIZE, "%llu of the last %u records are gone",
		      REPLAY_SIZE - kept, REPLAY_SIZE);
		check(older, "the map was not full of older records");
	} else {
		check(bpf->bss->lost, "without spare entries no record was missing");
	}
	full_bpf__destroy(bpf);
}

int main(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	cpus = online < THREADS_MAX ? online : THREADS_MAX;
	run(true);
	run(false);
	return check_summary("full");
}
