/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SipHash with 64-bit output (Aumasson and Bernstein). SipHash-2-4 makes tags and masks, as libsodium's
 * crypto_shorthash does. Messages are given as the little-endian words that the reference reads them
 * as.
 */
#ifndef TAP_SIPHASH_H
#define TAP_SIPHASH_H

#include "bpf/kernel.h"
#include "tap/maps.h"

struct sip_state {
	__u64 v0, v1, v2, v3;
};

#define SIP_ROTATE(x, bits) (((x) << (bits)) | ((x) >> (64 - (bits))))

static __always_inline void sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = SIP_ROTATE(s->v1, 13) ^ s->v0;
	s->v3 = SIP_ROTATE(s->v3, 16) ^ s->v2;
	s->v0 = SIP_ROTATE(s->v0, 32) + s->v3;
	s->v2 += s->v1;
	s->v1 = SIP_ROTATE(s->v1, 17) ^ s->v2;
	s->v3 = SIP_ROTATE(s->v3, 21) ^ s->v0;
	s->v2 = SIP_ROTATE(s->v2, 32);
}

static __always_inline struct sip_state sip_start(const struct tap_sipkey *key)
{
	struct sip_state s = {
		.v0 = key->k[0] ^ 0x736f6d6570736575ULL,
		.v1 = key->k[1] ^ 0x646f72616e646f6dULL,
		.v2 = key->k[0] ^ 0x6c7967656e657261ULL,
		.v3 = key->k[1] ^ 0x7465646279746573ULL,
	};

	return s;
}

static __always_inline void sip_word(struct sip_state *s, __u64 word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static __always_inline __u64 sip_end(struct sip_state *s)
{
	int i;

	s->v2 ^= 0xff;
#pragma unroll
	for (i = 0; i < 4; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* SipHash-2-4 of the 8-byte message that is read as this word. */
static __always_inline __u64 siphash_8(const struct tap_sipkey *key, __u64 word)
{
	struct sip_state s = sip_start(key);

	sip_word(&s, word);
	sip_word(&s, 8ULL << 56);
	return sip_end(&s);
}

#endif /* TAP_SIPHASH_H */
