/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire protocol once more, written from docs/protocol.md with libsodium alone: what the tests
 * compare the programs with. It shares no code with bpf/ or user/, and must not.
 */
#ifndef TAP_SELFTESTS_REF_H
#define TAP_SELFTESTS_REF_H

#include <stdbool.h>
#include <stdint.h>

#define REF_KEY_BYTES 32 /* a user key */
#define REF_ID_BYTES 16 /* a realm's ID */
#define REF_REALM_KEY_BYTES (REF_ID_BYTES + 32) /* its ID, then its secret */
#define REF_DERIVED_BYTES 16
#define REF_ADDRESS_BYTES 16

#define REF_FLAG_DST 1 /* D: the tag covers the destination address */
#define REF_FLAG_SRC 2 /* A: and the source address */

/* Everything that one client kernel's SYN is split by (protocol.md, "The tag", "The four SYNs"). */
struct ref_group {
	uint8_t realm_key[REF_REALM_KEY_BYTES];
	uint8_t user_key[REF_KEY_BYTES];
	uint16_t key_id;
	bool veiled;
	uint32_t isn;
	uint32_t sec; /* Unix seconds */
	uint8_t frac; /* as carried: in 1/16 s (veiled) or 1/256 s (classic) */
	uint8_t flags; /* REF_FLAG_* */
	uint16_t port; /* that the client dials */
	uint8_t dst[REF_ADDRESS_BYTES]; /* as ref_address() gives them; only read if the flags say so */
	uint8_t src[REF_ADDRESS_BYTES];
};

/* What it becomes on the wire; all in host byte order. */
struct ref_wire {
	uint64_t tag;
	uint32_t seq[4]; /* sequence numbers of SYN0..SYN3 */
};

/* Of realm_key only the ID is read here ... */
void ref_derive_tag(uint8_t k_tag[REF_DERIVED_BYTES], const uint8_t user_key[REF_KEY_BYTES],
		    const uint8_t realm_key[REF_ID_BYTES]);
/* ... and all of it here. purpose: "TAP3 veil" or "TAP3 mark" */
void ref_derive_realm(uint8_t key[REF_DERIVED_BYTES], const char *purpose,
		      const uint8_t realm_key[REF_REALM_KEY_BYTES]);

/* SipHash-2-4 by libsodium. */
uint64_t ref_siphash(const uint8_t key[REF_DERIVED_BYTES], const void *message, unsigned int length);

/* The mask of a veiled group under this K_veil. */
uint64_t ref_mask(const uint8_t k_veil[REF_DERIVED_BYTES], uint32_t isn, uint32_t field3);

uint64_t ref_tag(const struct ref_group *group);
void ref_encode(const struct ref_group *group, struct ref_wire *wire);
/* The same with this tag in place of the right one. */
void ref_encode_tag(const struct ref_group *group, uint64_t tag, struct ref_wire *wire);

/* Whether window m is a mark of a sealed realm. */
bool ref_is_mark(const uint8_t k_mark[REF_DERIVED_BYTES], uint16_t m);

/* An address as a tag covers it: IPv4 as ::ffff:a.b.c.d. False: the text is none. */
bool ref_address(const char *text, uint8_t address[REF_ADDRESS_BYTES]);
/* A destination as a tag covers it: one in 64:ff9b::/96 counts as the IPv4 address in it. */
void ref_dialled(uint8_t address[REF_ADDRESS_BYTES]);

/* --- The server --- */

/* How far a reading of four segments got, the least first. */
enum ref_result {
	REF_UNREADABLE,
	REF_VERSION,
	REF_SKEW,
	REF_UNKNOWN_KEY,
	REF_KEY_INACTIVE,
	REF_KEY_BARRED, /* not allowed at this service */
	REF_WRONG_TAG,
	REF_AUTHENTIC,
};

struct ref_key {
	uint16_t id;
	bool inactive, barred;
	unsigned int n_secrets; /* 1, or 2 during a rotation */
	uint8_t user_key[2][REF_KEY_BYTES];
};

struct ref_server {
	uint8_t realm_key[2][REF_REALM_KEY_BYTES]; /* newest first; those of the mark */
	unsigned int n_realms;
	const struct ref_key *keys;
	unsigned int n_keys;
	bool veiled; /* the encoding that the service takes */
	uint32_t now;
	uint32_t skew;
	/* What it sees of the segments, as the client dialled it: */
	uint16_t port;
	uint8_t dst[REF_ADDRESS_BYTES];
	uint8_t src[REF_ADDRESS_BYTES];
};

struct ref_outcome {
	enum ref_result result;
	int syn0; /* which of the four, in order of arrival; -1: unreadable */
	unsigned int realm; /* whose secret unveiled it; 0 in the classic encoding */
	unsigned int tags; /* that were computed */
	bool limited; /* more would have been needed, so the order of the search matters */
	struct ref_group group; /* of the reading that got furthest; keys are not filled in */
};

/*
 * What the server makes of four sequence numbers in order of arrival, up to and including the tag.
 * Readings are tried from the order of arrival on, then by permutation in dictionary order.
 */
void ref_decode(const struct ref_server *server, const uint32_t seq[4], struct ref_outcome *outcome);

#define REF_PERMUTATIONS 24
/* role[i]: which of the four, in order of arrival, is SYNi. The first is the order of sending. */
void ref_permutation(unsigned int n, unsigned int role[4]);

/*
 * One reading: the four in these roles, unveiled by the secret of that realm. The group's fields, and
 * how far it gets before any key is looked at: UNREADABLE, VERSION, SKEW, or UNKNOWN_KEY for the rest.
 */
enum ref_result ref_read(const struct ref_server *server, unsigned int realm, const uint32_t seq[4],
			 const unsigned int role[4], struct ref_group *group);

/* --- */

/* Splitmix64: numbers that look random and are the same in every run. */
uint64_t ref_random(uint64_t *state);

#endif /* TAP_SELFTESTS_REF_H */
