// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fields written into sequence numbers and read again, in both frames and around every clock; and
 * sequence numbers at random, which must be read as nothing that could not have been written.
 */
#include "bpf/frame.h"
#include "selftests/common/ref.h"
#include "selftests/fuzz/fuzz.h"

static enum tap_reading read_any(struct tap_fields *f, bool veiled, uint64_t mask,
				 const uint32_t seq[3], uint32_t now, uint32_t skew)
{
	return veiled ? tap_read_veiled(f, mask, seq[0], seq[1], now, skew) :
			tap_read_classic(f, seq[0], seq[1], seq[2], now, skew);
}

/* Seconds between two times in 64 bits, so without the arithmetic that is under test. */
static int64_t apart(uint32_t now, uint32_t sec)
{
	int64_t ahead = (int64_t)sec - now;

	if (ahead > INT32_MAX)
		ahead -= 1LL << 32;
	return ahead < INT32_MIN ? ahead + (1LL << 32) : ahead;
}

static void must_be_near(enum tap_reading reading, const struct tap_fields *f, uint32_t now,
			 uint32_t skew)
{
	int64_t ahead = apart(now, f->sec);
	bool near = ahead <= skew && -ahead <= skew;

	MUST(reading == (near ? TAP_READABLE : TAP_READABLE_SKEWED), "%d at %d seconds", reading,
	     (int)ahead);
}

/* What was written is read, when the clock of the reader is near enough for that frame. */
static void round_trip(struct input *input)
{
	uint8_t kind = take8(input);
	bool veiled = kind & 1;
	struct tap_sipkey key = { { take64(input), take64(input) } };
	struct tap_fields f = { .isn = take32(input), .sec = take32(input), .key_id = take16(input),
				.frac = take8(input),
				.flags = take8(input) & (veiled ? 0xff : 0x1f),
				.port = take16(input), .frame = veiled };
	struct tap_fields got = { .isn = f.isn, .port = f.port };
	uint32_t skew = take_below(input, 3601), now = f.sec + (int32_t)take32(input), seq[3];
	uint64_t mask = tap_veil_mask(&key, f.isn), tag = tap_tag(&key, &f);
	enum tap_reading reading;
	int64_t ahead;

	if (kind & 2) /* a clock that is only just right, or wrong */
		now = f.sec + ((kind & 4 ? 1 : -1) * (int32_t)skew) + (int32_t)(kind >> 3 & 3) - 1;
	tap_frame_write(&f, mask, tag, seq);
	reading = read_any(&got, veiled, mask, seq, now, skew);
	ahead = apart(now, f.sec);
	if (veiled ? ahead > VEILED_NEAR || -ahead > VEILED_NEAR : false) {
		MUST(reading == TAP_NO_READING, "%d", reading);
		return;
	}
	if (!veiled && (ahead < -(1 << 28) || ahead >= 1 << 28)) {
		/* Read as another time with the same low bits, which is nearer. */
		MUST(!((got.sec ^ f.sec) & 0x1fffffff), "%u for %u", got.sec, f.sec);
		MUST(apart(now, got.sec) >= -(1 << 28) && apart(now, got.sec) < 1 << 28, "far");
		return;
	}
	if (veiled && reading == TAP_NO_READING) { /* unknown flags, and out of the skew */
		MUST(f.flags & ~TAP_FLAG_EXTENDED && (ahead > skew || -ahead > skew), "%x",
		     f.flags);
		return;
	}
	MUST(reading != TAP_NO_READING, "%d", reading);
	must_be_near(reading, &got, now, skew);
	MUST(!memcmp(&got, &f, sizeof(f)), "%s frame", veiled ? "veiled" : "classic");
	MUST(tap_tag_matches(&got, seq[2], tap_tag_extension(tag), tag), "own tag");
	seq[2] ^= 1u << take_below(input, veiled ? 32 : 30);
	MUST(!tap_tag_matches(&got, seq[2], tag >> 32, tag), "one bit");
	tap_frame_write(&f, mask, tag, seq);
	if (f.flags & TAP_FLAG_EXTENDED)
		MUST(!tap_tag_matches(&got, seq[2], (tag >> 32) ^ 1u << take_below(input, 32), tag),
		     "one bit of the extension");
}

/* Whatever is read writes itself again. */
static void read_noise(struct input *input)
{
	bool veiled = take8(input) & 1;
	struct tap_sipkey key = { { take64(input), take64(input) } };
	struct tap_fields f = { .isn = take32(input) };
	uint64_t mask = tap_veil_mask(&key, f.isn);
	uint32_t seq[3] = { take32(input), take32(input), take32(input) }, again[3];
	uint32_t now = take32(input), skew = take_below(input, 3601);
	uint8_t kinds = take8(input);
	enum tap_reading reading;

	if (!veiled && kinds & 1) { /* the right type bits */
		seq[0] = seq[0] >> 3 | 5u << 29;
		seq[1] = seq[1] >> 3 | 4u << 29;
		seq[2] |= 3u << 30;
	} else if (veiled && kinds & 1) { /* a time nearby */
		seq[1] = (uint32_t)(mask >> 32) ^ (now + (int32_t)(seq[1] % 8192) - 4096);
	}
	reading = read_any(&f, veiled, mask, seq, now, skew);
	if (reading == TAP_NO_READING) {
		if (!veiled)
			MUST(seq[0] >> 29 != 5 || seq[1] >> 29 != 4 || seq[2] >> 30 != 3, "types");
		return;
	}
	must_be_near(reading, &f, now, skew);
	MUST(f.frame == veiled, "%u", f.frame);
	tap_frame_write(&f, mask, seq[2], again);
	MUST(again[0] == seq[0] && again[1] == seq[1] && again[2] == seq[2], "not what was read");
}

/* Against libsodium. */
static void hash(struct input *input)
{
	struct ref_group group = { .key_id = take16(input), .isn = take32(input),
				   .sec = take32(input), .frac = take8(input),
				   .flags = take8(input), .port = take16(input),
				   .veiled = take8(input) & 1 };
	struct tap_fields f = { .isn = group.isn, .sec = group.sec, .key_id = group.key_id,
				.frac = group.frac, .flags = group.flags, .port = group.port,
				.frame = group.veiled };
	struct tap_sipkey key;
	uint8_t k_tag[REF_DERIVED_BYTES];

	take(input, group.realm_key, sizeof(group.realm_key));
	take(input, group.user_key, sizeof(group.user_key));
	ref_derive_tag(k_tag, group.user_key, group.realm_key);
	memcpy(&key, k_tag, sizeof(key)); /* little-endian, as this machine is */
	MUST(tap_tag(&key, &f) == ref_tag(&group), "another tag");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	switch (take8(&input) % 4) {
	case 0:
		hash(&input);
		break;
	case 1:
		read_noise(&input);
		break;
	default:
		round_trip(&input);
	}
	return 0;
}
