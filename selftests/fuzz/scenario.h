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
#define SCENARIO_MONOTONIC 1000000000000ULL /* the other clock, in ns, when a stream begins */
#define SCENARIO_VARIANTS 5
#define SCENARIO_KEYS 8 /* IDs 1 to 7, and 65535 */
#define SCENARIO_ACL 1 /* the access list of one of the services */
#define SCENARIO_FRAMES 64 /* in one stream, at most */
#define SCENARIO_GHOSTS 16 /* keys of the stream's own, at most */
#define SCENARIO_GHOST_KEY 0xee /* each byte of a ghost's user key; one less in its second one */

/* What the server is. */
struct scenario {
	struct tap_gate_constants constants[SCENARIO_VARIANTS];
	struct tap_realm realm[SCENARIO_VARIANTS];
	uint8_t realm_key[2][REF_REALM_KEY_BYTES]; /* the newest secret, and the one before it */
	struct tap_ruleset rules;
	uint16_t key_ids[SCENARIO_KEYS];
	struct tap_key keys[SCENARIO_KEYS];
	uint8_t user_keys[SCENARIO_KEYS][2]; /* each byte of the keys that its secrets are made of */
	struct tap_key ghost;
	struct tap_acl acl;
	uint16_t marks[2][1200]; /* of each secret */
	unsigned int n_marks[2];
};

/* Fills it in, the same in every run. */
const struct scenario *scenario_make(void);

/* K_tag of a user key whose bytes are all the same. */
void scenario_secret(struct tap_sipkey *key, uint8_t user_key);

/* One frame of the stream. */
struct frame {
	uint8_t bytes[PACKET_BYTES];
	unsigned int length;
	bool l3;
	uint32_t ifindex;
	struct sent_group *group; /* that it is a segment of; NULL: none, or it was changed */
	bool last; /* the fourth of an undisturbed group of its own */
	bool parted; /* likewise, but for the epoch, which went on within the group */
};

/* A group as a client with the key would send it. */
struct sent_group {
	struct ref_group ref;
	struct packet original;
	struct packet segments[4]; /* by role, as they were sent */
	uint16_t mark;
	/* As it was sent last: */
	uint32_t ifindex;
	uint8_t order[4]; /* roles, in the order of arrival */
	uint64_t epoch;
	bool clean; /* whole and undisturbed: nothing of it can be left */
	bool wild; /* segments of it may have become some of another group */
};

/* What a target does with the stream. */
struct sink {
	void (*start)(void *context, unsigned int variant);
	void (*clock)(void *context, uint32_t now);
	void (*monotonic)(void *context, uint64_t ns); /* NULL: it stands still */
	void (*fail)(void *context, unsigned int in); /* host_fail_in; NULL: no faults, please */
	void (*world)(void *context, uint8_t bits); /* sockets and connections; NULL: none */
	void (*key)(void *context, uint16_t id, const struct tap_key *key); /* there is one more */
	void (*frame)(void *context, const struct frame *frame);
};

void scenario_run(struct input *input, const struct sink *sink, void *context);

#endif /* TAP_FUZZ_SCENARIO_H */
