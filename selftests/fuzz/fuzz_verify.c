// SPDX-License-Identifier: GPL-2.0-only
/*
 * The replay rule against a model that remembers every admission, under any clock; a key's rate
 * against a count; validity and tags of keys, and the start of the records, against plain arithmetic.
 */
#include "bpf/verify.h"
#include "selftests/fuzz/fuzz.h"

#define ADMISSIONS_MAX 600

static __u64 seconds[TAP_SECONDS];
static uint32_t made[ADMISSIONS_MAX]; /* SEC of each admission, in order */

/* What the gate does: a group of this second, new or admitted before. */
static void admit(struct tap_gate_state *s, uint32_t sec, uint32_t size)
{
	uint64_t i;

	if (!tap_records_complete(&seconds[sec % TAP_SECONDS], s, sec, size))
		return;
	/* So the map must still have the record of every group of that second. */
	for (i = 0; i < s->admissions; i++)
		if (made[i] == sec)
			MUST(s->admissions - i <= size, "record %u of %u is gone", (unsigned int)i,
			     (unsigned int)s->admissions);
	if (s->admissions == ADMISSIONS_MAX)
		return;
	made[s->admissions++] = sec;
	tap_note_newest(s, sec);
	MUST(s->newest >= sec, "%u", (unsigned int)s->newest);
}

static void replay(struct input *input)
{
	struct tap_gate_state s = {};
	uint32_t size = 1 + take_below(input, 32), now = 1 + take32(input) % 0xfffffffeu;
	uint64_t i;
	uint32_t newest = 0;

	while (input->left) {
		uint8_t next = take8(input);

		if (next & 0x80) /* the clock: a little on, or far away by a wrap of the table */
			now += next & 0x40 ? (int32_t)(TAP_SECONDS * ((next & 7) - 3)) :
					     next & 0x3f;
		else
			admit(&s, now + (next & 0x7f) % 32 - 16 ?: 1, size);
	}
	for (i = 0; i < s.admissions; i++) {
		if (made[i] > newest)
			newest = made[i];
		seconds[made[i] % TAP_SECONDS] = 0;
	}
	MUST(s.newest == newest, "%u, should be %u", (unsigned int)s.newest, newest);
	memset(seconds, 0, sizeof(seconds));
}

/*
 * Whatever the clock does: what is known is the count of one second, the last one that counted, or the
 * one before, whose clock was read before the second began.
 */
static void rate(struct input *input)
{
	struct tap_key_use use = {};
	uint32_t now = 1000000 + take16(input), second = 0, count = 0, times;
	bool counts;

	while (input->left) {
		uint8_t next = take8(input);

		if (next & 0x80)
			now += (int8_t)(next << 1) >> 1;
		counts = second == now || second == now + 1;
		MUST(tap_rate_used(&use, now) == (counts ? count : 0), "%u", count);
		for (times = next & 0x80 ? 0 : next; times; times--) {
			count = counts ? count + 1 : 1;
			second = counts ? second : now;
			counts = true;
			tap_rate_count(&use, now);
		}
		MUST(tap_rate_used(&use, now) == (counts ? count : 0), "%u", count);
	}
}

/* Which of a key's secrets made the tag, and how many tags that took. */
static void check_tags(struct input *input, const struct tap_key *key, const struct tap_fields *f,
		       const struct tap_endpoints *ends, int64_t now)
{
	uint8_t before = take8(input) % (TAP_GROUP_TAGS + 2), tags = before, alive = 0;
	uint8_t maker = take8(input) % 3; /* 2: none */
	struct tap_fields claimed = *f;
	enum tap_tag_check want = TAP_TAG_WRONG, got;
	uint64_t right = ~tap_tag(&key->secret[0], f, ends);
	__u64 tag = 0;
	int i;

	if (maker < 2)
		right = tap_tag(&key->secret[maker], f, ends);
	claimed.tag = right & (f->encoding ? (1ULL << 56) - 1 : (1U << 30) - 1);
	for (i = 0; i < 2 && want == TAP_TAG_WRONG; i++) {
		if (now >= key->until[i])
			continue;
		if (before + alive >= 4)
			want = TAP_TAG_LIMIT;
		else if (i == maker || (maker < 2 && !memcmp(&key->secret[0], &key->secret[1],
							       sizeof(key->secret[0]))))
			want = TAP_TAG_RIGHT;
		alive += want != TAP_TAG_LIMIT;
	}
	got = tap_key_made(key, now, &claimed, ends, &tags, &tag);
	MUST(got == want, "%d, should be %d", got, want);
	MUST(tags == before + alive, "%u tags after %u", tags, before);
	if (got == TAP_TAG_RIGHT)
		MUST(tag == right, "not all of it");
	claimed.tag ^= 1ULL << take_below(input, f->encoding ? 56 : 30);
	tags = 0;
	MUST(maker == 2 || tap_key_made(key, now, &claimed, ends, &tags, &tag) == TAP_TAG_WRONG,
	     "one bit");
}

/* When the group was made, in 256ths of a second. */
static __int128 made_256(const struct tap_fields *f, int64_t now)
{
	int64_t sec = now + (int32_t)(f->sec - (uint32_t)now);

	return (__int128)sec * 256 + (f->encoding ? 16 * f->frac : f->frac);
}

static void check_start(struct input *input, const struct tap_fields *f, int64_t now)
{
	uint64_t started = take64(input), now_ns = now * TAP_NS_PER_SEC + take32(input) % 1000000000;
	int64_t sec = now + (int32_t)(f->sec - (uint32_t)now), kept = take64(input);
	int near = take8(input);
	__int128 age;
	bool want;

	/* To 1/256 s: a group is made within the 256th that it says. */
	started = near ? sec * TAP_NS_PER_SEC + (near - 128) * (TAP_NS_PER_SEC / 200) : started;
	want = made_256(f, now) < (__int128)started * 256 / TAP_NS_PER_SEC;
	MUST(tap_made_before(f, now, started) == want, "before");
	age = (__int128)now_ns * 256 / TAP_NS_PER_SEC - made_256(f, now);
	if (near)
		kept = (int64_t)age * (int64_t)(TAP_NS_PER_SEC / 256) + (near - 128) * 1000000;
	want = kept < 0 || age > kept / (int64_t)(TAP_NS_PER_SEC / 256);
	MUST(tap_older_than(f, now_ns, kept) == want, "older");
}

static void keys(struct input *input)
{
	struct tap_key key = {};
	struct tap_fields f = { .sec = take32(input), .frac = take8(input) };
	int64_t now = (1LL << 31) + take32(input) * 2LL; /* SEC begins anew in 2106 */
	struct tap_endpoints ends;
	int i;

	f.encoding = take8(input) & 1;
	f.flags = take8(input) & TAP_FLAGS_KNOWN;
	if (f.encoding)
		f.frac &= 15;
	take(input, &key.secret, sizeof(key.secret));
	take(input, &ends, sizeof(ends));
	for (i = 0; i < 2; i++)
		key.until[i] = take8(input) & 1 ? now - 3 + take_below(input, 7) : 0;
	key.not_before = now - 3 + take_below(input, 7);
	key.not_after = now - 3 + take_below(input, 7);
	if (take8(input) & 1)
		key.not_after = take8(input) & 1 ? TAP_FOREVER : TAP_REVOKED;
	MUST(tap_key_active(&key, now) == (key.not_before <= now && now < key.not_after), "active");
	MUST(tap_key_known(&key) == (key.until[0] || key.until[1] || key.not_after == -1),
	     "known");
	check_tags(input, &key, &f, &ends, now);
	check_start(input, &f, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	switch (take8(&input) % 4) {
	case 0:
		keys(&input);
		break;
	case 1:
		rate(&input);
		break;
	default:
		replay(&input);
	}
	return 0;
}
