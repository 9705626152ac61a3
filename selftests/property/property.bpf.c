// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The gate's own collecting, judging and records, driven by groups made here instead of frames.
 * Each run makes a new group or takes one that was made before, puts its four segments into their
 * bucket in some order, and has it judged. A bit for each group says that it was admitted.
 */
#define TAP_CONTEXT struct xdp_md
#define TAP_FRAME_BYTES(ctx) bpf_xdp_get_buff_len(ctx)
#include "bpf/kernel.h"
#include "bpf/verify.h"
#include "selftests/property/property.h"

const volatile struct property_settings settings;

static __always_inline bool complete_or_spoiled(__u64 *slot, const struct tap_gate_state *state,
						__u32 sec, __u32 replay_size)
{
	if (settings.spoiled == PROPERTY_NO_WINDOW)
		return true;
	return tap_records_complete(slot, state, sec, replay_size);
}

static long record_update(void *map, const void *key, const void *value, __u64 flags);

#define tap_records_complete complete_or_spoiled
#define bpf_map_update_elem record_update
#include "bpf/gate.bpf.c"
#undef bpf_map_update_elem
#undef tap_records_complete

/* The last groups made, by number: second 32 | number 32. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROPERTY_BORN);
	__type(key, __u32);
	__type(value, __u64);
} property_born SEC(".maps");

/* By number / 64, a bit for each group: admitted. Its size is set at load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} property_admitted SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct property_counts);
} property_counts SEC(".maps");

__u32 next_number; /* of a group */
__u32 era; /* that the clock is in */
__u32 stalled; /* 1: a CPU is held up */

static const __s64 era_seconds[PROPERTY_ERAS] = PROPERTY_ERA_SECONDS;

static __always_inline struct property_counts *counts(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&property_counts, &zero);
}

static __always_inline __u64 draw(struct property_counts *c)
{
	__u64 z = c->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* --- A CPU that is held up, as a hypervisor may do at any instant --- */

#define STALL_ADMISSIONS 4000
#define STALL_NS 50000000ULL
#define STALL_STEPS 2000000

struct stall {
	struct tap_gate_state *state;
	__u64 admissions, until_ns;
};

static long stall_step(__u32 i, struct stall *s)
{
	return TAP_READ_ONCE(s->state->admissions) >= s->admissions ||
	       bpf_ktime_get_ns() >= s->until_ns;
}

/* Until the other CPUs have admitted many more, or gives up. */
static void stall(struct property_counts *c)
{
	struct tap_gate_state *state = gate_state();
	struct stall s = { .state = state };

	/* One at a time: the others must go on. */
	if (!state || __sync_lock_test_and_set(&stalled, 1))
		return;
	s.admissions = TAP_READ_ONCE(state->admissions) + STALL_ADMISSIONS;
	s.until_ns = bpf_ktime_get_ns() + STALL_NS;
	bpf_loop(STALL_STEPS, stall_step, &s, 0);
	TAP_WRITE_ONCE(stalled, 0);
	c->stalls++;
}

static __always_inline long record_update(void *map, const void *key, const void *value,
					  __u64 flags)
{
	struct property_counts *c = counts();

	if (map != &tap_replay)
		return bpf_map_update_elem(map, key, value, flags);
	if (settings.one_in_stalls && c && draw(c) % settings.one_in_stalls == 0)
		stall(c);
	if (settings.spoiled == PROPERTY_NO_RECORD)
		flags = BPF_ANY;
	return bpf_map_update_elem(&tap_replay, key, value, flags);
}

/* --- The clock --- */

static __always_inline struct tap_realm *realm(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&tap_realm, &zero);
}

/* Time goes on by a second now and then, and the clock is set to another era. */
static __always_inline void move_clock(struct tap_realm *to, struct property_counts *c)
{
	__u32 next, last;

	if (draw(c) % settings.groups_per_second == 0)
		__sync_fetch_and_add(&to->tai_minus_utc_ns, -(__s64)TAP_NS_PER_SEC);
	if (!settings.steps || draw(c) % (16 * settings.groups_per_second))
		return;
	next = draw(c) & (PROPERTY_ERAS - 1);
	last = __sync_lock_test_and_set(&era, next) & (PROPERTY_ERAS - 1);
	__sync_fetch_and_add(&to->tai_minus_utc_ns,
			     (era_seconds[last] - era_seconds[next]) * (__s64)TAP_NS_PER_SEC);
}

/* --- Groups --- */

/* All of a group but its second comes from its number; no two have the same ISN. */
static __always_inline void group_fields(__u32 number, __u32 sec, struct tap_fields *f)
{
	__u32 mixed = (number ^ number >> 16) * 0x7feb352du;

	mixed = (mixed ^ mixed >> 15) * 0x846ca68bu;
	f->isn = mixed ^ mixed >> 16;
	f->sec = sec;
	f->key_id = PROPERTY_KEY;
	f->encoding = number & 1 ? TAP_ENCODING_VEILED : TAP_ENCODING_CLASSIC;
	f->frac = number & 1 ? number >> 3 & 0xf : number >> 3;
	f->flags = number >> 1 & TAP_FLAGS_KNOWN;
	f->port = PROPERTY_PORT;
}

/* A new group, made by a client whose clock is off by up to one second more than is allowed. */
static __always_inline void group_new(struct property_counts *c, struct tap_realm *with,
				      __u32 *number, __u32 *sec)
{
	__u64 now_ns = clock_utc_ns(with->tai_minus_utc_ns);
	__u32 wide = 2 * settings.skew + 3, at;
	__u64 *born;

	*number = __sync_fetch_and_add(&next_number, 1);
	*sec = now_ns / TAP_NS_PER_SEC - settings.skew - 1 + draw(c) % wide;
	at = *number % PROPERTY_BORN;
	born = bpf_map_lookup_elem(&property_born, &at);
	if (born)
		TAP_WRITE_ONCE(*born, (__u64)*sec << 32 | *number);
	c->made++;
}

static __always_inline bool group_old(struct property_counts *c, __u32 *number, __u32 *sec)
{
	__u64 r = draw(c), *born, word;
	__u32 age, at;

	age = r & 1 ? (r >> 8) % settings.replay_age : (r >> 8) % PROPERTY_BORN;
	at = (TAP_READ_ONCE(next_number) - 1 - age) % PROPERTY_BORN;
	born = bpf_map_lookup_elem(&property_born, &at);
	if (!born)
		return false;
	word = TAP_READ_ONCE(*born);
	*sec = word >> 32;
	*number = word;
	return *sec;
}

/* Puts the four into their bucket; true when the last one found the others there. */
static __always_inline bool group_send(struct property_counts *c, struct tap_fields *f,
				       struct tap_bucket *bucket, const struct tap_place *place)
{
	const struct tap_sipkey veil = { { gate.veil[0].k[0], gate.veil[0].k[1] } };
	const struct tap_endpoints ends = {};
	enum tap_collected collected = TAP_COLLECTING;
	__u32 id = PROPERTY_KEY, order = draw(c), i;
	struct tap_key *key = bpf_map_lookup_elem(&tap_keys, &id);
	__u32 seq[3];

	if (!key)
		return false;
	f->tag = tap_tag(&key->secret[0], f, &ends);
	tap_encode(f, &veil, seq);
	for (i = 0; i < TAP_GROUP_SEGMENTS; i++) {
		__u32 role = (i ^ order) % TAP_GROUP_SEGMENTS;
		struct tap_segment segment = { .sport = 50000 + role };

		segment.seq = role == 0 ? f->isn : role == 1 ? seq[0] : role == 2 ? seq[1] : seq[2];
		collected = tap_collect(bucket, place->group, &segment);
	}
	return collected == TAP_COMPLETE;
}

static __always_inline int group_judge(struct tap_bucket *bucket, const struct tap_place *place,
				       __u8 encoding)
{
	struct judgement *j = judgement_start();

	if (!j)
		return -1;
	__builtin_memset(&j->ends, 0, sizeof(j->ends));
	j->port = PROPERTY_PORT;
	j->acl = TAP_ACL_ANY;
	j->bind = TAP_BIND_ANY;
	j->encoding = encoding;
	j->window = 0;
	j->group = place->group;
	j->seq_mask = 0;
	return judge_group(bucket, j);
}

/* The property. */
static __always_inline void group_admitted(struct property_counts *c, __u32 number)
{
	__u64 bit = 1ULL << (number % 64);
	__u32 at = number / 64;
	__u64 *word = bpf_map_lookup_elem(&property_admitted, &at);

	if (!word || __sync_fetch_and_or(word, bit) & bit)
		c->twice++;
}

SEC("xdp")
int property(struct xdp_md *ctx)
{
	struct property_counts *c = counts();
	struct tap_realm *with = realm();
	struct tap_bucket *bucket;
	struct tap_fields f = {};
	struct tap_place place;
	__u32 number, sec;
	bool again;
	__u64 r;
	int reason;

	if (!c || !with)
		return XDP_ABORTED;
	move_clock(with, c);
	r = draw(c);
	again = (r & 255) < settings.replay_share;
	if (!again)
		group_new(c, with, &number, &sec);
	else if (!group_old(c, &number, &sec))
		return XDP_DROP;
	c->attempts++;
	group_fields(number, sec, &f);
	/* From where the group came, or from elsewhere: another address, another mark. */
	place.bucket = (r >> 16 & 1 ? f.isn : r >> 24) & (TAP_PENDING_BUCKETS - 1);
	place.group = (r >> 16 & 1 ? f.isn >> 16 : r >> 40) | 1;
	bucket = bpf_map_lookup_elem(&tap_pending, &place.bucket);
	if (!bucket || !group_send(c, &f, bucket, &place))
		return XDP_DROP;
	reason = group_judge(bucket, &place, f.encoding);
	if (reason < 0 || reason >= TAP_REASON_COUNT)
		return XDP_ABORTED;
	c->reasons[reason]++;
	if (reason == TAP_REASON_admitted)
		group_admitted(c, number);
	return XDP_DROP;
}
