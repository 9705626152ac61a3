/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate as it runs on the host: the very source of the program, with maps that the fuzz targets
 * read and write.
 */
#ifndef TAP_FUZZ_HOST_GATE_H
#define TAP_FUZZ_HOST_GATE_H

#include "selftests/fuzz/host.h"
#include "tap/maps.h"

struct host_output {
	int verdict; /* XDP_* */
	const uint8_t *bytes; /* until the next frame */
	size_t length;
};

void host_gate_start(void); /* once, before all else */
void host_gate_constants(const struct tap_gate_constants *constants);
void host_gate_services(struct tap_ruleset *set);
/* As tapctl stores a key: with its bit in the list of those that exist. NULL: deletes it. */
void host_gate_set_key(uint16_t id, const struct tap_key *key);
void host_gate_replay_size(uint32_t entries); /* of the map itself */

/* Values in the maps, to be read and written in place. */
struct tap_realm *host_gate_realm(void);
struct tap_key *host_gate_key(uint16_t id);
const struct tap_key_use *host_gate_key_use(uint16_t id);
struct tap_acl *host_gate_acl(uint32_t list);
struct tap_stats *host_gate_stats(void);
struct tap_gate_state *host_gate_state(void);
struct tap_event *host_gate_event(uint32_t at);

/* What the gate has remembered of the frames so far, to be forgotten elsewhere as well. */
struct host_gate_forgetting {
	void (*bucket)(void *context, uint32_t bucket);
	void (*second)(void *context, uint32_t second);
	void (*recent)(void *context, uint32_t slot);
	void (*use)(void *context, uint32_t key_id);
	void (*record)(void *context, const void *key);
	void (*flow)(void *context, const void *key);
};

/* Forgets all but the settings, rules, keys and access lists; calls `too`, if any, before. */
void host_gate_forget(const struct host_gate_forgetting *too, void *context);

/* One frame; returns out->verdict. */
int host_gate_run(const void *frame, size_t length, bool l3, uint32_t ifindex,
		  struct host_output *out);

#endif /* TAP_FUZZ_HOST_GATE_H */
