/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Judges four segments (docs/protocol.md, "The server, per segment", steps 3 and 4): tries every
 * reading of them, and ends in one reason. The only place that reads the clock, keys and access
 * lists, and writes replay records; a stranger's SYN never gets here.
 */
#ifndef TAP_JUDGE_H
#define TAP_JUDGE_H

#include "bpf/clock.h"
#include "bpf/gate_maps.h"
#include "bpf/verify.h"

struct judgement {
	struct tap_segment segment[TAP_GROUP_SEGMENTS]; /* in any order */
	__u64 now_ns; /* Unix time */
	__s64 now; /* the same in seconds */
	__u64 started_ns;
	__s64 kept_ns; /* for so long records have been kept */
	__u64 mask[TAP_GROUP_SEGMENTS]; /* veil of each segment when it is taken for SYN0 */
	__u32 seq_mask; /* as in struct tap_place */
	__u16 port; /* that the client dialled */
	__u16 acl;
	__u16 group; /* likewise */
	__u8 tag_mode;
	__u8 near[TAP_ARRANGEMENTS_ROOM]; /* veiled readings to try: arrangements, see judge_near() */
	/* The reading that got furthest: */
	__u8 reason;
	__u16 sport; /* of its SYN0 */
	struct tap_fields fields;
	struct tap_flow flow; /* the connection that begins if the group is admitted */
};

/* The judgement under way on this CPU: too large for the stack. XDP programs do not nest. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct judgement);
} tap_judgement SEC(".maps");

static __always_inline struct judgement *judgement_start(void)
{
	__u32 zero = 0;
	struct judgement *j = bpf_map_lookup_elem(&tap_judgement, &zero);

	if (j)
		__builtin_memset(j, 0, sizeof(*j));
	return j;
}

static __always_inline struct tap_gate_state *gate_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&tap_gate_state, &zero);
}

static __always_inline bool acl_allows(__u32 list, __u16 key_id)
{
	struct tap_acl *acl;

	if (list == TAP_ACL_ANY)
		return true;
	acl = bpf_map_lookup_elem(&tap_acl, &list);
	return acl && (acl->allowed[key_id / 64] >> (key_id % 64) & 1);
}

/* The group is authentic: is it new? Makes its record, which is what admits it. */
static __always_inline enum tap_reason judge_replay(struct judgement *j, const struct tap_fields *f,
						    __u64 tag)
{
	struct tap_replay_key record = { .tag = tag, .isn = f->isn, .sec = f->sec };
	__u32 now = j->now;
	struct tap_gate_state *state = gate_state();
	__u32 second = f->sec % TAP_SECONDS;
	__u64 *slot;
	int error; /* all that a map operation returns on Linux 6.1 */

	if (tap_made_before(f, j->now, j->started_ns) || tap_older_than(f, j->now_ns, j->kept_ns))
		return TAP_REASON_replay_window;
	slot = bpf_map_lookup_elem(&tap_seconds, &second);
	if (!slot || !state || !tap_records_complete(slot, state, f->sec, gate.replay_size))
		return TAP_REASON_replay_window;
	/*
	 * No look-up first: BPF_NOEXIST is what makes one of two CPUs win, and a look-up would mark the
	 * record as recently used and so let a stranger's replays decide which records go first.
	 */
	error = bpf_map_update_elem(&tap_replay, &record, &now, BPF_NOEXIST);
	if (error)
		return error == -17 /* EEXIST */ ? TAP_REASON_replay : TAP_REASON_replay_window;
	__sync_fetch_and_add(&state->admissions, 1);
	/*
	 * A hypervisor may have stopped this CPU after the first question, while others admitted so many
	 * that the record to meet was pushed out. So ask again, now that this one counts as well.
	 */
	if (!tap_records_complete(slot, state, f->sec, gate.replay_size + 1))
		return TAP_REASON_replay_window;
	tap_note_newest(state, tap_made_at(f, j->now));
	return TAP_REASON_admitted;
}

static __always_inline enum tap_reason judge_reading(struct judgement *j,
						     const struct tap_fields *f, bool skewed,
						     const struct tap_segment *syn3)
{
	__u32 id = f->key_id;
	struct tap_gate_state *state;
	struct tap_key *key;
	__u64 tag = 0;

	if (f->flags & ~TAP_FLAG_EXTENDED)
		return TAP_REASON_version;
	if (skewed)
		return TAP_REASON_skew;
	key = bpf_map_lookup_elem(&tap_keys, &id);
	if (!key || !tap_key_known(key))
		return TAP_REASON_unknown_key;
	if (!tap_key_active(key, j->now))
		return TAP_REASON_key_inactive;
	if (!acl_allows(j->acl, f->key_id))
		return TAP_REASON_acl;
	if (!tap_key_made(key, j->now, f, syn3->seq, syn3->tsecr, &tag))
		return TAP_REASON_tag;
	if (!(f->flags & TAP_FLAG_EXTENDED)) {
		state = gate_state();
		if (j->tag_mode == TAP_TAG_LONG || !state ||
		    (j->tag_mode == TAP_TAG_AUTO && tap_under_attack(state, j->now)))
			return TAP_REASON_tag_short;
	}
	return judge_replay(j, f, tag);
}

/* Judges one reading, and keeps what came of it if no other got further. */
static __always_inline void judge_try(struct judgement *j, const struct tap_fields *f,
				      enum tap_reading reading, const struct tap_segment *syn0,
				      const struct tap_segment *syn3)
{
	enum tap_reason reason;

	if (reading == TAP_NO_READING)
		return;
	reason = judge_reading(j, f, reading == TAP_READABLE_SKEWED, syn3);
	if (reason > j->reason) {
		j->reason = reason;
		j->fields = *f;
		j->sport = syn0->sport;
	}
}

/*
 * Lists the arrangements in which field 2 of a veiled group may be a time, and returns how many: of
 * the 24, most groups have two. Without branches, for the verifier would follow 2^24.
 */
TAP_CHECKED_ALONE int judge_near(struct judgement *j)
{
	const struct tap_sipkey veil = TAP_CONSTANT_KEY(gate.veil);
	__u32 count = 0, i, syn0, syn2;

	if (!j)
		return 0;
	for (i = 0; i < TAP_GROUP_SEGMENTS; i++)
		j->mask[i] = tap_veil_mask(&veil, j->segment[i].seq);
	for (i = 0; i < TAP_ARRANGEMENTS; i++) {
		syn0 = tap_arrangements[i][0] % TAP_GROUP_SEGMENTS;
		syn2 = tap_arrangements[i][2] % TAP_GROUP_SEGMENTS;
		j->near[count % TAP_ARRANGEMENTS_ROOM] = i;
		count += tap_veiled_near(j->mask[syn0], j->segment[syn2].seq, j->now);
	}
	return count;
}

/*
 * One of the ways to deal out the roles, for bpf_loop(): classic readings come first, all of them
 * where that frame is accepted, and then the veiled ones that judge_near() found.
 */
static long judge_arrangement(__u32 i, void *context)
{
	const __u32 classic = gate.frames & TAP_ACCEPT_CLASSIC ? TAP_ARRANGEMENTS : 0;
	const struct tap_segment *syn0, *syn1, *syn2, *syn3;
	struct judgement *j = *(struct judgement **)context;
	struct tap_fields f = {};
	enum tap_reading reading;
	const __u8 *role;
	bool veiled = i >= classic;

	if (veiled)
		i = j->near[(i - classic) % TAP_ARRANGEMENTS_ROOM];
	/* The verifier does not know how often bpf_loop() calls; clang does, and must not leave this out. */
	TAP_KEEP_ORDER(i);
	if (i >= TAP_ARRANGEMENTS)
		return 1;
	role = tap_arrangements[i];
	syn0 = &j->segment[role[0] % TAP_GROUP_SEGMENTS];
	syn1 = &j->segment[role[1] % TAP_GROUP_SEGMENTS];
	syn2 = &j->segment[role[2] % TAP_GROUP_SEGMENTS];
	syn3 = &j->segment[role[3] % TAP_GROUP_SEGMENTS];
	f.isn = syn0->seq;
	f.port = j->port;

	if (veiled)
		reading = tap_read_veiled(&f, j->mask[role[0] % TAP_GROUP_SEGMENTS], syn1->seq,
					  syn2->seq, j->now, gate.skew);
	else
		reading = tap_read_classic(&f, syn1->seq, syn2->seq, syn3->seq, j->now, gate.skew);
	judge_try(j, &f, reading, syn0, syn3);
	/* Authentic, whatever else: no other reading can be. */
	return j->reason > TAP_REASON_tag;
}

/* Takes the group, j->group, out of its bucket; 0, or -1: another CPU was faster. */
TAP_CHECKED_ALONE int judge_take(__u32 at, struct judgement *j)
{
	struct tap_bucket *bucket = bpf_map_lookup_elem(&tap_pending, &at);
	struct tap_bucket_tsecr *tsecrs = bpf_map_lookup_elem(&tap_pending_tsecr, &at);
	int i;

	if (!bucket || !tsecrs || !j || !tap_take_group(bucket, tsecrs, j->group, j->segment))
		return -1;
	for (i = 0; i < TAP_GROUP_SEGMENTS; i++)
		j->segment[i].seq ^= j->seq_mask;
	return 0;
}

/*
 * Bucket number `bucket` seems to hold a whole group, j->group: takes it out and judges it. Returns
 * the reason (collecting: another CPU was faster), and what is known of the group in *j. The caller
 * has filled in group, seq_mask, port, acl and tag_mode.
 */
TAP_CHECKED_ALONE int judge_group(__u32 bucket, struct judgement *j)
{
	struct tap_gate_state *state = gate_state();
	__u32 zero = 0, readings = 0;
	struct tap_realm *realm;

	if (!j || !state)
		return TAP_REASON_collecting;
	realm = bpf_map_lookup_elem(&tap_realm, &zero);
	if (!realm || judge_take(bucket, j))
		return TAP_REASON_collecting;
	j->now_ns = clock_utc_ns(realm->tai_minus_utc_ns);
	j->now = j->now_ns / TAP_NS_PER_SEC;
	j->started_ns = realm->started_ns;
	j->kept_ns = realm->started_boot_ns ? bpf_ktime_get_boot_ns() - realm->started_boot_ns :
					      TAP_FOREVER;
	j->reason = TAP_REASON_unreadable;
	if (gate.frames & TAP_ACCEPT_CLASSIC)
		readings = TAP_ARRANGEMENTS;
	if (gate.frames & TAP_ACCEPT_VEILED)
		readings += judge_near(j);
	bpf_loop(readings, judge_arrangement, &j, 0);
	if (j->reason <= TAP_REASON_tag)
		tap_note_failure(state, j->now);
	return j->reason;
}

#endif /* TAP_JUDGE_H */
