/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The published test vectors (selftests/vectors/groups.json), made by another implementation.
 */
#ifndef TAP_SELFTESTS_VECTORS_H
#define TAP_SELFTESTS_VECTORS_H

#include "selftests/common/ref.h"

#define VECTORS_MAX 128
#define VECTOR_MARKS 8 /* first and last marks of a realm that are listed */
#define VECTOR_KEYS 8 /* of a reading's server */

struct vector_realm {
	uint8_t realm_key[REF_REALM_KEY_BYTES];
	uint8_t k_veil[REF_DERIVED_BYTES];
	uint8_t k_mark[REF_DERIVED_BYTES];
	unsigned int marks; /* how many there are */
	uint16_t first[VECTOR_MARKS];
	uint16_t last[VECTOR_MARKS];
};

/* A group to encode. */
struct vector_group {
	struct ref_group group;
	uint8_t k_tag[REF_DERIVED_BYTES];
	struct ref_wire wire;
};

/* Four sequence numbers in order of arrival, to decode. */
struct vector_reading {
	char name[100];
	struct ref_server server;
	struct ref_key keys[VECTOR_KEYS];
	uint32_t seq[4];
	bool from_any; /* the file names no source, ... */
	bool to_any; /* or no destination address */
	/* What comes of it: */
	enum ref_result result;
	int syn0; /* this and the following only where it is authentic */
	uint16_t key_id;
	uint32_t sec;
};

struct vectors {
	struct vector_realm realms[VECTORS_MAX];
	unsigned int n_realms;
	struct vector_group groups[VECTORS_MAX];
	unsigned int n_groups;
	struct vector_reading readings[VECTORS_MAX];
	unsigned int n_readings;
};

/*
 * Reads the file (TAP_VECTORS in the environment, or the one of the source tree). Says what is
 * wrong and exits on any error: no test can go on without it.
 */
const struct vectors *vectors_load(void);

#endif /* TAP_SELFTESTS_VECTORS_H */
