// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often a guessed tag gets through the gate, measured. A whole tag cannot be guessed in the time
 * that a test has, so the forger is told all of it but eight bits, each eight in turn: one group in
 * 256 must be admitted, no more and no less. Then he guesses all bits of the classic encoding's tags
 * and of the veiled one's, and sends random SYNs; how many came through is printed beside how many
 * should.
 *
 *   guess [MILLIONS]     groups with wholly guessed tags, for each encoding; default 0.25
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sodium.h>

#include "selftests/common/check.h"
#include "selftests/fixtures/attempt.h"
#include "selftests/guess/guess.h"
#include "gate.skel.h"
#include "guess.skel.h"

#define CLASSIC_TAG_BITS 30
#define VEILED_TAG_BITS 56
#define WINDOW_BITS 8
#define WINDOW_GROUPS 32768 /* of which 128 should be admitted, give or take 11 */
#define STEP 1000000 /* segments in one test run */

static struct gate gate;
static struct guess_bpf *forger;
static uint8_t frame[PACKET_BYTES];
static unsigned int length;

static void prepare(void)
{
	struct gate_setup setup = { .open = true };
	struct packet packet;
	struct tap_key key;
	uint32_t zero = 0;
	int fd;

	attempt_gate(&gate, &setup);
	gate_add_key(&gate, GATE_KEY, gate_user_key, &key);
	key.rate = 0; /* no limit */
	gate_set_key(&gate, GATE_KEY, &key);
	forger = guess_bpf__open_and_load();
	if (!forger)
		give_up("the forger does not load: %s (run as root)", strerror(errno));
	fd = bpf_program__fd(gate.bpf->progs.tap_gate);
	if (bpf_map_update_elem(bpf_map__fd(forger->maps.behind), &zero, &fd, BPF_ANY))
		give_up("tail call: %s", strerror(errno));
	packet_syn(&packet, false, 40000, GATE_PORT, 1);
	length = packet_build(&packet, frame);
	forger->bss->settings = (struct guess_settings){
		.tag = key.secret[0],
		.veil = gate.bpf->rodata->gate.veil[0],
		.sec = GATE_NOW,
		.timestamp_at = packet.timestamp_at,
		.key_id = GATE_KEY,
		.port = GATE_PORT,
		.window = 1500,
	};
}

/* From now on the service takes this encoding. */
static void take(bool veiled)
{
	struct tap_rule rule;

	gate_rule(&rule, GATE_PORT, GATE_PORT);
	rule.service.encoding = veiled ? TAP_SERVICE_VEILED : TAP_SERVICE_CLASSIC;
	gate_services(&gate, &rule, 1);
	forger->bss->settings.veiled = veiled;
}

/* Sends so many groups; returns how many were admitted. */
static uint64_t send_groups(uint64_t groups, uint64_t guessed, bool noise)
{
	struct guess_settings *settings = &forger->bss->settings;
	struct tap_stats before, after;
	uint64_t left;

	settings->guessed = guessed;
	settings->noise = noise;
	settings->seed++;
	forger->bss->segments = 0;
	gate_counters(&gate, &before);
	for (left = 4 * groups; left;) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = length,
			    .repeat = left < STEP ? left : STEP);

		if (bpf_prog_test_run_opts(bpf_program__fd(forger->progs.guess), &opts))
			give_up("test run: %s", strerror(errno));
		left -= opts.repeat;
	}
	gate_counters(&gate, &after);
	/* Every group was whole when it was judged, but for some that lost a segment to another. */
	check((after.collecting - before.collecting) <= 3.01 * groups + 10,
	      "%llu segments of %llu groups found no group",
	      (unsigned long long)(after.collecting - before.collecting),
	      (unsigned long long)groups);
	return after.admitted - before.admitted;
}

/* Each window of eight bits is guessed: the sum of the squared deviations must be plausible. */
static void test_windows(const char *name, unsigned int bits)
{
	unsigned int shift, windows = 0;
	double expected = WINDOW_GROUPS / 256.0, squares = 0;
	uint64_t admitted, sum = 0;

	for (shift = 0; shift < bits; shift += WINDOW_BITS) {
		unsigned int at = shift + WINDOW_BITS > bits ? bits - WINDOW_BITS : shift;

		admitted = send_groups(WINDOW_GROUPS, 0xffULL << at, false);
		check(fabs(admitted - expected) < 6 * sqrt(expected),
		      "%s, bits %u to %u guessed: %llu admitted of %u, should be about %.0f", name, at,
		      at + 7, (unsigned long long)admitted, WINDOW_GROUPS, expected);
		squares += (admitted - expected) * (admitted - expected) / expected;
		sum += admitted;
		windows++;
	}
	printf("# %s, 8 bits guessed, %u windows: %llu of %u admitted, expected %.0f; chi-square %.1f with "
	       "%u degrees of freedom\n", name, windows, (unsigned long long)sum,
	       windows * WINDOW_GROUPS, windows * expected, squares, windows);
	check(squares < windows + 5 * sqrt(2.0 * windows), "%s: chi-square %.1f of %u", name, squares,
	      windows);
}

/* The bits of T that no group carries are not compared: whatever they are, the tag is right. */
static void test_not_carried(const char *name, unsigned int bits)
{
	uint64_t admitted = send_groups(1000, ~0ULL << bits, false);

	check(admitted == 1000, "%s: %llu of 1000 groups with right tags were admitted", name,
	      (unsigned long long)admitted);
}

/* All bits guessed: as good as nothing may come through. */
static void test_whole(const char *name, unsigned int bits, uint64_t groups)
{
	double expected = ldexp(groups, -(int)bits);
	uint64_t admitted = send_groups(groups, ~0ULL, false);

	printf("# %s, all %u bits guessed: %llu of %llu groups admitted, expected %.2g\n", name, bits,
	       (unsigned long long)admitted, (unsigned long long)groups, expected);
	check(admitted <= expected + 5 * sqrt(expected) + 1, "%s: %llu guesses were right", name,
	      (unsigned long long)admitted);
}

/* Four SYNs with random numbers: now and then they read as a group, which then still needs a tag. */
static void test_noise(uint64_t groups)
{
	uint64_t admitted = send_groups(groups, 0, true);

	printf("# random SYNs, four from each source with one mark: %llu admitted of %llu\n",
	       (unsigned long long)admitted, (unsigned long long)(4 * groups));
	check(!admitted, "random SYNs: %llu were admitted", (unsigned long long)admitted);
}

int main(int argc, char **argv)
{
	uint64_t groups = (argc > 1 ? strtod(argv[1], NULL) : 0.25) * 1e6;

	if (argc > 2 || groups < 1 || groups > 4000000000) {
		fprintf(stderr, "usage: guess [MILLIONS]\n");
		return 2;
	}
	if (sodium_init() < 0)
		give_up("libsodium does not start");
	prepare();
	take(false);
	test_not_carried("classic", CLASSIC_TAG_BITS);
	test_windows("classic", CLASSIC_TAG_BITS);
	test_whole("classic", CLASSIC_TAG_BITS, groups);
	test_noise(groups / 2);
	take(true);
	test_not_carried("veiled", VEILED_TAG_BITS);
	test_windows("veiled", VEILED_TAG_BITS);
	test_whole("veiled", VEILED_TAG_BITS, groups);
	test_noise(groups / 2);
	guess_bpf__destroy(forger);
	gate_unload(&gate);
	return check_summary("guess");
}
