// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes many groups at once and sends them phase by phase; see batch.h.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "selftests/common/check.h"
#include "selftests/cost/batch.h"
#include "selftests/fixtures/attempt.h"
#include "gate.skel.h"

static void fit(struct attempt *a, const struct batch_form *form, unsigned int n)
{
	if (form->keys)
		a->group.key_id = 1 + n * 2654435761u % form->keys;
	if (form->key == KEY_WRONG)
		a->group.user_key[0] ^= 1;
	/*
	 * Far from the key that there is: where SYN1 and SYN2 happen to differ by few bits, they can be
	 * read in each other's place, with as small a difference of key ID and time.
	 */
	if (form->key == KEY_UNKNOWN)
		a->group.key_id = GATE_KEY ^ 0x8000;
	if (form->port)
		a->group.port = a->original.dport = form->port;
	if (form->vlan)
		a->original.vlan[0] = 5;
	attempt_split(a);
}

/* One with a bucket to itself. */
static void make_one(const struct gate *gate, struct attempt *a, const struct batch_form *form,
		     bool used[TAP_PENDING_BUCKETS])
{
	const struct form as = { .ipv6 = form->ipv6, .veiled = true, .stamped = true };
	static unsigned int n;
	uint32_t bucket;

	do {
		attempt_make(gate, a, &as);
		fit(a, form, n++);
		bucket = attempt_place(gate, a).bucket;
	} while (used[bucket]);
	used[bucket] = true;
}

/* Of what a flood left there. */
static void clear_buckets(const struct gate *gate)
{
	static const struct tap_bucket nothing[TAP_PENDING_BUCKETS];
	static uint32_t numbers[TAP_PENDING_BUCKETS];
	uint32_t n = TAP_PENDING_BUCKETS, i;

	for (i = 0; i < n; i++)
		numbers[i] = i;
	if (bpf_map_update_batch(bpf_map__fd(gate->bpf->maps.tap_pending), numbers, nothing, &n,
				 NULL))
		give_up("tap_pending: %s", strerror(errno));
}

void batch_make(struct gate *gate, const struct batch_form *form)
{
	bool used[TAP_PENDING_BUCKETS] = { false };
	struct attempt attempt;
	unsigned int i, phase;

	gate_clock(gate, gate->now + 1);
	for (i = 0; i < BATCH; i++) {
		make_one(gate, &attempt, form, used);
		for (phase = 0; phase < 4; phase++)
			feed_frame(phase * BATCH + i, &attempt.segment[order_sent[phase]]);
	}
	clear_buckets(gate);
	gate_clock(gate, gate->now); /* making them may have taken its time */
}

void batch_phase(unsigned int phase)
{
	feed_start(phase * BATCH, BATCH);
}

double batch_run(const struct gate *gate, unsigned int verdict)
{
	return feed_run(FEED_XDP, gate->bpf->progs.tap_gate, BATCH, verdict, 0);
}
