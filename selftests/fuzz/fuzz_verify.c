// SPDX-License-Identifier: GPL-2.0-only
/*
 * The replay rule against a model that remembers every admission, under any clock; the count of
 * failures against a count; validity of keys and the start barrier against plain arithmetic.
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

/* Time that only goes on: the count is exact. */
static void failures(struct input *input)
{
	struct tap_gate_state s = {};
	uint32_t now = 1000 + take16(input), before = 0, count = 0, times;

	while (input->left) {
		uint8_t next = take8(input);

		if (next & 0x80) {
			before = next & 1 ? count : 0;
			count = 0;
			now += next & 1 ? 1 : 2;
		}
		for (times = 0; !(next & 0x80) && times < next; times++, count++)
			tap_note_failure(&s, now);
		MUST(tap_under_attack(&s, now) ==
			     (count > TAP_AUTO_FAILURES || before > TAP_AUTO_FAILURES),
		     "%u now, %u before", count, before);
	}
}

static void keys(struct input *input)
{
	struct tap_key key = {};
	struct tap_fields f = { .sec = take32(input), .frac = take8(input) };
	int64_t now = (1LL << 31) + take32(input) * 4LL; /* SEC begins anew in 2106 */
	uint64_t started = take64(input);
	__u64 tag, got;
	int64_t sec = now + (int32_t)(f.sec - (uint32_t)now);
	int near = take8(input);
	bool want;
	int i;

	take(input, &key.secret, sizeof(key.secret));
	for (i = 0; i < 2; i++)
		key.until[i] = take8(input) & 1 ? now - 3 + take_below(input, 7) : 0;
	key.not_before = now - 3 + take_below(input, 7);
	key.not_after = now - 3 + take_below(input, 7);
	if (take8(input) & 1)
		key.not_after = take8(input) & 1 ? TAP_FOREVER : TAP_REVOKED;
	MUST(tap_key_active(&key, now) == (key.not_before <= now && now < key.not_after), "active");
	MUST(tap_key_known(&key) == (key.until[0] || key.until[1] || key.not_after == -1),
	     "known");
	for (i = 0; i < 2; i++) {
		tag = tap_tag(&key.secret[i], &f);
		if (now < key.until[i])
			MUST(tap_key_made(&key, now, &f, tag, 0, &got) &&
				     (uint32_t)got == (uint32_t)tag,
			     "secret %d is alive", i);
		else if (now >= key.until[!i])
			MUST(!tap_key_made(&key, now, &f, tag, 0, &got), "secret %d is dead", i);
	}
	/* To 1/256 s: a group is made within the 256th that it says. */
	started = near ? sec * TAP_NS_PER_SEC + (near - 128) * (TAP_NS_PER_SEC / 200) : started;
	want = (__int128)sec * 256 + f.frac < (__int128)started * 256 / TAP_NS_PER_SEC;
	MUST(tap_made_before(&f, now, started) == want, "before");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	switch (take8(&input) % 4) {
	case 0:
		keys(&input);
		break;
	case 1:
		failures(&input);
		break;
	default:
		replay(&input);
	}
	return 0;
}
