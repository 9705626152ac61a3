// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to admit a group when few groups are on record, when very many are, and when the
 * map is so full that each pushes out another; and that none of them is admitted a second time. All
 * go through the gate.
 *
 *   fill RECORDS     the gate's --replay-size; prints JSON
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
#include "selftests/cost/batch.h"
#include "gate.skel.h"

#define ROUNDS 15
#define KEPT_MAX 64 /* batches to send again */
#define RECORDS_MAX 2000000 /* batches are seconds, and skew has its limits */

static const struct batch_form usual;
static struct cost_frame *kept[KEPT_MAX];
static unsigned int n_kept;

static uint64_t count(struct gate *gate, int reason)
{
	struct tap_stats stats;

	gate_counters(gate, &stats);
	return ((uint64_t *)&stats)[reason];
}

/* The whole batch that is up; nanoseconds for each fourth segment, and for an empty program's. */
static double send_batch(const struct gate *gate, unsigned int verdict, double *empty)
{
	unsigned int phase;

	for (phase = 0; phase < 3; phase++) {
		batch_phase(phase);
		batch_run(gate, XDP_DROP);
	}
	batch_phase(3);
	if (empty)
		*empty = feed_run(FEED_XDP, feed_empty[FEED_XDP], BATCH, XDP_DROP, 0);
	return batch_run(gate, verdict);
}

/* One more batch; what it takes to admit one of them. */
static double admit(struct gate *gate)
{
	uint64_t before = count(gate, TAP_REASON_admitted);
	double empty, ns;

	batch_make(gate, &usual);
	ns = send_batch(gate, XDP_PASS, &empty) - empty;
	if (count(gate, TAP_REASON_admitted) - before != BATCH)
		give_up("not all groups were admitted");
	return ns;
}

/* Empties the record of one batch at once: key by key would take longer than all else here. */
static void forget(const struct gate *gate)
{
	struct tap_replay_key keys[BATCH];
	uint32_t seconds[BATCH], n = BATCH, at;
	int err;

	err = bpf_map_lookup_and_delete_batch(bpf_map__fd(gate->bpf->maps.tap_replay), NULL, &at,
					      keys, seconds, &n, NULL);
	if (err && errno != ENOENT) /* the end of the map */
		give_up("tap_replay: %s", strerror(errno));
}

static void keep(void)
{
	kept[n_kept] = malloc(COST_FRAMES * sizeof(**kept));
	if (!kept[n_kept])
		give_up("no memory");
	memcpy(kept[n_kept++], feed_frames(), COST_FRAMES * sizeof(**kept));
}

/* Admits so many groups, and keeps some to send them again. */
static void fill(struct gate *gate, unsigned int groups)
{
	unsigned int batches = groups / BATCH, each = batches / (KEPT_MAX / 2) + 1, i;

	for (i = 0; i < batches; i++) {
		admit(gate);
		if (i % each == 0)
			keep();
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const char *name, double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), by_value);
	printf("\"%s\": {\"median\": %.2f, \"min\": %.2f, \"max\": %.2f}, ", name,
	       values[ROUNDS / 2], values[0], values[ROUNDS - 1]);
}

/* One with few records, and one with many, by turns. */
static void compare(struct gate *few, struct gate *many, const char *few_name,
		    const char *many_name, const char *times_name)
{
	double few_ns[ROUNDS], many_ns[ROUNDS], times[ROUNDS];
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		forget(few);
		few_ns[round] = admit(few);
		many_ns[round] = admit(many);
		times[round] = many_ns[round] / few_ns[round];
	}
	print(few_name, few_ns);
	print(many_name, many_ns);
	print(times_name, times);
}

static void send_again(struct gate *gate)
{
	uint64_t before = count(gate, TAP_REASON_admitted);
	unsigned int i;

	for (i = 0; i < n_kept; i++) {
		memcpy(feed_frames(), kept[i], COST_FRAMES * sizeof(**kept));
		send_batch(gate, XDP_DROP, NULL);
		free(kept[i]);
	}
	printf("\"replayed\": %u, \"on record\": %llu, \"too old\": %llu, \"admitted twice\": %llu",
	       n_kept * BATCH, (unsigned long long)count(gate, TAP_REASON_replay),
	       (unsigned long long)count(gate, TAP_REASON_replay_window),
	       (unsigned long long)(count(gate, TAP_REASON_admitted) - before));
}

int main(int argc, char **argv)
{
	unsigned int records = argc == 2 ? atoi(argv[1]) : 0;
	struct gate_setup setup = { .replay_size = records, .skew = TAP_SKEW_MAX };
	struct gate few, many;

	if (records < 2 * ROUNDS * BATCH || records > RECORDS_MAX) {
		fprintf(stderr, "usage: fill RECORDS    (%u to %u)\n", 2 * ROUNDS * BATCH,
			RECORDS_MAX);
		return 2;
	}
	if (sodium_init() < 0)
		give_up("libsodium does not start");
	feed_load();
	gate_load(&few, &setup);
	gate_load(&many, &setup);
	printf("{");
	fill(&many, records - ROUNDS * BATCH);
	compare(&few, &many, "few", "many", "many : few");
	fill(&many, (ROUNDS + 2) * BATCH); /* the spare entries, too */
	compare(&few, &many, "few again", "full", "full : few");
	send_again(&many);
	printf("}\n");
	gate_unload(&few);
	gate_unload(&many);
	feed_unload();
	return 0;
}
