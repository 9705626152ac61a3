/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The group's fields in its sequence numbers: how the splitter writes them, how the gate reads them,
 * and the tag over them (docs/protocol.md, "The tag" and "The four SYNs").
 */
#ifndef TAP_FRAME_H
#define TAP_FRAME_H

#include "bpf/kernel.h"
#include "bpf/siphash.h"
#include "tap/wire.h"

/* What a group says. */
struct tap_fields {
	__u32 isn; /* SYN0's sequence number, the one the client's kernel chose */
	__u32 sec; /* Unix seconds */
	__u16 key_id;
	__u8 frac; /* 256ths of the second */
	__u8 flags; /* TAP_FLAG_* */
	__u16 port; /* destination port that the client dialled */
	__u8 frame; /* enum tap_frame */
	__u8 pad;
};

/* Type bits of the classic frame. */
#define CLASSIC_FIELD1 0x5u /* top three bits */
#define CLASSIC_FIELD2 0x4u
#define CLASSIC_FIELD3 0x3u /* top two bits */
#define CLASSIC_SEC_BITS 29
#define CLASSIC_TAG_MASK 0x3fffffffu

/* The 64-bit tag T. */
static __always_inline __u64 tap_tag(const struct tap_sipkey *key, const struct tap_fields *f)
{
	__u64 w0, w1;

	w0 = (__u64)__builtin_bswap32(f->sec) << 32 | __builtin_bswap32(f->isn);
	w1 = (__u64)f->frame << 56 | (__u64)TAP_VERSION << 48 |
	     (__u64)__builtin_bswap16(f->port) << 32 | (__u64)f->flags << 24 |
	     (__u64)f->frac << 16 | __builtin_bswap16(f->key_id);
	return siphash_16(key, w0, w1);
}

static __always_inline __u64 tap_veil_mask(const struct tap_sipkey *veil, __u32 isn)
{
	return siphash_be32(veil, isn);
}

/* SYN3's TSecr. */
static __always_inline __u32 tap_tag_extension(__u64 tag)
{
	return tag >> 32;
}

/* Fields 1 to 3: the sequence numbers of SYN1 to SYN3. `mask` counts in the veiled frame only. */
static __always_inline void tap_frame_write(const struct tap_fields *f, __u64 mask, __u64 tag,
					    __u32 seq[3])
{
	__u32 field1 = (__u32)f->flags << 24 | (__u32)f->frac << 16 | f->key_id;

	if (f->frame == TAP_FRAME_CLASSIC) {
		seq[0] = CLASSIC_FIELD1 << 29 | field1;
		seq[1] = CLASSIC_FIELD2 << 29 | (f->sec & ((1u << CLASSIC_SEC_BITS) - 1));
		seq[2] = CLASSIC_FIELD3 << 30 | ((__u32)tag & CLASSIC_TAG_MASK);
	} else {
		seq[0] = (__u32)mask ^ field1;
		seq[1] = (__u32)(mask >> 32) ^ f->sec;
		seq[2] = (__u32)tag;
	}
}

/* The part of the tag that is in SYN3's sequence number. */
static __always_inline bool tap_tag_matches(const struct tap_fields *f, __u32 seq3, __u32 tsecr3,
					    __u64 tag)
{
	__u32 compared = f->frame == TAP_FRAME_CLASSIC ? CLASSIC_TAG_MASK : 0xffffffffu;

	if ((seq3 ^ (__u32)tag) & compared)
		return false;
	return !(f->flags & TAP_FLAG_EXTENDED) || tsecr3 == tap_tag_extension(tag);
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

/* How a reading of four segments went. */
enum tap_reading {
	TAP_NO_READING, /* these four, in these roles, are no group of that frame */
	TAP_READABLE,
	TAP_READABLE_SKEWED, /* but its time is out of bounds */
};

/*
 * Classic: by type bits. SEC is the value nearest to now whose low 29 bits are those of field 2.
 * seq1..seq3: sequence numbers of what is taken for SYN1..SYN3.
 */
static __always_inline enum tap_reading
tap_read_classic(struct tap_fields *f, __u32 seq1, __u32 seq2, __u32 seq3, __u32 now, __u32 skew)
{
	if (seq1 >> 29 != CLASSIC_FIELD1 || seq2 >> 29 != CLASSIC_FIELD2 ||
	    seq3 >> 30 != CLASSIC_FIELD3)
		return TAP_NO_READING;
	f->frame = TAP_FRAME_CLASSIC;
	f->flags = seq1 >> 24 & 0x1f;
	f->frac = seq1 >> 16;
	f->key_id = seq1;
	/* The difference in 29 bits, its sign extended, is the nearest one in 32. */
	f->sec = now + ((__s32)((seq2 - now) << (32 - CLASSIC_SEC_BITS)) >>
			(32 - CLASSIC_SEC_BITS));
	return tap_within_skew(now, f->sec, skew) ? TAP_READABLE : TAP_READABLE_SKEWED;
}

/*
 * A veiled group out of the allowed skew cannot be told from noise for certain. When the flags make
 * sense and the time is off by no more than this (388 days), a wrong clock is the likelier cause.
 */
#define VEILED_NEAR (1u << 25)

/*
 * 1 if seq2 may be a veiled group's field 2 at all, else 0; `mask` is SYN0's. No branches: see who
 * calls it.
 */
static __always_inline __u32 tap_veiled_near(__u64 mask, __u32 seq2, __u32 now)
{
	__u32 ahead = (seq2 ^ (__u32)(mask >> 32)) - now + VEILED_NEAR;

	return ((__u64)ahead - (2 * VEILED_NEAR + 1)) >> 63;
}

/*
 * Veiled: field 2 is the one whose time lies within the allowed skew. `mask` is SYN0's. Flags that
 * are unknown make a reading only where the time fits, so that the group gets that reason.
 */
static __always_inline enum tap_reading
tap_read_veiled(struct tap_fields *f, __u64 mask, __u32 seq1, __u32 seq2, __u32 now, __u32 skew)
{
	__u32 field1 = seq1 ^ (__u32)mask;

	f->sec = seq2 ^ (__u32)(mask >> 32);
	if (!tap_veiled_near(mask, seq2, now))
		return TAP_NO_READING;
	f->frame = TAP_FRAME_VEILED;
	f->flags = field1 >> 24;
	f->frac = field1 >> 16;
	f->key_id = field1;
	if (tap_within_skew(now, f->sec, skew))
		return TAP_READABLE;
	return f->flags & ~TAP_FLAG_EXTENDED ? TAP_NO_READING : TAP_READABLE_SKEWED;
}

#endif /* TAP_FRAME_H */
