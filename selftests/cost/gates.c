// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets up the gates that the cases run through; see gates.h.
 */
#include <stdio.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "selftests/common/check.h"
#include "selftests/cost/gates.h"
#include "gate.skel.h"

static struct gate gates[COST_GATES];

static void add_keys(struct gate *gate)
{
	struct tap_key key;
	unsigned int id;

	gate_add_key(gate, GATE_KEY, gate_user_key, &key);
	for (id = 1; id <= TAP_KEY_ID_MAX; id++)
		gate_set_key(gate, id, &key);
}

static void add_services(struct gate *gate, enum cost_gate which)
{
	static struct tap_rule rules[TAP_RULES_MAX];
	char prefix[32];
	unsigned int i;

	for (i = 0; i < TAP_RULES_MAX; i++) {
		uint16_t port = which == COST_PORTS ? GATE_PORT + i : GATE_PORT;

		gate_rule(&rules[i], port, port);
		if (which == COST_SOURCES && i < TAP_RULES_MAX - 1) {
			snprintf(prefix, sizeof(prefix), "203.0.113.%u/32", i);
			gate_prefix(&rules[i].src, prefix);
		}
	}
	gate_services(gate, rules, TAP_RULES_MAX);
}

static void hide_service(struct gate *gate)
{
	struct tap_rule rule;

	gate_rule(&rule, GATE_PORT, GATE_PORT);
	rule.service.stealth = 1;
	gate_services(gate, &rule, 1);
}

struct gate *cost_gate(enum cost_gate which)
{
	struct gate_setup setup = { .open = which == COST_OPEN };
	struct gate *gate = &gates[which];

	if (gate->bpf)
		return gate;
	gate_load(gate, &setup);
	if (which == COST_KEYS)
		add_keys(gate);
	if (which == COST_PORTS || which == COST_SOURCES)
		add_services(gate, which);
	if (which == COST_STEALTH)
		hide_service(gate);
	return gate;
}

const struct bpf_program *cost_gate_program(enum cost_gate which)
{
	return cost_gate(which)->bpf->progs.tap_gate;
}

void cost_gates_unload(void)
{
	unsigned int i;

	for (i = 0; i < COST_GATES; i++)
		if (gates[i].bpf)
			gate_unload(&gates[i]);
}

uint64_t cost_gate_count(enum cost_gate which, int reason)
{
	struct tap_stats stats;

	gate_counters(cost_gate(which), &stats);
	return ((uint64_t *)&stats)[reason];
}
