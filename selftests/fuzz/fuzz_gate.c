// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole gate on the host, fed with streams of frames. Every frame gets one verdict and at most
 * one reason; what passes leaves as it came, but for the SYN of a group that was admitted, which
 * leaves as its client's kernel made it. Whatever four segments the gate judges, the reference says
 * the same of them. Nothing is admitted that was not sent by a holder of a key that is in force, and
 * nothing twice. A group that nobody disturbs is judged, in the order in which it came.
 */
#include "selftests/fuzz/host_gate.h"
#include "selftests/fuzz/scenario.h"

#define NS 1000000000ULL
#define TENTH 100000000ULL

/* What a replay record is keyed by. */
struct admission_record {
	uint64_t tag;
	uint32_t isn, sec;
};

/* Admissions of one key in one second. */
struct use {
	uint16_t key_id;
	uint32_t second, count;
};

struct context {
	const struct tap_gate_constants *constants;
	const struct tap_realm *realm;
	const struct scenario *scenario;
	uint32_t now;
	bool faulty; /* helpers have failed: it need not crash, that is all */
	struct sent_group *sent[SCENARIO_FRAMES];
	unsigned int n_sent;
	uint16_t ghosts[SCENARIO_GHOSTS];
	unsigned int n_ghosts;
	struct admission_record admitted[SCENARIO_FRAMES];
	unsigned int n_admitted;
	struct use uses[SCENARIO_FRAMES];
	unsigned int n_uses;
	uint64_t counted[TAP_REASON_COUNT];
};

static bool everywhere(const struct bpf_sock_tuple *tuple, uint32_t size)
{
	return true;
}

static void world(void *context, uint8_t bits)
{
	host_has_socket = bits & 1 ? everywhere : NULL;
	host_world = (struct host_world){ .state = bits & 2 ? 10 : 1, .tracked = bits & 8 };
}

static void start(void *context, unsigned int variant)
{
	static struct tap_gate_constants constants;
	struct context *c = context;

	c->constants = &c->scenario->constants[variant];
	c->now = SCENARIO_NOW;
	host_fail_in = 0;
	host_gate_forget(NULL, NULL);
	constants = *c->constants;
	constants.conntrack = variant & 1;
	host_gate_constants(&constants);
	world(c, 0);
	host_gate_replay_size(c->constants->replay_size);
	c->realm = &c->scenario->realm[variant];
	*host_gate_realm() = *c->realm;
	host_clock_ns = c->now * NS + TENTH;
}

static void fail_in(void *context, unsigned int in)
{
	struct context *c = context;

	c->faulty = true;
	host_fail_in = in;
}

static void set_clock(void *context, uint32_t now)
{
	struct context *c = context;

	c->now = now;
	host_clock_ns = now * NS + TENTH;
}

static void set_monotonic(void *context, uint64_t ns)
{
	host_monotonic_ns = ns;
}

static void add_key(void *context, uint16_t id, const struct tap_key *key)
{
	struct context *c = context;

	if (key)
		c->ghosts[c->n_ghosts++] = id;
	host_gate_set_key(id, key);
}

/* The reason that this frame was counted under, or -1. */
static int reason_of(struct context *c)
{
	const uint64_t *counters = (const uint64_t *)host_gate_stats();
	int i, reason = -1;

	for (i = 0; i < TAP_REASON_COUNT; i++) {
		MUST(counters[i] - c->counted[i] <= (reason < 0), "counted more than once");
		if (counters[i] != c->counted[i])
			reason = i;
		c->counted[i] = counters[i];
	}
	return reason;
}

/* --- What the reference makes of a group that was judged --- */

/* Of four segments that came to a service: addresses, port and mark as the log has them. */
struct judged {
	const struct tap_event *event;
	const struct tap_rule *rule;
	struct ref_key keys[SCENARIO_KEYS + SCENARIO_GHOSTS];
	struct ref_server server;
	unsigned int realm[2]; /* the constants' numbers of the server's secrets */
	uint32_t seq[4];
	struct ref_outcome outcome;
	unsigned int tags; /* that a search through all readings would compute */
	bool in_order; /* authentic, as they arrived */
};

static const struct tap_rule *rule_of(const struct context *c, const uint8_t dst[16],
				      uint16_t dport, uint32_t ifindex)
{
	const struct tap_ruleset *set = &c->scenario->rules;
	unsigned int i;

	for (i = 0; i < set->n_rules; i++) {
		const struct tap_rule *rule = &set->rules[i];

		if (dport < rule->ports[0].lo || dport > rule->ports[0].hi ||
		    (rule->ifindex && rule->ifindex != ifindex) ||
		    (rule->dst.mask[0] && memcmp(rule->dst.addr, dst, 16)))
			continue;
		return rule;
	}
	return NULL;
}

static bool is_mark(const __u64 marks[65536 / 64], uint16_t window)
{
	return marks[window / 64] >> (window % 64) & 1;
}

/* Whether the window is a mark of the program's secret i, and that is taken now. */
static bool is_mark_taken(const struct context *c, unsigned int i, uint16_t window)
{
	bool older = i || c->realm->newest != c->constants->newest;

	return i < c->constants->secrets && is_mark(c->constants->marks_of[i], window) &&
	       (!older || c->now < c->realm->before_until);
}

static void set_realms(const struct context *c, struct judged *j)
{
	unsigned int i;

	for (i = 0; i < c->constants->secrets; i++) {
		if (!is_mark_taken(c, i, j->event->window))
			continue;
		j->realm[j->server.n_realms] = i;
		memcpy(j->server.realm_key[j->server.n_realms++], c->scenario->realm_key[i],
		       REF_REALM_KEY_BYTES);
	}
}

static void add_ref_key(struct judged *j, uint16_t id, const struct tap_key *key,
			const uint8_t user_keys[2], bool barred, uint32_t now)
{
	struct ref_key *k = &j->keys[j->server.n_keys];
	unsigned int i;

	if (!key->until[0] && !key->until[1] && key->not_after != TAP_REVOKED)
		return; /* there is no such key */
	*k = (struct ref_key){ .id = id, .barred = barred,
			       .inactive = now < key->not_before || now >= key->not_after };
	for (i = 0; i < 2; i++)
		if (now < key->until[i])
			memset(k->user_key[k->n_secrets++], user_keys[i], REF_KEY_BYTES);
	j->server.n_keys++;
}

static void set_keys(const struct context *c, struct judged *j)
{
	static const uint8_t ghost[2] = { SCENARIO_GHOST_KEY, SCENARIO_GHOST_KEY - 1 };
	const struct scenario *s = c->scenario;
	bool listed = j->rule->service.acl;
	unsigned int i;

	for (i = 0; i < SCENARIO_KEYS; i++)
		add_ref_key(j, s->key_ids[i], &s->keys[i], s->user_keys[i],
			    listed && !is_mark(s->acl.allowed, s->key_ids[i]), c->now);
	for (i = 0; i < c->n_ghosts; i++)
		add_ref_key(j, c->ghosts[i], &s->ghost, ghost, listed, c->now);
	j->server.keys = j->keys;
}

static void set_server(const struct context *c, struct judged *j)
{
	const struct tap_service *service = &j->rule->service;
	struct ref_server *server = &j->server;

	server->veiled = service->encoding == TAP_SERVICE_DEFAULT ?
				 c->constants->encoding == TAP_ENCODING_VEILED :
				 service->encoding == TAP_SERVICE_VEILED;
	server->now = c->now;
	server->skew = c->constants->skew;
	server->port = j->event->dport;
	if (service->public_port)
		server->port = service->public_port + (server->port - j->rule->ports[0].lo);
	memcpy(server->src, j->event->src, sizeof(server->src));
	memcpy(server->dst, j->event->dst, sizeof(server->dst));
	if (service->public_address[0] || service->public_address[1])
		memcpy(server->dst, service->public_address, sizeof(server->dst));
	else
		ref_dialled(server->dst);
}

static const struct ref_key *key_of(const struct judged *j, uint16_t id)
{
	unsigned int i;

	for (i = 0; i < j->server.n_keys; i++)
		if (j->server.keys[i].id == id)
			return &j->server.keys[i];
	return NULL;
}

/* The order of the search is the gate's own, so where the limit cuts it off is, too. */
static unsigned int tags_of_all(const struct judged *j)
{
	unsigned int n, realm, role[4], tags = 0;
	const struct ref_key *key;
	struct ref_group group;

	for (n = 0; n < REF_PERMUTATIONS; n++)
		for (realm = 0; realm < (j->server.veiled ? j->server.n_realms : 1); realm++) {
			ref_permutation(n, role);
			if (ref_read(&j->server, realm, j->seq, role, &group) != REF_UNKNOWN_KEY)
				continue;
			key = key_of(j, group.key_id);
			if (key && !key->inactive && !key->barred)
				tags += key->n_secrets;
		}
	return tags;
}

static void decode(const struct context *c, const struct tap_event *event, struct judged *j)
{
	unsigned int i, role[4];
	struct ref_group first;

	memset(j, 0, sizeof(*j));
	j->event = event;
	j->rule = rule_of(c, event->dst, event->dport, event->ifindex);
	MUST(j->rule && j->rule->service.action == TAP_ACTION_TAP, "no service of this kind");
	for (i = 0; i < 4; i++)
		j->seq[i] = event->segment[i].seq;
	set_server(c, j);
	set_realms(c, j);
	set_keys(c, j);
	if (!j->server.n_realms) /* the mark was the older secret's, in its time: unreadable */
		return;
	ref_decode(&j->server, j->seq, &j->outcome);
	j->tags = tags_of_all(j);
	ref_permutation(0, role);
	if (j->outcome.result != REF_AUTHENTIC)
		return;
	ref_read(&j->server, j->outcome.realm, j->seq, role, &first);
	j->in_order = !memcmp(&first, &j->outcome.group, sizeof(first));
}

/* --- Judging, by docs/protocol.md, "The server, per segment", step 4 --- */

static struct use *use_of(struct context *c, uint16_t key_id)
{
	unsigned int i;

	for (i = 0; i < c->n_uses; i++)
		if (c->uses[i].key_id == key_id)
			break;
	if (i == c->n_uses)
		c->uses[c->n_uses++] = (struct use){ .key_id = key_id };
	/* The clock may have been set back by a second: then the count goes on. */
	if (c->uses[i].second != c->now && c->uses[i].second != c->now + 1)
		c->uses[i] = (struct use){ .key_id = key_id, .second = c->now };
	return &c->uses[i];
}

static bool rate_used_up(struct context *c, uint16_t key_id)
{
	const struct scenario *s = c->scenario;
	unsigned int i;
	uint32_t rate;

	for (i = 0; i < SCENARIO_KEYS - 1 && s->key_ids[i] != key_id; i++)
		;
	rate = s->keys[i].rate == TAP_RATE_DEFAULT ? c->constants->default_rate : s->keys[i].rate;
	return rate && use_of(c, key_id)->count >= rate;
}

/* The group that somebody sent and these are the segments of; NULL: nobody did. */
static const struct sent_group *sent_by(const struct context *c, const struct judged *j)
{
	unsigned int i, role, k, found;

	for (i = 0; i < c->n_sent; i++) {
		for (found = role = 0; role < 4; role++)
			for (k = 0; k < 4; k++)
				if (j->seq[k] == c->sent[i]->segments[role].seq) {
					found++;
					break;
				}
		if (found == 4)
			return c->sent[i];
	}
	return NULL;
}

static struct admission_record record_of(const struct sent_group *g)
{
	return (struct admission_record){ ref_tag(&g->ref), g->ref.isn, g->ref.sec };
}

static bool was_admitted(const struct context *c, const struct sent_group *g)
{
	struct admission_record record = record_of(g);
	unsigned int i;

	for (i = 0; i < c->n_admitted; i++)
		if (!memcmp(&c->admitted[i], &record, sizeof(record)))
			return true;
	return false;
}

/* Whether the group was made before records were kept, to 1/256 s: by its time, and by its age. */
static bool too_old(const struct context *c, const struct ref_group *g)
{
	__int128 made = (__int128)g->sec * 256 + (g->veiled ? 16 * g->frac : g->frac);
	__int128 kept = host_monotonic_ns - c->realm->started_boot_ns;

	if (made < (__int128)c->realm->started_ns * 256 / NS)
		return true;
	return c->realm->started_boot_ns &&
	       (__int128)host_clock_ns * 256 / NS - made > kept * 256 / (int64_t)NS;
}

/* Authentic: what comes of it then. said: what the gate says. */
static enum tap_reason judge_authentic(struct context *c, const struct judged *j,
				       enum tap_reason said)
{
	const struct ref_group *g = &j->outcome.group;
	const struct sent_group *sent = sent_by(c, j);

	MUST(sent, "authentic, and nobody sent it");
	if (j->rule->service.bind & ~g->flags)
		return TAP_REASON_unbound;
	if (too_old(c, g))
		return TAP_REASON_replay_window;
	if (said == TAP_REASON_replay_window) { /* rightly, where a record may be gone */
		MUST(c->n_admitted >= c->constants->replay_size, "no record can be gone");
		return said;
	}
	if (rate_used_up(c, g->key_id))
		return TAP_REASON_rate;
	return was_admitted(c, sent) ? TAP_REASON_replay : TAP_REASON_admitted;
}

static enum tap_reason judge(struct context *c, const struct judged *j, enum tap_reason said)
{
	static const enum tap_reason reasons[] = {
		[REF_UNREADABLE] = TAP_REASON_unreadable, [REF_VERSION] = TAP_REASON_version,
		[REF_SKEW] = TAP_REASON_skew, [REF_UNKNOWN_KEY] = TAP_REASON_unknown_key,
		[REF_KEY_INACTIVE] = TAP_REASON_key_inactive, [REF_KEY_BARRED] = TAP_REASON_acl,
		[REF_WRONG_TAG] = TAP_REASON_tag,
	};

	if (j->outcome.result == REF_AUTHENTIC)
		return judge_authentic(c, j, said);
	return reasons[j->outcome.result];
}

static void check_use(struct context *c, const struct judged *j)
{
	const struct tap_key_use *use = host_gate_key_use(j->event->key_id);
	/* Of a classic group only the mark says which; where both may, the newest. */
	unsigned int secret = j->realm[j->server.veiled ? j->outcome.realm : 0];
	struct use *model = use_of(c, j->event->key_id);

	model->count++;
	MUST(use->rate == ((uint64_t)model->second << 32 | model->count), "%u of this second, not %u",
	     (unsigned int)use->rate, model->count);
	MUST(use->admitted[secret ^ c->constants->newest] == c->now, "its secret was not noted");
}

/* A group that was admitted: the log says so of one that was sent, and is right and new. */
static void check_admitted(struct context *c, const struct frame *frame, const struct judged *j,
			   const struct host_output *out)
{
	const struct ref_group *g = &j->outcome.group;
	uint8_t want[PACKET_BYTES];
	struct packet admitted, *hand;
	unsigned int length;

	MUST(j->outcome.result == REF_AUTHENTIC || j->tags > TAP_GROUP_TAGS, "not authentic: %d",
	     j->outcome.result);
	if (j->outcome.result == REF_AUTHENTIC) {
		MUST(j->event->key_id == g->key_id && j->event->sec == g->sec &&
		     j->event->flags == g->flags, "not what the group says");
		MUST(j->event->secret == (j->server.veiled ? j->realm[j->outcome.realm] + 1 : 0),
		     "secret %u", j->event->secret);
		check_use(c, j);
	} else { /* the reference's search was cut off before the right reading */
		use_of(c, j->event->key_id)->count++;
	}
	MUST(sent_by(c, j), "nobody sent it");
	c->admitted[c->n_admitted++] = record_of(sent_by(c, j));
	if (!frame->last)
		return;
	hand = &frame->group->segments[frame->group->order[3]];
	packet_admitted(&frame->group->original, &admitted);
	memcpy(admitted.tcp_options, hand->tcp_options, sizeof(admitted.tcp_options));
	if (!hand->payload)
		admitted.payload = NULL;
	length = packet_build(&admitted, want);
	MUST(out->length == length && !memcmp(out->bytes, want, length), "not the SYN");
}

/* What the log keeps of a group: all four segments as they came, and of the last one the rest. */
static void check_log(const struct frame *frame, const struct tap_event *event)
{
	const struct sent_group *g = frame->group;
	const struct packet *hand = &g->segments[g->order[3]];
	unsigned int i;

	for (i = 0; i < 4; i++)
		MUST(event->segment[i].seq == g->segments[g->order[i]].seq &&
		     event->segment[i].sport == g->segments[g->order[i]].sport,
		     "segment %u is not the one that came then", i);
	MUST(event->window == g->mark && event->ttl == 64, "%u", event->ttl);
	MUST(event->options_bytes == hand->tcp_options_length &&
	     !memcmp(event->options, hand->tcp_options, event->options_bytes), "options");
}

static void check_judged(struct context *c, const struct frame *frame, enum tap_reason reason,
			 const struct host_output *out)
{
	unsigned int log = reason == TAP_REASON_admitted ? TAP_LOG_ADMITTED : TAP_LOG_REFUSED;
	uint64_t n = host_gate_state()->next_event[log] - 1;
	const struct tap_event *event =
		host_gate_event(log * TAP_LOG_EVENTS + n % TAP_LOG_EVENTS);
	static struct judged j;
	enum tap_reason want;

	MUST(event->seq == n + 1 && event->reason == reason, "the log");
	decode(c, event, &j);
	want = judge(c, &j, reason);
	if (j.tags <= TAP_GROUP_TAGS || j.in_order)
		MUST(reason == want, "%d, should be %d (the reference: %d, %u tags)", reason, want,
		     j.outcome.result, j.tags);
	if (frame->last)
		check_log(frame, event);
	if (reason == TAP_REASON_admitted)
		check_admitted(c, frame, &j, out);
}

/* Whether the epoch is part of what identifies this group. */
static bool by_epoch(const struct context *c, const struct sent_group *g)
{
	return !(c->constants->group_by & TAP_GROUP_BY_TS) || !g->original.timestamp_at;
}

/* The fourth of a group that nobody disturbed, unless it was time that did. */
static void check_last(struct context *c, const struct frame *frame, int reason)
{
	const struct sent_group *g = frame->group;
	uint8_t dst[16] = { [10] = 0xff, [11] = 0xff };
	const struct tap_rule *rule;

	memcpy(g->original.ipv6 ? dst : dst + 12, g->original.dst, g->original.ipv6 ? 16 : 4);
	rule = rule_of(c, dst, g->original.dport, frame->ifindex);
	if (!rule || rule->service.action == TAP_ACTION_PASS)
		MUST(reason < 0, "%d", reason);
	else if (rule->service.action == TAP_ACTION_DROP)
		MUST(reason == TAP_REASON_service_drop, "%d", reason);
	else if (!is_mark_taken(c, 0, g->mark) && !is_mark_taken(c, 1, g->mark))
		MUST(reason == TAP_REASON_no_mark, "%d with window %u", reason, g->mark);
	else if (g->original.ipv6 && !memcmp(dst, (uint8_t[12]){ [10] = 0xff, [11] = 0xff }, 12))
		MUST(reason == TAP_REASON_malformed, "%d for an IPv4 address in IPv6", reason);
	else if (frame->parted && by_epoch(c, g))
		MUST(reason == TAP_REASON_collecting, "%d, and the epoch went on", reason);
	else
		MUST(reason >= TAP_REASON_unreadable, "%d: never judged", reason);
}

static bool is_judged(int reason)
{
	return reason >= TAP_REASON_unreadable;
}

static void note_sent(struct context *c, struct sent_group *g)
{
	unsigned int i;

	for (i = 0; i < c->n_sent; i++)
		if (c->sent[i] == g)
			return;
	c->sent[c->n_sent++] = g;
}

static void check_frame(void *context, const struct frame *frame)
{
	struct context *c = context;
	struct host_output out;
	bool same;
	int reason;

	if (frame->group)
		note_sent(c, frame->group);
	host_gate_run(frame->bytes, frame->length, frame->l3, frame->ifindex, &out);
	if (c->faulty) {
		MUST(out.verdict != XDP_ABORTED && out.length <= frame->length, "%d", out.verdict);
		return;
	}
	reason = reason_of(c);
	same = out.length == frame->length && !memcmp(out.bytes, frame->bytes, frame->length);
	MUST(out.verdict == XDP_PASS || out.verdict == XDP_DROP || out.verdict == XDP_TX, "%d",
	     out.verdict);
	MUST(reason >= 0 || out.verdict == XDP_PASS, "dropped without a reason");
	if (out.verdict == XDP_PASS && reason >= 0)
		MUST(reason == TAP_REASON_admitted || c->constants->monitor, "passed: %d", reason);
	if (out.verdict != XDP_TX && reason != TAP_REASON_admitted)
		MUST(same, "changed");
	if (out.verdict == XDP_TX)
		MUST(!c->constants->monitor, "an answer");
	if (reason == TAP_REASON_admitted)
		MUST(out.verdict == XDP_PASS, "admitted, and not passed");
	if (is_judged(reason))
		check_judged(c, frame, reason, &out);
	if (frame->last || frame->parted)
		check_last(c, frame, reason);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct scenario *s = scenario_make();
	int i;

	host_gate_start();
	host_gate_services((struct tap_ruleset *)&s->rules);
	for (i = 0; i < SCENARIO_KEYS; i++)
		host_gate_set_key(s->key_ids[i], &s->keys[i]);
	*host_gate_acl(SCENARIO_ACL) = s->acl;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sink sink = { .start = start, .clock = set_clock, .fail = fail_in,
					  .monotonic = set_monotonic, .world = world,
					  .key = add_key, .frame = check_frame };
	struct input input = { data, size };
	static struct context context;

	memset(&context, 0, sizeof(context));
	context.scenario = scenario_make();
	scenario_run(&input, &sink, &context);
	return 0;
}
