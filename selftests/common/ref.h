/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire protocol once more, written from docs/protocol.md with libsodium alone: what the tests
 * compare the programs with. It shares no code with bpf/ or user/, and must not.
 */
#ifndef TAP_SELFTESTS_REF_H
#define TAP_SELFTESTS_REF_H

#include <stdbool.h>
#include <stdint.h>

#define REF_KEY_BYTES 32
#define REF_DERIVED_BYTES 16

/* Everything that one client kernel's SYN is split by (protocol.md, sections 2 and 3). */
struct ref_group {
	uint8_t realm_key[REF_KEY_BYTES];
	uint8_t user_key[REF_KEY_BYTES];
	uint16_t key_id;
	bool veiled;
	uint32_t isn;
	uint32_t sec; /* Unix seconds */
	uint8_t frac; /* in 1/256 s */
	uint8_t flags; /* bit 0: extended tag */
	uint16_t port; /* that the client dials */
};

/* What it becomes on the wire; all in host byte order. */
struct ref_wire {
	uint64_t tag;
	uint32_t seq[4]; /* sequence numbers of SYN0..SYN3 */
	bool extended;
	uint32_t tsecr; /* of SYN3, if extended */
};

void ref_derive_tag(uint8_t k_tag[REF_DERIVED_BYTES], const uint8_t user_key[REF_KEY_BYTES],
		    const uint8_t realm_key[REF_KEY_BYTES]);
/* purpose: "TAP2 veil" or "TAP2 mark" */
void ref_derive_realm(uint8_t key[REF_DERIVED_BYTES], const char *purpose,
		      const uint8_t realm_key[REF_KEY_BYTES]);

/* SipHash-2-4 by libsodium. */
uint64_t ref_siphash(const uint8_t key[REF_DERIVED_BYTES], const void *message, unsigned int length);

uint64_t ref_tag(const struct ref_group *group);
void ref_encode(const struct ref_group *group, struct ref_wire *wire);

/* Whether window m is a mark of a sealed realm. */
bool ref_is_mark(const uint8_t k_mark[REF_DERIVED_BYTES], uint16_t m);

/* Splitmix64: numbers that look random and are the same in every run. */
uint64_t ref_random(uint64_t *state);

#endif /* TAP_SELFTESTS_REF_H */
