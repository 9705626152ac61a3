// SPDX-License-Identifier: GPL-2.0-only
/*
 * What groups cost the gate, each of their four segments: valid ones, such with a wrong key, and
 * such that come a second time. The table below says all about a case.
 */
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "selftests/common/check.h"
#include "selftests/cost/batch.h"
#include "selftests/cost/cases.h"
#include "selftests/cost/figures.h"
#include "selftests/cost/gates.h"

#define FLOORS 8 /* times through the batch */

struct groups_case {
	const char *name;
	enum cost_gate gate;
	int reason; /* of the fourth segment */
	struct batch_form form;
	bool again; /* they were all sent once before */
};

static const struct groups_case cases[] = {
	{ "valid", COST_SEALED, TAP_REASON_admitted, .form = { 0 } },
	{ "valid, IPv6", COST_SEALED, TAP_REASON_admitted, .form = { .ipv6 = true } },
	{ "valid, VLAN", COST_SEALED, TAP_REASON_admitted, .form = { .vlan = true } },
	{ "valid, 1,000 keys", COST_KEYS, TAP_REASON_admitted, .form = { .keys = 1000 } },
	{ "valid, 65,535 keys", COST_KEYS, TAP_REASON_admitted,
	  .form = { .keys = TAP_KEY_ID_MAX } },
	{ "valid, 256 services", COST_PORTS, TAP_REASON_admitted,
	  .form = { .port = GATE_PORT + 255 } },
	{ "wrong key", COST_SEALED, TAP_REASON_tag, .form = { .key = KEY_WRONG } },
	{ "wrong key, 65,535 keys", COST_KEYS, TAP_REASON_tag,
	  .form = { .keys = TAP_KEY_ID_MAX, .key = KEY_WRONG } },
	{ "unknown key", COST_SEALED, TAP_REASON_unknown_key, .form = { .key = KEY_UNKNOWN } },
	{ "replayed", COST_SEALED, TAP_REASON_replay, .again = true },
};

static void send_before(const struct gate *gate)
{
	unsigned int phase;

	for (phase = 0; phase < 4; phase++) {
		batch_phase(phase);
		batch_run(gate, phase == 3 ? XDP_PASS : XDP_DROP);
	}
}

static void phase_round(const struct groups_case *c, unsigned int phase)
{
	int reason = phase == 3 ? c->reason : TAP_REASON_collecting;
	struct floors floors;
	uint64_t before;
	double ns;

	batch_phase(phase);
	floors_measure(&floors, FLOORS * BATCH);
	before = cost_gate_count(c->gate, reason);
	ns = batch_run(cost_gate(c->gate), reason == TAP_REASON_admitted ? XDP_PASS : XDP_DROP);
	if (cost_gate_count(c->gate, reason) - before != BATCH)
		give_up("%s, SYN %u: not all were judged alike", c->name, phase + 1);
	figure_add(figure("groups", "%s: SYN %u of 4", c->name, phase + 1), ns, &floors);
}

void groups_round(const struct effort *effort)
{
	const struct groups_case *c;
	unsigned int phase;

	if (!wanted(effort, "groups"))
		return;
	for (c = cases; c < cases + sizeof(cases) / sizeof(cases[0]); c++) {
		batch_make(cost_gate(c->gate), &c->form);
		if (c->again)
			send_before(cost_gate(c->gate));
		for (phase = 0; phase < 4; phase++)
			phase_round(c, phase);
	}
}
