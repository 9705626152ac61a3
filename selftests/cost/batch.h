/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many groups at once: all their first segments, then all their second ones, and so on, so that
 * each of the four can be timed by itself.
 */
#ifndef TAP_SELFTESTS_COST_BATCH_H
#define TAP_SELFTESTS_COST_BATCH_H

#include "selftests/cost/feed.h"
#include "selftests/cost/frames.h"
#include "selftests/fixtures/gate_run.h"

#define BATCH (COST_FRAMES / 4) /* groups in one */

enum batch_key { KEY_RIGHT, KEY_WRONG, KEY_UNKNOWN };

struct batch_form {
	bool ipv6;
	bool vlan;
	enum batch_key key;
	unsigned int keys; /* their IDs are drawn from 1..keys; 0: all have GATE_KEY */
	uint16_t port; /* 0: GATE_PORT */
};

/*
 * Puts new groups for this gate up as frames, a second after the last ones; no two of them meet in
 * a bucket of tap_pending.
 */
void batch_make(struct gate *gate, const struct batch_form *form);

/* From now on the segments number `phase` come, in the order in which the splitter sends them. */
void batch_phase(unsigned int phase);

/* Runs them through the gate, once each: nanoseconds as feed_run() returns them. */
double batch_run(const struct gate *gate, unsigned int verdict);

#endif /* TAP_SELFTESTS_COST_BATCH_H */
