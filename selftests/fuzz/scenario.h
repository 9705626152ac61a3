/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gate with services and keys of every kind, and a stream of frames for it that is made from a
 * fuzz target's input: single frames as the parser's target has them, or groups, right and wrong,
 * in every order, cut short, changed, and sent again.
 */
#ifndef TAP_FUZZ_SCENARIO_H
#define TAP_FUZZ_SCENARIO_H

#include "selftests/common/packet.h"
#include "selftests/fuzz/fuzz.h"
#include "tap/maps.h"

#define SCENARIO_NOW 1800000000u /* the clock when a stream begins, and a tenth of a second */
#define SCENARIO_VARIANTS 4
#define SCENARIO_KEYS 8 /* IDs 1 to 7, and 65535 */
#define SCENARIO_ACL 1 /* the access list of one of the services */
#define SCENARIO_FRAMES 64 /* in one stream, at most */

/* What the server is. */
struct scenario {
	struct tap_gate_constants constants[SCENARIO_VARIANTS];
	struct tap_ruleset rules;
	uint16_t key_ids[SCENARIO_KEYS];
	struct tap_key keys[SCENARIO_KEYS];
	struct tap_acl acl;
	uint16_t marks[1200];
	unsigned int n_marks;
};

/* Fills it in, the same in every run. */
const struct scenario *scenario_make(void);

/* One frame of the stream. */
struct frame {
	uint8_t bytes[PACKET_BYTES];
	unsigned int length;
	bool l3;
	uint32_t ifindex;
	const struct sent_group *group; /* that it is a segment of; NULL: none, or it was changed */
	bool last; /* the fourth of an undisturbed group of its own */
};

/* A group as a client with the key would send it. */
struct sent_group {
	struct ref_group ref;
	struct packet original;
	uint16_t mark;
};

/* What a target does with the stream. */
struct sink {
	void (*start)(void *context, unsigned int variant);
	void (*clock)(void *context, uint32_t now);
	void (*fail)(void *context, unsigned int in); /* host_fail_in; NULL: no faults, please */
	void (*world)(void *context, uint8_t bits); /* sockets and connections; NULL: none */
	void (*attack)(void *context); /* from now on as if many groups had failed this second */
	void (*frame)(void *context, const struct frame *frame);
};

void scenario_run(struct input *input, const struct sink *sink, void *context);

#endif /* TAP_FUZZ_SCENARIO_H */
