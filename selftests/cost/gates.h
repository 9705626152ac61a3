/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gates that the cases run through; each is loaded when it is first asked for.
 */
#ifndef TAP_SELFTESTS_COST_GATES_H
#define TAP_SELFTESTS_COST_GATES_H

#include "selftests/fixtures/gate_run.h"

enum cost_gate {
	COST_SEALED, /* one key, one service */
	COST_OPEN, /* the same with open marks */
	COST_STEALTH, /* the same, and the service hides */
	COST_KEYS, /* every key ID has a key, all of them gate_user_key */
	COST_PORTS, /* 256 services, each at a port of its own */
	COST_SOURCES, /* 256 services at one port, told apart by address; the last one fits */
	COST_GATES
};

#define COST_FREE_PORT 9999 /* that no service names */

struct gate *cost_gate(enum cost_gate which);
const struct bpf_program *cost_gate_program(enum cost_gate which);
void cost_gates_unload(void);

/* How often this gate gave that reason. */
uint64_t cost_gate_count(enum cost_gate which, int reason);

#endif /* TAP_SELFTESTS_COST_GATES_H */
