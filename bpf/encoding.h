/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The group's fields in its sequence numbers: how the splitter writes them, how the gate reads them,
 * and the tag over them (docs/protocol.md, "The tag" and "The four SYNs").
 */
#ifndef TAP_ENCODING_H
#define TAP_ENCODING_H

#include "bpf/kernel.h"
#include "bpf/siphash.h"
#include "tap/wire.h"

/* What a group says. */
struct tap_fields {
	__u64 tag; /* as much of it as the group carries: see tap_tag_bits() */
	__u32 isn; /* SYN0's sequence number, the one the client's kernel chose */
	__u32 sec; /* Unix seconds */
	__u16 key_id;
	__u16 port; /* destination port that the client dialled */
	__u8 frac; /* as carried: of the second, 256ths (classic) or 16ths (veiled) */
	__u8 flags; /* TAP_FLAG_* */
	__u8 encoding; /* enum tap_encoding */
	__u8 pad;
};

/* The addresses that a tag may cover, as in struct tap_prefix; of the destination what was dialled. */
struct tap_endpoints {
	__u64 dst[2];
	__u64 src[2];
};

/* Type bits of the classic encoding. */
#define CLASSIC_FIELD1 0x5u /* top three bits */
#define CLASSIC_FIELD2 0x4u
#define CLASSIC_FIELD3 0x3u /* top two bits */
#define CLASSIC_SEC_BITS 29
#define CLASSIC_TAG_MASK 0x3fffffffu
#define CLASSIC_FRACTIONS 256 /* of a second */

#define VEILED_SEC_BITS 16
#define VEILED_TAG_MASK 0xffffffffffffffULL
#define VEILED_FRACTIONS 16
#define VEILED_FLAGS 0xfu
#define VEILED_RESERVED (VEILED_FLAGS & ~TAP_FLAGS_KNOWN)

/* The bits of T that a group of this encoding carries. */
static __always_inline __u64 tap_tag_bits(__u8 encoding)
{
	return encoding == TAP_ENCODING_CLASSIC ? CLASSIC_TAG_MASK : VEILED_TAG_MASK;
}

/* The group's part of the second in 256ths, which only the classic encoding carries. */
static __always_inline __u32 tap_frac_256(const struct tap_fields *f)
{
	return f->encoding == TAP_ENCODING_CLASSIC ?
		       f->frac :
		       f->frac * (CLASSIC_FRACTIONS / VEILED_FRACTIONS);
}

/* A destination in 64:ff9b::/96 counts as the IPv4 address in it, which a translator (NAT64) dials. */
static __always_inline void tap_dialled_address(const __u64 address[2], __u64 out[2])
{
	bool translated = address[0] == 0x9bff6400ULL && !(__u32)address[1];

	out[0] = translated ? 0 : address[0];
	out[1] = translated ? (address[1] & ~0xffffffffULL) | 0xffff0000ULL : address[1];
}

/* The 64-bit tag T. */
static __always_inline __u64 tap_tag(const struct tap_sipkey *key, const struct tap_fields *f,
				     const struct tap_endpoints *ends)
{
	struct sip_state s = sip_start(key);
	__u64 bytes = 16;

	sip_word(&s, (__u64)__builtin_bswap32(f->sec) << 32 | __builtin_bswap32(f->isn));
	sip_word(&s, (__u64)f->encoding << 56 | (__u64)TAP_VERSION << 48 |
			     (__u64)__builtin_bswap16(f->port) << 32 | (__u64)f->flags << 24 |
			     (__u64)f->frac << 16 | __builtin_bswap16(f->key_id));
	if (f->flags & TAP_FLAG_DST) {
		sip_word(&s, ends->dst[0]);
		sip_word(&s, ends->dst[1]);
		bytes += 16;
	}
	if (f->flags & TAP_FLAG_SRC) {
		sip_word(&s, ends->src[0]);
		sip_word(&s, ends->src[1]);
		bytes += 16;
	}
	sip_word(&s, bytes << 56);
	return sip_end(&s);
}

/* The mask over fields 1 and 2 of a veiled group: lower and upper half. */
static __always_inline __u64 tap_veil_mask(const struct tap_sipkey *veil, __u32 isn, __u32 field3)
{
	return siphash_8(veil, (__u64)__builtin_bswap32(field3) << 32 | __builtin_bswap32(isn));
}

/* Fields 1 to 3: the sequence numbers of SYN1 to SYN3. f->tag is all of T. */
static __always_inline void tap_encode(const struct tap_fields *f, const struct tap_sipkey *veil,
				       __u32 seq[3])
{
	__u64 mask;

	if (f->encoding == TAP_ENCODING_CLASSIC) {
		seq[0] = CLASSIC_FIELD1 << 29 | (__u32)f->flags << 24 | (__u32)f->frac << 16 |
			 f->key_id;
		seq[1] = CLASSIC_FIELD2 << 29 | (f->sec & ((1u << CLASSIC_SEC_BITS) - 1));
		seq[2] = CLASSIC_FIELD3 << 30 | ((__u32)f->tag & CLASSIC_TAG_MASK);
		return;
	}
	seq[2] = f->tag;
	mask = tap_veil_mask(veil, f->isn, seq[2]);
	seq[0] = (__u32)mask ^ ((__u32)f->key_id << 16 | (__u32)f->frac << 12 |
				(f->tag >> 32 & 0xfff));
	seq[1] = (__u32)(mask >> 32) ^
		 (f->sec << 16 | (__u32)(f->tag >> 44 & 0xfff) << 4 | f->flags);
}

/* Whether `tag`, all 64 bits, is the group's. */
static __always_inline bool tap_tag_matches(const struct tap_fields *f, __u64 tag)
{
	return !((f->tag ^ tag) & tap_tag_bits(f->encoding));
}

/* Seconds from `now` to `sec`, both modulo 2^32. */
static __always_inline __s32 tap_seconds_from(__u32 now, __u32 sec)
{
	return (__s32)(sec - now);
}

static __always_inline bool tap_within_skew(__u32 now, __u32 sec, __u32 skew)
{
	__s32 ahead = tap_seconds_from(now, sec);

	return ahead <= (__s32)skew && ahead >= -(__s32)skew;
}

/* The time nearest to now whose low `bits` bits are those of `low`. */
static __always_inline __u32 tap_nearest_sec(__u32 now, __u32 low, __u32 bits)
{
	return now + ((__s32)((low - now) << (32 - bits)) >> (32 - bits));
}

/* How a reading of four segments went. */
enum tap_reading {
	TAP_NO_READING, /* these four, in these roles, are no group of that encoding */
	TAP_READABLE,
	TAP_READABLE_SKEWED, /* but its time is out of bounds */
};

/* Classic: by type bits. seq: of what is taken for SYN0 to SYN3. Fills all of f but port. */
static __always_inline enum tap_reading tap_read_classic(struct tap_fields *f, const __u32 seq[4],
							 __u32 now, __u32 skew)
{
	if (seq[1] >> 29 != CLASSIC_FIELD1 || seq[2] >> 29 != CLASSIC_FIELD2 ||
	    seq[3] >> 30 != CLASSIC_FIELD3)
		return TAP_NO_READING;
	f->encoding = TAP_ENCODING_CLASSIC;
	f->isn = seq[0];
	f->flags = seq[1] >> 24 & 0x1f;
	f->frac = seq[1] >> 16;
	f->key_id = seq[1];
	f->sec = tap_nearest_sec(now, seq[2], CLASSIC_SEC_BITS);
	f->tag = seq[3] & CLASSIC_TAG_MASK;
	return tap_within_skew(now, f->sec, skew) ? TAP_READABLE : TAP_READABLE_SKEWED;
}

/*
 * 1 if a veiled group's field 2 has no reserved flags, else 0. No branches, here and below: many of
 * these stand in one loop, and the verifier would follow each way through.
 */
static __always_inline __u64 tap_veiled_clear(__u32 field2)
{
	__u64 clear = (__u64)(field2 & VEILED_RESERVED) - 1;

	TAP_KEEP_ORDER(clear);
	return clear >> 63;
}

#define VEILED_RESERVED_TO_17 14 /* shifts them above the time, to bits 16 and 17 */

/* 1 if moreover its time is within the skew. */
static __always_inline __u64 tap_veiled_fits(__u32 field2, __u32 now, __u32 skew)
{
	__u64 ahead = (__u16)((field2 >> 16) - now + skew);
	__u64 fits = (ahead | (field2 & VEILED_RESERVED) << VEILED_RESERVED_TO_17) - (2 * skew + 1);

	TAP_KEEP_ORDER(fits);
	return fits >> 63;
}

/* Veiled: takes any four for a group; its time and flags say whether it is one. */
static __always_inline void tap_read_veiled(struct tap_fields *f, __u64 mask, const __u32 seq[4],
					    __u32 now)
{
	__u32 field1 = seq[1] ^ (__u32)mask, field2 = seq[2] ^ (__u32)(mask >> 32);

	f->encoding = TAP_ENCODING_VEILED;
	f->isn = seq[0];
	f->flags = field2 & VEILED_FLAGS;
	f->frac = field1 >> 12 & 0xf;
	f->key_id = field1 >> 16;
	f->sec = tap_nearest_sec(now, field2 >> 16, VEILED_SEC_BITS);
	f->tag = (__u64)(field2 >> 4 & 0xfff) << 44 | (__u64)(field1 & 0xfff) << 32 | seq[3];
}

#endif /* TAP_ENCODING_H */
