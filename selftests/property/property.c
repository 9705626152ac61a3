// SPDX-License-Identifier: GPL-2.0-only
/*
 * No group is ever admitted twice: millions of groups, new and replayed, go through the gate's own
 * code and small real LRU maps in the kernel, from several CPUs at once, while the clock is set
 * back and forth. The same with a gate that was spoiled on purpose must find groups admitted twice.
 *
 *   property [MILLIONS [SEED]]     attempts, all in all; default 3
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "selftests/common/check.h"
#include "selftests/common/ref.h"
#include "selftests/property/property.h"
#include "property.skel.h"

#define NS_PER_S 1000000000LL
#define NOW 1800000000LL
#define THREADS_MAX 8
#define REPEAT 5000 /* attempts in one test run */
#define SPOILED 300000 /* attempts with a spoiled gate */

struct plan {
	const char *name;
	struct property_settings settings;
	uint32_t replay_size;
	unsigned int threads; /* for each CPU */
	unsigned int share; /* percent of all attempts */
	bool twice; /* spoiled: groups must be admitted twice, or this test is none */
	bool light; /* so few that no new group may be refused */
};

#define USUAL .replay_share = 128, .replay_age = 3000, .skew = 4
static const struct plan plans[] = {
	{ .name = "few records, heavy load",
	  .settings = { USUAL, .groups_per_second = 1000 },
	  .replay_size = 100, .threads = 1, .share = 20 },
	{ .name = "and the clock set back and forth",
	  .settings = { USUAL, .groups_per_second = 300, .steps = 1 },
	  .replay_size = 1000, .threads = 1, .share = 30 },
	{ .name = "and more threads than CPUs",
	  .settings = { USUAL, .groups_per_second = 4000, .steps = 1 },
	  .replay_size = 2000, .threads = 2, .share = 20 },
	{ .name = "ten records",
	  .settings = { USUAL, .groups_per_second = 50 },
	  .replay_size = 10, .threads = 1, .share = 5 },
	{ .name = "light load",
	  .settings = { USUAL, .groups_per_second = 200 },
	  .replay_size = 8000, .threads = 1, .share = 15, .light = true },
	{ .name = "CPUs held up before they ask the record",
	  .settings = { .replay_share = 160, .replay_age = 2000, .skew = 1,
			.groups_per_second = 800, .one_in_stalls = 500 },
	  .replay_size = 2000, .threads = 1, .share = 10 },
	{ .name = "spoiled: no look at the window",
	  .settings = { USUAL, .groups_per_second = 1000, .spoiled = PROPERTY_NO_WINDOW },
	  .replay_size = 100, .threads = 1, .twice = true },
	{ .name = "spoiled: records overwritten",
	  .settings = { USUAL, .groups_per_second = 1000, .spoiled = PROPERTY_NO_RECORD },
	  .replay_size = 8000, .threads = 1, .twice = true },
};

static uint64_t seed = 1;
static int cpus;

static void set(const struct bpf_map *map, uint32_t index, const void *value)
{
	if (bpf_map_update_elem(bpf_map__fd(map), &index, value, BPF_ANY))
		give_up("map %s: %s", bpf_map__name(map), strerror(errno));
}

static void set_constants(struct property_bpf *bpf, const struct plan *plan)
{
	struct tap_gate_constants *gate = (void *)&bpf->rodata->gate;

	memcpy((void *)&bpf->rodata->settings, &plan->settings, sizeof(plan->settings));
	gate->skew = plan->settings.skew;
	gate->replay_size = plan->replay_size;
	gate->secrets = 1;
	memset(gate->marks_of[0], 0xff, sizeof(gate->marks_of[0]));
	gate->veil[0] = (struct tap_sipkey){ { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
}

static void set_maps(struct property_bpf *bpf)
{
	struct tap_key key = { .until = { TAP_FOREVER, 0 }, .not_after = TAP_FOREVER };
	struct property_counts counts[libbpf_num_possible_cpus()];
	struct tap_realm realm = { 0 };
	uint64_t random = seed;
	struct timespec tai;
	int i;

	key.secret[0].k[0] = ref_random(&random);
	key.secret[0].k[1] = ref_random(&random);
	set(bpf->maps.tap_keys, PROPERTY_KEY, &key);
	clock_gettime(CLOCK_TAI, &tai);
	realm.tai_minus_utc_ns = (tai.tv_sec - NOW) * NS_PER_S + NS_PER_S / 2;
	set(bpf->maps.tap_realm, 0, &realm);
	memset(counts, 0, sizeof(counts));
	for (i = 0; i < libbpf_num_possible_cpus(); i++)
		counts[i].random = ref_random(&random);
	set(bpf->maps.property_counts, 0, counts);
}

static struct property_bpf *load(const struct plan *plan, uint64_t attempts)
{
	struct property_bpf *bpf = property_bpf__open();
	struct bpf_program *program;
	int err;

	if (!bpf)
		give_up("the program does not open: %s", strerror(errno));
	bpf_object__for_each_program(program, bpf->obj)
		bpf_program__set_autoload(program, program == bpf->progs.property);
	set_constants(bpf, plan);
	bpf_map__set_max_entries(bpf->maps.tap_replay,
				 plan->replay_size +
					 TAP_REPLAY_SPARE_PER_CPU * libbpf_num_possible_cpus());
	bpf_map__set_max_entries(bpf->maps.property_admitted, attempts / 64 + REPEAT);
	err = property_bpf__load(bpf);
	if (err)
		give_up("the program does not load: %s (run as root)", strerror(-err));
	set_maps(bpf);
	return bpf;
}

struct driver {
	pthread_t thread;
	int cpu, program;
	uint64_t attempts;
};

static void *drive(void *argument)
{
	const struct driver *self = argument;
	uint8_t frame[64] = { 0 };
	uint64_t done;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(self->cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		give_up("CPU %d is not there", self->cpu);
	for (done = 0; done < self->attempts; done += REPEAT) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
			    .repeat = REPEAT);

		if (bpf_prog_test_run_opts(self->program, &opts))
			give_up("test run: %s", strerror(errno));
	}
	return NULL;
}

static void add_up(struct property_bpf *bpf, struct property_counts *sum)
{
	int n = libbpf_num_possible_cpus(), i;
	struct property_counts counts[n];
	uint64_t *to = (uint64_t *)sum, *from;
	uint32_t zero = 0;
	unsigned int word;

	if (bpf_map_lookup_elem(bpf_map__fd(bpf->maps.property_counts), &zero, counts))
		give_up("property_counts: %s", strerror(errno));
	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < n; i++)
		for (word = 0, from = (uint64_t *)&counts[i]; word < sizeof(*sum) / 8; word++)
			to[word] += from[word];
}

static void report(const struct plan *plan, const struct property_counts *c)
{
	printf("# %s: %llu attempts, %llu with new groups; %llu admitted, %llu refused by replay, %llu "
	       "by replay_window, %llu by skew, %llu held up; admitted twice: %llu\n",
	       plan->name, c->attempts, c->made, c->reasons[TAP_REASON_admitted],
	       c->reasons[TAP_REASON_replay], c->reasons[TAP_REASON_replay_window],
	       c->reasons[TAP_REASON_skew], c->stalls, c->twice);
	if (plan->twice) {
		check(c->twice, "%s: the test must see groups admitted twice, and saw none",
		      plan->name);
		return;
	}
	check(!c->twice, "%s: %llu groups were admitted twice (seed %llu)", plan->name, c->twice,
	      (unsigned long long)seed);
	check(c->reasons[TAP_REASON_admitted] > c->attempts / 100 &&
		      c->reasons[TAP_REASON_replay] > c->attempts / 10000,
	      "%s: too few were admitted, or were found on record", plan->name);
	if (plan->light)
		check(!c->reasons[TAP_REASON_replay_window], "%s: groups were refused as too old",
		      plan->name);
	else
		check(c->reasons[TAP_REASON_replay_window], "%s: no group was too old", plan->name);
}

static void run(const struct plan *plan, uint64_t attempts, struct property_counts *counts)
{
	unsigned int n = plan->threads * cpus < THREADS_MAX ? plan->threads * cpus : THREADS_MAX, i;
	struct property_bpf *bpf = load(plan, attempts);
	struct driver drivers[THREADS_MAX];

	for (i = 0; i < n; i++) {
		drivers[i].cpu = i % cpus;
		drivers[i].program = bpf_program__fd(bpf->progs.property);
		drivers[i].attempts = attempts / n;
		if (pthread_create(&drivers[i].thread, NULL, drive, &drivers[i]))
			give_up("no threads");
	}
	for (i = 0; i < n; i++)
		pthread_join(drivers[i].thread, NULL);
	add_up(bpf, counts);
	report(plan, counts);
	property_bpf__destroy(bpf);
}

int main(int argc, char **argv)
{
	uint64_t attempts = (argc > 1 ? strtoull(argv[1], NULL, 10) : 3) * 1000000;
	struct property_counts counts, all = { 0 };
	unsigned int i, reason;

	if (argc > 3 || !attempts || attempts > PROPERTY_GROUPS_MAX) {
		fprintf(stderr, "usage: property [MILLIONS [SEED]]\n");
		return 2;
	}
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	for (i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		run(&plans[i], plans[i].twice ? SPOILED : attempts * plans[i].share / 100, &counts);
		if (plans[i].twice)
			continue;
		all.attempts += counts.attempts;
		all.made += counts.made;
		all.twice += counts.twice;
		all.stalls += counts.stalls;
		for (reason = 0; reason < TAP_REASON_COUNT; reason++)
			all.reasons[reason] += counts.reasons[reason];
	}
	report(&(struct plan){ .name = "all of these" }, &all);
	return check_summary("property");
}
