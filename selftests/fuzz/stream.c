// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream of frames, made from the input; see scenario.h. First byte: bit 7 clear, and the rest
 * is one frame (bit 0: no Ethernet header, from bit 1 on: variant), as for the parser's target; or
 * steps follow, of which the low three bits of the first byte say what to do.
 */
#include "selftests/fuzz/scenario.h"

struct stream {
	const struct scenario *scenario;
	const struct sink *sink;
	void *context;
	unsigned int variant, n_frames, n_groups;
	uint32_t now;
	uint64_t monotonic;
	uint16_t ghosts[SCENARIO_GHOSTS];
	unsigned int n_ghosts;
	struct frame frames[SCENARIO_FRAMES];
	struct sent_group groups[SCENARIO_FRAMES];
};

static const uint16_t ports[] = { 443, 22, 80, 81, 8000, 8077, 444, 445, 447, 65535, 23, 25, 7 };
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void emit(struct stream *s, struct frame *frame)
{
	frame->ifindex = frame->ifindex ?: 1;
	s->sink->frame(s->context, frame);
}

/* A frame to be filled, or NULL: there have been enough. */
static struct frame *next_frame(struct stream *s)
{
	struct frame *frame = &s->frames[s->n_frames];

	if (s->n_frames == SCENARIO_FRAMES)
		return NULL;
	s->n_frames++;
	memset(frame, 0, sizeof(*frame));
	return frame;
}

static void raw_frame(struct stream *s, struct input *input, uint8_t bits, size_t length)
{
	struct frame *frame = next_frame(s);

	if (!frame)
		return;
	frame->l3 = bits & 1;
	frame->length = length > PACKET_BYTES ? PACKET_BYTES : length;
	take(input, frame->bytes, frame->length);
	emit(s, frame);
}

/* Mostly near the limits of what is allowed. */
static uint32_t second(struct stream *s, struct input *input)
{
	int32_t skew = s->scenario->constants[s->variant].skew;
	uint8_t kind = take8(input);

	switch (kind % 8) {
	case 0:
		return s->now + (int8_t)take8(input);
	case 1:
		return s->now - skew + (kind >> 3) % 3 - 1;
	case 2:
		return s->now + skew + (kind >> 3) % 3 - 1;
	case 3:
		return s->now + take32(input);
	default:
		return s->now;
	}
}

/* older: the realm's secret before the newest one. */
static void choose_key(struct stream *s, struct input *input, struct ref_group *g, bool older)
{
	uint8_t key = take8(input);
	unsigned int n = key % SCENARIO_KEYS;

	memcpy(g->realm_key, s->scenario->realm_key[older], sizeof(g->realm_key));
	g->key_id = key & 32 ? 300 + n : s->scenario->key_ids[n];
	memset(g->user_key, s->scenario->user_keys[n][key >> 6 & 1], sizeof(g->user_key));
	if (key & 128) /* somebody else's */
		g->user_key[1] ^= 1;
}

/* Where it goes: by one of its addresses, through a translator, or to what no host has. */
static void choose_address(struct packet *p, bool broken)
{
	static const uint8_t translator[12] = { 0, 0x64, 0xff, 0x9b };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t v4[4] = { 192, 0, 2, 80 };

	if (!p->ipv6) {
		p->dst[3] = 81;
		return;
	}
	memcpy(p->dst, broken ? mapped : translator, 12);
	memcpy(p->dst + 12, v4, sizeof(v4));
}

/* What the tag covers, and at which addresses. */
static void choose_binding(struct input *input, struct ref_group *g, const struct packet *p,
			   bool any_flags)
{
	const uint8_t public[16] = { [10] = 0xff, [11] = 0xff, [12] = 198, 51, 100, 7 };
	uint8_t what = take8(input), flags = what & (any_flags ? g->veiled ? 15 : 31 : 3);

	packet_bind(p, g, flags);
	if (p->dport >= 8000 && p->dport <= 8100)
		memcpy(g->dst, public, sizeof(public));
	if (what & 0x40) /* made for another server, */
		g->dst[15] ^= 1;
	if (what & 0x80) /* or by another client */
		g->src[15] ^= 1;
}

/* A client's SYN and the group that goes with it. */
static void make_group(struct stream *s, struct input *input, struct sent_group *g)
{
	uint8_t bits = take8(input), style = take8(input);
	uint16_t port = ports[take_below(input, COUNT(ports))];
	struct packet *p = &g->original;

	memset(g, 0, sizeof(*g));
	choose_key(s, input, &g->ref, style & 64);
	if ((style & 192) == 128) /* a realm that only looks like this one */
		g->ref.realm_key[REF_ID_BYTES + 1] = 1;
	g->ref.veiled = bits & 1;
	g->ref.isn = take32(input);
	g->ref.sec = second(s, input);
	g->ref.frac = take8(input) & (g->ref.veiled ? 15 : 255);
	g->ref.port = port >= 8000 && port <= 8100 && !(style & 1) ? port + 1000 : port;
	if (style & 2)
		packet_syn_plain(p, bits & 8, 40000 + bits, port, g->ref.isn);
	else
		packet_syn(p, bits & 8, 40000 + bits, port, g->ref.isn);
	if (!(style & 2) && style & 4) { /* timestamps first, at an odd place */
		memset(p->tcp_options, 1, sizeof(p->tcp_options));
		p->timestamp_at = 3;
		p->tcp_options[1] = 8;
		p->tcp_options[2] = 10;
	}
	if (p->timestamp_at)
		packet_set_timestamp(p, take8(input), 0);
	if (bits & 128)
		choose_address(p, style & 1);
	if (bits & 6)
		choose_binding(input, &g->ref, p, bits & 4);
	p->no_ethernet = bits & 16;
	p->vlan[0] = bits & 32 ? 7 : 0;
	p->payload = bits & 64 ? "early data" : NULL;
	p->partial_checksum = style & 8;
	p->tos = style & 16 ? 3 : 0;
	if (style & 32)
		p->flags |= 0xc0; /* ECN */
}

/* Whether segments of the two are of one group to the gate, now or when the other was sent. */
static bool same_identity(const struct stream *s, const struct sent_group *a,
			  const struct sent_group *b)
{
	uint8_t by = s->scenario->constants[s->variant].group_by;
	bool by_ts = by & TAP_GROUP_BY_TS && a->original.timestamp_at && b->original.timestamp_at;

	if (a->original.dport != b->original.dport)
		return false;
	if (a->wild || b->wild)
		return true;
	if (a->original.ipv6 != b->original.ipv6 ||
	    memcmp(a->original.dst, b->original.dst, sizeof(a->original.dst)))
		return false;
	if (by_ts && packet_tsval(&a->original) != packet_tsval(&b->original))
		return false;
	if (!by_ts && a->epoch != b->epoch)
		return false;
	return a->mark == b->mark || (by_ts && !(by & TAP_GROUP_BY_MARK));
}

/* Whether frames so far could meddle with this group. */
static bool undisturbed(const struct stream *s, const struct sent_group *g)
{
	unsigned int i;

	for (i = 0; i < s->n_groups; i++)
		if (&s->groups[i] != g && !s->groups[i].clean && same_identity(s, &s->groups[i], g))
			return false;
	return true;
}

/* An ISN that is also one of the fields, from one port: three segments, and not four. */
static bool all_different(const struct packet segments[4])
{
	unsigned int i, j;

	for (i = 0; i < 4; i++)
		for (j = 0; j < i; j++)
			if (segments[i].seq == segments[j].seq &&
			    segments[i].sport == segments[j].sport)
				return false;
	return true;
}

/* Changes to one segment: what a forger or a bad line would do. */
static bool spoil(struct input *input, uint8_t what, struct packet segments[4])
{
	struct packet *p = &segments[what >> 6];

	switch (what & 31) {
	case 1:
		p->seq ^= 1u << take_below(input, 32);
		return true;
	case 2:
		p->window ^= 1u << take_below(input, 16);
		return true;
	case 3:
		p->sport = take16(input);
		return true;
	case 4:
		if (p->timestamp_at) /* which is nobody's concern */
			packet_set_timestamp(p, packet_tsval(p),
					     packet_tsecr(p) ^ 1u << take_below(input, 32));
		return false;
	case 5:
		*p = segments[(what >> 6) ^ 1]; /* one of them twice, another missing */
		return true;
	case 6:
		p->doff = 4 + take_below(input, 12);
		return true;
	case 7:
		p->wrong_checksum = take16(input);
		return true;
	case 8:
		p->flags = take8(input);
		p->ack = 1;
		return true;
	default:
		return false;
	}
}

#define SPOIL_PAUSE 9 /* the epoch goes on before the segment of this number */
#define SPOIL_CROWD 10 /* keys exist for all readings of the group */

static void advance(struct stream *s, uint64_t ns)
{
	if (!s->sink->monotonic)
		return;
	s->monotonic += ns;
	s->sink->monotonic(s->context, s->monotonic);
}

static uint64_t epoch(const struct stream *s)
{
	return s->monotonic >> 30;
}

static void add_ghost(struct stream *s, uint16_t id)
{
	unsigned int i;

	if (!id || s->n_ghosts == SCENARIO_GHOSTS)
		return;
	for (i = 0; i < SCENARIO_KEYS; i++)
		if (s->scenario->key_ids[i] == id)
			return;
	for (i = 0; i < s->n_ghosts; i++)
		if (s->ghosts[i] == id)
			return;
	s->ghosts[s->n_ghosts++] = id;
	s->sink->key(s->context, id, &s->scenario->ghost);
}

/* As at a server with very many keys: every reading that fits claims one that exists. */
static void crowd(struct stream *s, const struct sent_group *g)
{
	const struct tap_gate_constants *c = &s->scenario->constants[s->variant];
	struct ref_server server = { .veiled = g->ref.veiled, .now = s->now, .skew = c->skew };
	unsigned int n, realm, role[4], i;
	struct ref_group reading;
	uint32_t seq[4];

	memcpy(server.realm_key, s->scenario->realm_key, sizeof(server.realm_key));
	for (i = 0; i < 4; i++)
		seq[i] = g->segments[g->order[i]].seq;
	for (n = 0; n < REF_PERMUTATIONS; n++)
		for (realm = 0; realm < 2; realm++) {
			ref_permutation(n, role);
			if (ref_read(&server, realm, seq, role, &reading) == REF_UNKNOWN_KEY)
				add_ghost(s, reading.key_id);
		}
}

/* pause: 0 to 3: before which segment the epoch goes on; lost: which one does not arrive; else 4. */
static void emit_group(struct stream *s, struct sent_group *g, bool whole, unsigned int pause,
		       unsigned int lost)
{
	unsigned int i;

	g->epoch = epoch(s);
	whole = whole && all_different(g->segments) && undisturbed(s, g);
	g->clean = whole && lost == 4 && pause == 4;
	for (i = 0; i < 4; i++) {
		struct frame *frame;

		if (i == lost)
			continue;
		if (i == pause)
			advance(s, 1 << 30);
		frame = next_frame(s);
		if (!frame)
			return;
		frame->length = packet_build(&g->segments[g->order[i]], frame->bytes);
		frame->l3 = g->original.no_ethernet;
		frame->ifindex = g->ifindex;
		frame->group = g;
		frame->last = g->clean && i == 3;
		frame->parted = whole && lost == 4 && pause && pause < 4 && i == 3 &&
				s->sink->monotonic;
		emit(s, frame);
	}
	if (pause < 4)
		g->wild = true;
}

static void set_order(struct sent_group *g, unsigned int n)
{
	static const uint8_t orders[][4] = { { 1, 2, 3, 0 }, { 0, 1, 2, 3 }, { 3, 2, 1, 0 },
					     { 2, 0, 3, 1 }, { 1, 0, 3, 2 }, { 0, 3, 2, 1 } };

	memcpy(g->order, orders[n % COUNT(orders)], sizeof(g->order));
}

static uint16_t choose_mark(struct stream *s, struct input *input, bool any, bool older)
{
	const struct scenario *scenario = s->scenario;
	uint16_t mark;

	if (!any)
		return scenario->marks[older][take8(input)];
	mark = take16(input); /* small ones are no marks: take them for one of the other secret's */
	return mark < 1000 ? scenario->marks[!older][mark % scenario->n_marks[!older]] : mark;
}

static void send_group(struct stream *s, struct input *input)
{
	struct sent_group *g = &s->groups[s->n_groups];
	const uint16_t own[3] = { 50001, 50002, 50003 };
	unsigned int pause = 4;
	bool spoiled = false;
	uint8_t bits, what;

	if (s->n_frames + 4 > SCENARIO_FRAMES)
		return;
	make_group(s, input, g);
	bits = take8(input);
	set_order(g, bits & 7);
	g->mark = choose_mark(s, input, bits & 8,
			      g->ref.realm_key[REF_ID_BYTES] != s->scenario->realm_key[0][REF_ID_BYTES]);
	packet_split(&g->original, &g->ref, g->mark, bits & 16 ? NULL : own, g->segments);
	g->ifindex = bits & 128 ? 2 : 1;
	s->n_groups++;
	if (bits & 32) {
		what = take8(input);
		spoiled = spoil(input, what, g->segments);
		g->wild = spoiled;
		if ((what & 31) == SPOIL_PAUSE)
			pause = what >> 6;
		else if ((what & 31) == SPOIL_CROWD)
			crowd(s, g);
	}
	emit_group(s, g, !spoiled, pause, bits & 64 ? bits & 3 : 4);
}

/* An earlier group once more: what a listener does. */
static void replay_group(struct stream *s, struct input *input)
{
	uint8_t which = take8(input), bits = take8(input);
	struct sent_group *g;

	if (!s->n_groups || s->n_frames + 4 > SCENARIO_FRAMES)
		return;
	g = &s->groups[which % s->n_groups];
	set_order(g, bits & 7);
	if (bits & 8)
		crowd(s, g);
	emit_group(s, g, g->clean, 4, 4);
}

/* A segment of a connection, or of none. */
static void send_segment(struct stream *s, struct input *input)
{
	struct frame *frame = next_frame(s);
	uint8_t bits = take8(input);
	struct packet p;

	if (!frame)
		return;
	packet_syn_plain(&p, bits & 1, bits & 2 ? take16(input) : 40000, ports[5 + bits / 16 % 5],
			 take16(input));
	p.flags = bits & 4 ? take8(input) : ACK;
	p.ack = 7;
	p.no_ethernet = bits & 8;
	if (bits & 128)
		p.src[3] = p.dst[2] = take8(input);
	frame->length = packet_build(&p, frame->bytes);
	frame->l3 = p.no_ethernet;
	emit(s, frame);
}

/* An earlier frame once more, all of it or all but one byte. */
static void send_again(struct stream *s, struct input *input)
{
	uint8_t bits = take8(input);
	struct frame *frame, *earlier;

	if (!s->n_frames)
		return;
	earlier = &s->frames[bits % s->n_frames];
	frame = next_frame(s);
	if (!frame)
		return;
	*frame = *earlier;
	frame->last = frame->parted = false;
	if (frame->group)
		frame->group->clean = false;
	if (bits & 128) {
		if (frame->group)
			frame->group->wild = true;
		frame->bytes[take8(input) % frame->length] ^= take8(input);
		frame->group = NULL;
	}
	emit(s, frame);
}

static void step(struct stream *s, struct input *input)
{
	uint8_t what = take8(input);

	switch (what & 7) {
	case 0:
		raw_frame(s, input, what >> 3, 14 + take8(input));
		break;
	case 1:
		send_again(s, input);
		break;
	case 2:
		replay_group(s, input);
		break;
	case 3:
		s->now += (int8_t)take8(input);
		s->sink->clock(s->context, s->now);
		break;
	case 4:
		if (what & 8 && s->sink->fail)
			s->sink->fail(s->context, 1 + take8(input) % 64);
		else if (what & 16 && s->sink->world)
			s->sink->world(s->context, take8(input));
		else if (!(what & 24))
			advance(s, (uint64_t)take8(input) << 25);
		break;
	case 5:
		send_segment(s, input);
		break;
	default:
		send_group(s, input);
	}
}

void scenario_run(struct input *input, const struct sink *sink, void *context)
{
	static struct stream s;
	uint8_t first = take8(input);

	s.scenario = scenario_make();
	s.sink = sink;
	s.context = context;
	s.variant = (first >> 1) % SCENARIO_VARIANTS;
	s.n_frames = s.n_groups = s.n_ghosts = 0;
	s.now = SCENARIO_NOW;
	s.monotonic = SCENARIO_MONOTONIC;
	sink->start(context, s.variant);
	advance(&s, 0);
	if (!(first & 0x80)) {
		raw_frame(&s, input, first, input->left);
		return;
	}
	while (input->left)
		step(&s, input);
	while (s.n_ghosts)
		sink->key(context, s.ghosts[--s.n_ghosts], NULL);
}
