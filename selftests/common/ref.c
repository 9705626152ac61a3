// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wire protocol once more, written from docs/protocol.md with libsodium alone; see ref.h.
 */
#include <string.h>

#include <sodium.h>

#include "selftests/common/ref.h"

#define TAG_PURPOSE "TAP2 tag"

void ref_derive_tag(uint8_t k_tag[REF_DERIVED_BYTES], const uint8_t user_key[REF_KEY_BYTES],
		    const uint8_t realm_key[REF_KEY_BYTES])
{
	uint8_t message[sizeof(TAG_PURPOSE) - 1 + REF_KEY_BYTES];

	memcpy(message, TAG_PURPOSE, sizeof(TAG_PURPOSE) - 1);
	memcpy(message + sizeof(TAG_PURPOSE) - 1, realm_key, REF_KEY_BYTES);
	crypto_generichash(k_tag, REF_DERIVED_BYTES, message, sizeof(message), user_key,
			   REF_KEY_BYTES);
}

void ref_derive_realm(uint8_t key[REF_DERIVED_BYTES], const char *purpose,
		      const uint8_t realm_key[REF_KEY_BYTES])
{
	crypto_generichash(key, REF_DERIVED_BYTES, (const uint8_t *)purpose, strlen(purpose),
			   realm_key, REF_KEY_BYTES);
}

uint64_t ref_siphash(const uint8_t key[REF_DERIVED_BYTES], const void *message, unsigned int length)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t value = 0;
	int i;

	crypto_shorthash(out, message, length, key);
	for (i = 7; i >= 0; i--)
		value = value << 8 | out[i];
	return value;
}

static uint8_t *put(uint8_t *at, uint64_t value, int bytes)
{
	while (bytes--)
		*at++ = value >> (8 * bytes);
	return at;
}

uint64_t ref_tag(const struct ref_group *group)
{
	uint8_t k_tag[REF_DERIVED_BYTES], message[16], *at = message;

	ref_derive_tag(k_tag, group->user_key, group->realm_key);
	at = put(at, group->isn, 4);
	at = put(at, group->sec, 4);
	at = put(at, group->key_id, 2);
	at = put(at, group->frac, 1);
	at = put(at, group->flags, 1);
	at = put(at, group->port, 2);
	at = put(at, 2, 1);
	at = put(at, group->veiled, 1);
	return ref_siphash(k_tag, message, at - message);
}

static void encode_veiled(const struct ref_group *group, struct ref_wire *wire)
{
	uint8_t k_veil[REF_DERIVED_BYTES], isn[4];
	uint64_t mask;

	ref_derive_realm(k_veil, "TAP2 veil", group->realm_key);
	put(isn, group->isn, 4);
	mask = ref_siphash(k_veil, isn, 4);
	wire->seq[1] = (uint32_t)mask ^ ((uint32_t)group->flags << 24 |
					 (uint32_t)group->frac << 16 | group->key_id);
	wire->seq[2] = (uint32_t)(mask >> 32) ^ group->sec;
	wire->seq[3] = (uint32_t)wire->tag;
}

static void encode_classic(const struct ref_group *group, struct ref_wire *wire)
{
	wire->seq[1] = 5u << 29 | (uint32_t)(group->flags & 0x1f) << 24 |
		       (uint32_t)group->frac << 16 | group->key_id;
	wire->seq[2] = 4u << 29 | (group->sec & 0x1fffffff);
	wire->seq[3] = 3u << 30 | ((uint32_t)wire->tag & 0x3fffffff);
}

void ref_encode(const struct ref_group *group, struct ref_wire *wire)
{
	memset(wire, 0, sizeof(*wire));
	wire->tag = ref_tag(group);
	wire->seq[0] = group->isn;
	if (group->veiled)
		encode_veiled(group, wire);
	else
		encode_classic(group, wire);
	wire->extended = group->flags & 1;
	if (wire->extended)
		wire->tsecr = wire->tag >> 32;
}

bool ref_is_mark(const uint8_t k_mark[REF_DERIVED_BYTES], uint16_t m)
{
	uint8_t message[2];

	put(message, m, 2);
	return m >= 1024 && ref_siphash(k_mark, message, 2) % 64 == 0;
}

uint64_t ref_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}
