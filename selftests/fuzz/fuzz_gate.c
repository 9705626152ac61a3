// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole gate on the host, fed with streams of frames. Every frame gets one verdict and at most
 * one reason; what passes leaves as it came, but for the SYN of a group that was admitted, which
 * leaves as its client's kernel made it. Nothing is admitted that was not sent by a holder of a key
 * that is in force, and nothing twice. A group that nobody disturbs ends as the protocol says.
 */
#include "bpf/frame.h"
#include "selftests/fuzz/host_gate.h"
#include "selftests/fuzz/scenario.h"

#define TENTH 100000000ULL

struct context {
	const struct tap_gate_constants *constants;
	const struct scenario *scenario;
	uint32_t now;
	bool attacked;
	bool faulty; /* helpers have failed: it need not crash, that is all */
	const struct frame *sent[SCENARIO_FRAMES]; /* a frame of each group so far */
	unsigned int n_sent;
	struct ref_group admitted[SCENARIO_FRAMES];
	unsigned int n_admitted;
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
	host_clock_ns = c->now * TAP_NS_PER_SEC + TENTH;
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
	host_clock_ns = now * TAP_NS_PER_SEC + TENTH;
	host_monotonic_ns = host_clock_ns;
}

static void attack(void *context)
{
	struct context *c = context;

	c->attacked = true;
	host_gate_state()->failures = (uint64_t)c->now << 32 | (TAP_AUTO_FAILURES + 1);
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

static const struct tap_key *key_of(const struct scenario *s, uint16_t id)
{
	int i;

	for (i = 0; i < SCENARIO_KEYS; i++)
		if (s->key_ids[i] == id)
			return &s->keys[i];
	return NULL;
}

static const struct tap_rule *rule_of(const struct context *c, const struct frame *frame)
{
	const struct tap_ruleset *set = &c->scenario->rules;
	const struct packet *p = &frame->group->original;
	uint8_t dst[16] = { [10] = 0xff, [11] = 0xff };
	unsigned int i;

	memcpy(p->ipv6 ? dst : dst + 12, p->dst, p->ipv6 ? 16 : 4);
	for (i = 0; i < set->n_rules; i++) {
		const struct tap_rule *rule = &set->rules[i];

		if (p->dport < rule->ports[0].lo || p->dport > rule->ports[0].hi ||
		    (rule->ifindex && rule->ifindex != frame->ifindex) ||
		    (rule->dst.mask[0] && memcmp(rule->dst.addr, dst, 16)))
			continue;
		return rule;
	}
	return NULL;
}

static bool has_secret(const struct context *c, const struct tap_key *key,
		       const struct ref_group *g)
{
	struct tap_sipkey secret;
	uint8_t k_tag[REF_DERIVED_BYTES];
	int i;

	ref_derive_tag(k_tag, g->user_key, g->realm_key);
	memcpy(&secret, k_tag, sizeof(secret));
	for (i = 0; i < 2; i++)
		if (c->now < key->until[i] && !memcmp(&key->secret[i], &secret, sizeof(secret)))
			return true;
	return false;
}

/* What becomes of the group by docs/protocol.md, "The server, per segment", step 4. */
static enum tap_reason judge(const struct context *c, const struct frame *frame,
			     const struct tap_rule *rule)
{
	const struct ref_group *g = &frame->group->ref;
	const struct tap_key *key = key_of(c->scenario, g->key_id);
	const struct tap_service *service = &rule->service;
	int64_t ahead = (int32_t)(g->sec - c->now);
	uint8_t flags = g->veiled ? g->flags : g->flags & 0x1f;
	uint16_t port = frame->group->original.dport, dialled = port;

	if (service->public_port)
		dialled = service->public_port + (port - rule->ports[0].lo);
	if (!(c->constants->frames & (g->veiled ? TAP_ACCEPT_VEILED : TAP_ACCEPT_CLASSIC)))
		return TAP_REASON_unreadable;
	if (ahead > c->constants->skew || -ahead > c->constants->skew) {
		if (g->veiled && (flags & ~1 || ahead > VEILED_NEAR || -ahead > VEILED_NEAR))
			return TAP_REASON_unreadable;
		if (!g->veiled && !(flags & ~1) && (ahead >= 1 << 28 || -ahead > 1 << 28))
			return TAP_REASON_unreadable; /* read as another time, maybe now */
	}
	if (flags & ~1)
		return TAP_REASON_version;
	if (ahead > c->constants->skew || -ahead > c->constants->skew)
		return TAP_REASON_skew;
	if (!key || !(key->until[0] || key->until[1]))
		return TAP_REASON_unknown_key;
	if (c->now < key->not_before || c->now >= key->not_after)
		return TAP_REASON_key_inactive;
	if (service->acl && !(c->scenario->acl.allowed[g->key_id / 64] >> (g->key_id % 64) & 1))
		return TAP_REASON_acl;
	if (!has_secret(c, key, g) || flags != g->flags || g->port != dialled ||
	    (flags && !frame->group->original.timestamp_at))
		return TAP_REASON_tag;
	if (!flags && service->tag_mode == TAP_TAG_LONG)
		return TAP_REASON_tag_short;
	return TAP_REASON_admitted;
}

static bool was_admitted(const struct context *c, const struct ref_group *ref)
{
	unsigned int i;

	for (i = 0; i < c->n_admitted; i++)
		if (!memcmp(&c->admitted[i], ref, sizeof(*ref)))
			return true;
	return false;
}

/* The group that the gate says it admitted, by its log: one that was sent, right, and new. */
static const struct sent_group *find_admitted(const struct context *c)
{
	uint64_t n = host_gate_state()->next_event[TAP_LOG_ADMITTED] - 1;
	const struct tap_event *event = host_gate_event(n % TAP_LOG_EVENTS);
	const struct tap_rule *rule;
	unsigned int i;

	MUST(event->seq == n + 1 && event->reason == TAP_REASON_admitted, "the log");
	for (i = 0; i < c->n_sent; i++) {
		const struct sent_group *g = c->sent[i]->group;

		/* The source port may have changed on the way, as it does behind NAT. */
		if (event->key_id != g->ref.key_id || event->sec != g->ref.sec ||
		    event->dport != g->original.dport || was_admitted(c, &g->ref))
			continue;
		rule = rule_of(c, c->sent[i]);
		if (rule && judge(c, c->sent[i], rule) == TAP_REASON_admitted)
			return g;
	}
	return NULL;
}

static void check_admitted(struct context *c, const struct frame *frame,
			   const struct host_output *out)
{
	const struct sent_group *g = find_admitted(c);
	uint8_t want[PACKET_BYTES];
	struct packet admitted;
	unsigned int length;

	MUST(g, "there is no such group, or not any more");
	c->admitted[c->n_admitted++] = g->ref;
	if (!frame->last)
		return;
	packet_admitted(&g->original, &admitted);
	if (out->length < packet_build(&admitted, want)) /* the segment in hand had no payload */
		admitted.payload = NULL;
	length = packet_build(&admitted, want);
	MUST(out->length == length && !memcmp(out->bytes, want, length), "not the SYN");
}

/* The fourth of a group that nobody disturbed. */
static void check_last(struct context *c, const struct frame *frame, int reason)
{
	const struct tap_rule *rule = rule_of(c, frame);
	enum tap_reason want;

	if (!rule || rule->service.action == TAP_ACTION_PASS) {
		MUST(reason < 0, "%d", reason);
		return;
	}
	if (rule->service.action == TAP_ACTION_DROP)
		return;
	if (!(c->constants->marks[frame->group->mark / 64] >> frame->group->mark % 64 & 1)) {
		MUST(reason == TAP_REASON_no_mark, "%d with window %u", reason, frame->group->mark);
		return;
	}
	want = judge(c, frame, rule);
	if (want <= TAP_REASON_tag) /* another reading may get further, but not past the tag */
		MUST(reason >= (int)want && reason <= TAP_REASON_tag, "%d, should be %d", reason,
		     want);
	else if (reason == TAP_REASON_tag_short)
		MUST(want == TAP_REASON_tag_short || (c->attacked && !frame->group->ref.flags),
		     "short");
	else if (reason == TAP_REASON_replay_window)
		MUST(c->n_admitted, "no admission yet");
	else
		MUST(reason == (int)want, "%d, should be %d", reason, want);
}

static void check_frame(void *context, const struct frame *frame)
{
	struct context *c = context;
	struct host_output out;
	bool same;
	int reason;

	if (frame->group && (!c->n_sent || c->sent[c->n_sent - 1]->group != frame->group) &&
	    c->n_sent < SCENARIO_FRAMES)
		c->sent[c->n_sent++] = frame;
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
	if (reason == TAP_REASON_admitted) {
		MUST(out.verdict == XDP_PASS, "admitted, and not passed");
		check_admitted(c, frame, &out);
	}
	if (frame->last)
		check_last(c, frame, reason);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct scenario *s = scenario_make();
	int i;

	host_gate_start();
	host_gate_services((struct tap_ruleset *)&s->rules);
	for (i = 0; i < SCENARIO_KEYS; i++)
		*host_gate_key(s->key_ids[i]) = s->keys[i];
	*host_gate_acl(SCENARIO_ACL) = s->acl;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sink sink = { .start = start, .clock = set_clock, .fail = fail_in,
					  .world = world, .attack = attack, .frame = check_frame };
	struct input input = { data, size };
	static struct context context;

	memset(&context, 0, sizeof(context));
	context.scenario = scenario_make();
	scenario_run(&input, &sink, &context);
	return 0;
}
