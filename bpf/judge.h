/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Judges four segments (docs/protocol.md, "The server, per segment", steps 3 and 4): looks for ways
 * to read them as a group, and ends in one reason. The only place that reads the clock, keys and
 * access lists, and writes replay records; a stranger's SYN never gets here.
 */
#ifndef TAP_JUDGE_H
#define TAP_JUDGE_H

#include "bpf/candidates.h"
#include "bpf/clock.h"
#include "bpf/gate_maps.h"
#include "bpf/verify.h"

struct judgement {
	struct tap_candidates c; /* the four, and the ways to read them */
	struct tap_gathering g; /* while they are taken out of their bucket */
	struct tap_endpoints ends; /* that the group's tag may cover */
	__s64 tai_minus_utc_ns; /* as in struct tap_realm */
	__u64 now_ns; /* Unix time, as of the last tick */
	__s64 now; /* the same in seconds */
	__u64 started_ns;
	__s64 started_boot_ns;
	/* What the caller fills in: */
	__u32 seq_mask; /* as in struct tap_place */
	__u16 group; /* likewise */
	__u16 port; /* that the client dialled */
	__u16 acl;
	__u16 window; /* the mark */
	__u8 encoding; /* that the service takes */
	__u8 bind; /* what the tag must cover there */
	__u8 tags; /* computed so far */
	/* The reading that got furthest: */
	__u8 reason;
	__u8 secret; /* that unveiled it, as in struct tap_event */
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

	if (!j)
		return NULL;
	j->tags = 0;
	j->reason = TAP_REASON_unreadable;
	j->secret = 0;
	__builtin_memset(&j->fields, 0, sizeof(j->fields));
	__builtin_memset(&j->flow, 0, sizeof(j->flow));
	return j;
}

static __always_inline struct tap_gate_state *gate_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&tap_gate_state, &zero);
}

static __always_inline bool acl_lists(__u32 list, __u16 key_id)
{
	struct tap_acl *acl = bpf_map_lookup_elem(&tap_acl, &list);

	return acl && (acl->allowed[key_id / 64] >> (key_id % 64) & 1);
}

static __always_inline bool acl_allows(__u32 list, __u16 key_id)
{
	return list == TAP_ACL_ANY || acl_lists(list, key_id);
}

static __always_inline bool rate_is_used_up(const struct tap_key *key, const struct tap_key_use *use,
					    __u32 now)
{
	__u32 limit = key->rate == TAP_RATE_DEFAULT ? gate.default_rate : key->rate;

	return limit && tap_rate_used(use, now) >= limit;
}

/* For how long records have been kept, in ns. */
static __always_inline __s64 records_age(const struct judgement *j)
{
	return j->started_boot_ns ? bpf_ktime_get_boot_ns() - j->started_boot_ns : TAP_FOREVER;
}

/* The group is authentic: is it new? Makes its record, which is what admits it. */
static __always_inline enum tap_reason judge_replay(struct judgement *j, const struct tap_fields *f,
						    const struct tap_key *key,
						    struct tap_key_use *use, __u64 tag)
{
	struct tap_replay_key record = { .tag = tag, .isn = f->isn, .sec = f->sec };
	__u32 now = j->now;
	struct tap_gate_state *state = gate_state();
	__u32 second = f->sec % TAP_SECONDS;
	__u64 *slot;
	int error; /* all that a map operation returns on Linux 6.1 */

	if (tap_made_before(f, j->now, j->started_ns) ||
	    tap_older_than(f, clock_utc_ns(j->tai_minus_utc_ns), records_age(j)))
		return TAP_REASON_replay_window;
	slot = bpf_map_lookup_elem(&tap_seconds, &second);
	if (!slot || !state || !tap_records_complete(slot, state, f->sec, gate.replay_size))
		return TAP_REASON_replay_window;
	if (rate_is_used_up(key, use, now))
		return TAP_REASON_rate;
	/*
	 * No look-up first: BPF_NOEXIST is what makes one of two CPUs win, and a look-up would mark the
	 * record as recently used and so let a stranger's replays decide which records go first.
	 */
	error = bpf_map_update_elem(&tap_replay, &record, &now, BPF_NOEXIST);
	if (error)
		return error == -17 /* EEXIST */ ? TAP_REASON_replay : TAP_REASON_replay_window;
	__sync_fetch_and_add(&state->admissions, 1);
	/* Only now, so that a listener who replays a user's groups spends nothing of the user's rate. */
	tap_rate_count(use, now);
	/*
	 * A hypervisor may have stopped this CPU after the first question, while others admitted so many
	 * that the record to meet was pushed out. So ask again, now that this one counts as well.
	 */
	if (!tap_records_complete(slot, state, f->sec, gate.replay_size + 1))
		return TAP_REASON_replay_window;
	tap_note_newest(state, tap_made_at(f, j->now));
	return TAP_REASON_admitted;
}

/* f: a reading that fits; secret: the realm's that unveiled it, as in struct tap_gate_constants. */
static __always_inline enum tap_reason judge_key(struct judgement *j, const struct tap_fields *f,
						 __u32 secret)
{
	struct tap_key_use *use;
	enum tap_reason reason;
	struct tap_key *key;
	__u32 id = f->key_id;
	__u64 tag = 0;

	key = bpf_map_lookup_elem(&tap_keys, &id);
	if (!key || !tap_key_known(key))
		return TAP_REASON_unknown_key;
	if (!tap_key_active(key, j->now))
		return TAP_REASON_key_inactive;
	if (!acl_allows(j->acl, f->key_id))
		return TAP_REASON_acl;
	switch (tap_key_made(key, j->now, f, &j->ends, &j->tags, &tag)) {
	case TAP_TAG_WRONG:
		return TAP_REASON_tag;
	case TAP_TAG_LIMIT:
		return TAP_REASON_collecting; /* gives no reason: less than all that do */
	default:
		break;
	}
	if (j->bind & ~f->flags)
		return TAP_REASON_unbound;
	use = bpf_map_lookup_elem(&tap_key_use, &id);
	if (!use)
		return TAP_REASON_replay_window;
	reason = judge_replay(j, f, key, use, tag);
	if (reason == TAP_REASON_admitted)
		TAP_WRITE_ONCE(use->admitted[(secret ^ gate.newest) & 1], (__u32)j->now);
	return reason;
}

/*
 * Keeps what came of one reading, if no other got further. Returns whether the search is over: the
 * group is authentic, whatever else, or no more tags may be computed for it.
 */
static __always_inline bool judge_note(struct judgement *j, const struct tap_fields *f,
				       enum tap_reason reason, __u32 permutation, __u8 secret)
{
	if (reason > j->reason) {
		j->reason = reason;
		j->secret = secret;
		j->fields = *f;
		j->sport = candidates_sport(&j->c, permutation);
	}
	return reason > TAP_REASON_tag || reason == TAP_REASON_collecting;
}

/* For bpf_loop(): one permutation, by type bits. */
static long judge_classic(__u32 i, void *context)
{
	struct judgement *j = *(struct judgement **)context;
	struct tap_fields f = { .port = j->port };
	__u32 seq[TAP_GROUP_SEGMENTS];
	enum tap_reading reading;
	enum tap_reason reason;

	if (i >= TAP_PERMUTATIONS)
		return 1;
	candidates_deal(&j->c, i, seq);
	reading = tap_read_classic(&f, seq, j->now, gate.skew);
	if (reading == TAP_NO_READING)
		return 0;
	if (f.flags & ~TAP_FLAGS_KNOWN)
		reason = TAP_REASON_version;
	else if (reading == TAP_READABLE_SKEWED)
		reason = TAP_REASON_skew;
	else
		reason = judge_key(j, &f, !(j->c.secrets & 1)); /* the mark's; of both, the newest */
	return judge_note(j, &f, reason, i, 0);
}

/* For bpf_loop(): the next reading that fits. */
static long judge_veiled(__u32 i, void *context)
{
	struct judgement *j = *(struct judgement **)context;
	struct tap_fields f = { .port = j->port };
	__u32 permutation, secret, seq[TAP_GROUP_SEGMENTS];

	if (!candidates_take(&j->c.fit, &permutation, &secret))
		return 1;
	candidates_deal(&j->c, permutation, seq);
	tap_read_veiled(&f, candidates_mask(&j->c, permutation, secret), seq, j->now);
	return judge_note(j, &f, judge_key(j, &f, secret), permutation, secret + 1);
}

/*
 * For bpf_loop(): of a veiled group that no reading fits, one that has clear flags and the ID of a key
 * that exists is probably of a client whose clock is wrong. The next reading with clear flags.
 */
static long judge_skewed(__u32 i, void *context)
{
	struct judgement *j = *(struct judgement **)context;
	struct tap_fields f = { .port = j->port };
	__u32 permutation, secret, id, seq[TAP_GROUP_SEGMENTS];
	struct tap_key *key;

	if (!candidates_take(&j->c.clear, &permutation, &secret))
		return 1;
	id = candidates_key_id(&j->c, permutation, secret);
	/* Noise ends here: asking tap_keys for six random IDs would be as many cache misses. */
	if (!acl_lists(TAP_ACL_ANY, id))
		return 0;
	key = bpf_map_lookup_elem(&tap_keys, &id);
	if (!key || !tap_key_known(key))
		return 0;
	candidates_deal(&j->c, permutation, seq);
	tap_read_veiled(&f, candidates_mask(&j->c, permutation, secret), seq, j->now);
	judge_note(j, &f, TAP_REASON_skew, permutation, secret + 1);
	return 1;
}

static __always_inline __u32 is_mark_of(__u32 secret, __u16 window)
{
	return gate.marks_of[secret][window / 64] >> (window % 64) & 1;
}

/*
 * The realm's secrets that may have made this group: the mark is theirs, and they are taken now. What
 * is the newest secret of this program is the older one where a rotation was killed before it put a
 * new program here: then it ends with the overlap, too.
 */
static __always_inline __u32 secrets_of(__u16 window, __s64 now, const struct tap_realm *realm)
{
	bool overlap = now < realm->before_until;
	__u32 secrets = 0;

	if (realm->newest == gate.newest || overlap)
		secrets = is_mark_of(0, window);
	if (gate.secrets > 1 && overlap)
		secrets |= is_mark_of(1, window) << 1;
	return secrets;
}

/*
 * Whether the mark is of a secret that is taken now. The program goes on having the older secret's after
 * the overlap, until it is loaded anew.
 */
static __always_inline bool mark_is_taken(__u16 window)
{
	struct tap_realm *realm;
	__u32 zero = 0;

	realm = bpf_map_lookup_elem(&tap_realm, &zero);
	if (!realm)
		return false;
	if (realm->newest == gate.newest && is_mark_of(0, window))
		return true;
	return secrets_of(window, clock_utc_coarse_ns(realm->tai_minus_utc_ns) / TAP_NS_PER_SEC, realm);
}

/* Unveils the first pair or all others. Checked alone, so that the verifier does so once. */
TAP_CHECKED_ALONE int judge_unveil(struct judgement *j, __u32 secret, bool others)
{
	struct tap_sipkey veil;

	if (!j || secret >= TAP_REALM_SECRETS)
		return 0;
	veil.k[0] = gate.veil[secret].k[0];
	veil.k[1] = gate.veil[secret].k[1];
	if (others)
		candidates_unveil_others(&j->c, &veil, secret, j->now, gate.skew);
	else
		candidates_unveil_first(&j->c, &veil, secret, j->now, gate.skew);
	return 0;
}

/* Judges what the first pair, or all others, make of the group. */
static __always_inline void judge_pairs(struct judgement *j, bool others)
{
	__u32 secret;

	for (secret = 0; secret < gate.secrets && secret < TAP_REALM_SECRETS; secret++)
		if (j->c.secrets >> secret & 1)
			judge_unveil(j, secret, others);
	if (j->c.fit)
		bpf_loop(TAP_READINGS + 1, judge_veiled, &j, 0);
}

/* No reading fits: maybe one would if its time did. */
static __always_inline void judge_hint(struct judgement *j)
{
	__u32 secret;

	j->c.clear = 0;
	for (secret = 0; secret < gate.secrets && secret < TAP_REALM_SECRETS; secret++)
		if (j->c.secrets >> secret & 1)
			j->c.clear |= candidates_clear(&j->c, secret);
	if (j->c.clear)
		bpf_loop(TAP_READINGS + 1, judge_skewed, &j, 0);
}

/* Takes the group, j->group, out of its bucket; 0, or -1: another CPU was faster. */
TAP_CHECKED_ALONE int judge_take(struct tap_bucket *bucket, struct judgement *j)
{
	int i;

	if (!bucket || !j || !tap_take_group(bucket, j->group, &j->g, j->c.segment))
		return -1;
	for (i = 0; i < TAP_GROUP_SEGMENTS; i++)
		j->c.segment[i].seq ^= j->seq_mask;
	return 0;
}

/*
 * The bucket seems to hold a whole group, j->group: takes it out and judges it. Returns the reason
 * (collecting: another CPU was faster), and what is known of the group in *j.
 */
TAP_CHECKED_ALONE int judge_group(struct tap_bucket *bucket, struct judgement *j)
{
	struct tap_realm *realm;
	__u32 zero = 0;

	if (!bucket || !j)
		return TAP_REASON_collecting;
	realm = bpf_map_lookup_elem(&tap_realm, &zero);
	if (!realm || judge_take(bucket, j))
		return TAP_REASON_collecting;
	j->tai_minus_utc_ns = realm->tai_minus_utc_ns;
	j->now_ns = clock_utc_coarse_ns(realm->tai_minus_utc_ns);
	j->now = j->now_ns / TAP_NS_PER_SEC;
	j->started_ns = realm->started_ns;
	j->started_boot_ns = realm->started_boot_ns;
	j->c.secrets = secrets_of(j->window, j->now, realm);
	if (j->encoding == TAP_ENCODING_CLASSIC) {
		/* Of the realm's secret a classic group has nothing but its mark. */
		if (j->c.secrets)
			bpf_loop(TAP_PERMUTATIONS, judge_classic, &j, 0);
		return j->reason;
	}
	j->c.fit = 0;
	judge_pairs(j, false);
	if (j->reason <= TAP_REASON_tag)
		judge_pairs(j, true);
	if (j->reason == TAP_REASON_unreadable)
		judge_hint(j);
	return j->reason;
}

#endif /* TAP_JUDGE_H */
