// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream of segments of many groups into a few buckets, against a model that remembers all that
 * was put in: what comes out are always four different segments of the group, each of which was put
 * in and did not come out before; a segment that is waiting is a duplicate; and a group from which
 * others took no more than three slots always completes, and comes out in the order of arrival.
 */
#include "bpf/group.h"
#include "selftests/fuzz/fuzz.h"

#define BUCKETS 2
#define GROUPS 8
#define SEGMENTS 8 /* different ones of a group: more than a group has */

struct group {
	uint8_t bucket;
	uint16_t number;
	uint8_t put; /* bit for each segment: put in since the group was last taken out */
	uint8_t order[TAP_GROUP_SEGMENTS]; /* the first ones, as they were put in */
	unsigned int strangers; /* slots that others took or passed since its first segment */
};

static struct tap_bucket buckets[BUCKETS] __attribute__((aligned(64)));
static struct group groups[GROUPS];
static struct tap_gathering room;

/* Few sequence numbers and ports, so that segments of different groups look alike. */
static struct tap_segment segment_of(unsigned int n)
{
	return (struct tap_segment){ .seq = n / 2, .sport = n % 2 + (n == 7 ? 65533 : 0) };
}

static bool same(const struct tap_segment *a, const struct tap_segment *b)
{
	return a->seq == b->seq && a->sport == b->sport;
}

static bool waiting(const struct group *g, unsigned int n)
{
	struct tap_segment segment = segment_of(n);
	uint64_t word = tap_slot_word(&segment, g->number);
	unsigned int i;

	for (i = 0; i < TAP_BUCKET_SLOTS; i++)
		if (buckets[g->bucket].segment[i] == word)
			return true;
	return false;
}

static void check_taken(struct group *g, const struct tap_segment out[TAP_GROUP_SEGMENTS])
{
	unsigned int i, n, seen = 0;

	for (i = 0; i < TAP_GROUP_SEGMENTS; i++) {
		for (n = 0; n < SEGMENTS; n++) {
			struct tap_segment want = segment_of(n);

			if (same(&out[i], &want))
				break;
		}
		MUST(n < SEGMENTS, "seq %u, port %u were never put in", out[i].seq, out[i].sport);
		MUST(g->put >> n & 1, "segment %u was not put in", n);
		if (g->strangers <= TAP_BUCKET_SLOTS - TAP_GROUP_SEGMENTS)
			MUST(g->order[i] == n, "number %u is segment %u, should be %u", i, n,
			     g->order[i]);
		seen |= 1u << n;
	}
	MUST(__builtin_popcount(seen) == TAP_GROUP_SEGMENTS, "not four different ones: %x", seen);
	for (n = 0; n < SEGMENTS; n++)
		MUST(!waiting(g, n), "segment %u was left behind", n);
	g->put = 0;
	g->strangers = 0;
}

/* Slots that a store passes by or fills: it does not push out what is of its own group. */
static unsigned int room_taken(const struct group *g)
{
	unsigned int n, room = 1;

	for (n = 0; n < SEGMENTS; n++)
		room += waiting(g, n);
	return room;
}

static void put(struct group *g, unsigned int n)
{
	struct tap_segment segment = segment_of(n), out[TAP_GROUP_SEGMENTS];
	unsigned int before = room_taken(g), i;
	bool there = waiting(g, n);
	enum tap_collected collected;

	collected = tap_collect(&buckets[g->bucket], g->number, &segment);
	MUST((collected == TAP_DUPLICATE) == there, "%d", collected);
	if (collected == TAP_DUPLICATE)
		return;
	MUST(waiting(g, n), "it is not there");
	MUST(room_taken(g) == before + 1, "in place of another one of its group");
	if (__builtin_popcount(g->put) < TAP_GROUP_SEGMENTS)
		g->order[__builtin_popcount(g->put)] = n;
	g->put |= 1u << n;
	for (i = 0; i < GROUPS; i++)
		if (&groups[i] != g && groups[i].bucket == g->bucket && groups[i].put)
			groups[i].strangers += before;
	if (__builtin_popcount(g->put) < TAP_GROUP_SEGMENTS)
		MUST(collected == TAP_COLLECTING, "of less than four");
	else if (g->strangers <= TAP_BUCKET_SLOTS - TAP_GROUP_SEGMENTS)
		MUST(collected == TAP_COMPLETE, "with %u slots taken", g->strangers);
	if (collected != TAP_COMPLETE)
		return;
	MUST(tap_take_group(&buckets[g->bucket], g->number, &room, out), "alone here");
	check_taken(g, out);
	MUST(!tap_take_group(&buckets[g->bucket], g->number, &room, out), "twice");
}

static void start(struct input *input)
{
	unsigned int i;

	memset(buckets, 0, sizeof(buckets));
	take8(input); /* what it once said is gone */
	for (i = 0; i < GROUPS; i++)
		groups[i] = (struct group){ .bucket = i % 4 ? 0 : 1, .number = 1 + i * 0x2492 };
	groups[GROUPS - 1].number = 0xffff;
	buckets[0].cursor = take_below(input, TAP_BUCKET_SLOTS);
}

/* Places are within the table, and the same for the same group. */
static void place(struct input *input)
{
	struct tap_place_key key;
	struct tap_packet p = { .dport = take16(input), .ipv6 = take8(input) & 1 }, other;
	uint16_t mark = take16(input);
	uint32_t tsval = take32(input), epoch = take8(input);
	struct tap_place a, b, later;

	take(input, p.src, sizeof(p.src));
	take(input, p.dst, sizeof(p.dst));
	take(input, &key, sizeof(key));
	other = p;
	other.tcp_bytes = 99; /* does not count */
	a = tap_place_group(&key, &p, mark, tsval, epoch);
	b = tap_place_group(&key, &other, mark, tsval, epoch);
	later = tap_place_group(&key, &p, mark, tsval, epoch + 1);
	MUST(a.bucket < TAP_PENDING_BUCKETS && a.group, "%u, %u", a.bucket, a.group);
	MUST(a.bucket == b.bucket && a.group == b.group && a.mask == b.mask, "two places");
	if (key.k[11] << 32) /* the lower half, which is the mask's, differs for certain */
		MUST(a.mask != later.mask, "the same place in the next epoch");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint8_t next;

	if (take8(&input) == 255) {
		place(&input);
		return 0;
	}
	start(&input);
	while (input.left) {
		next = take8(&input);
		put(&groups[next % GROUPS], next / GROUPS % SEGMENTS);
	}
	return 0;
}
