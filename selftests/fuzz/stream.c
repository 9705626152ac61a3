// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream of frames, made from the input; see scenario.h. First byte: bit 7 clear, and the rest
 * is one frame (bit 0: no Ethernet header, bits 1 and 2: variant), as for the parser's target; or
 * steps follow, of which the low three bits of the first byte say what to do.
 */
#include "selftests/fuzz/scenario.h"

struct stream {
	const struct scenario *scenario;
	const struct sink *sink;
	void *context;
	unsigned int variant, n_frames, n_groups;
	uint32_t now;
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

static void choose_key(struct stream *s, struct input *input, struct ref_group *g)
{
	uint8_t key = take8(input);
	unsigned int n = key % SCENARIO_KEYS;

	g->realm_key[0] = 1;
	g->key_id = key & 32 ? 300 + n : s->scenario->key_ids[n];
	memset(g->user_key, key & 64 ? 101 + n : 1 + n, sizeof(g->user_key));
	if (key & 128) /* somebody else's */
		g->user_key[1] ^= 1;
}

/* A client's SYN and the group that goes with it. */
static void make_group(struct stream *s, struct input *input, struct sent_group *g)
{
	uint8_t bits = take8(input), style = take8(input);
	uint16_t port = ports[take_below(input, COUNT(ports))];
	struct packet *p = &g->original;

	memset(g, 0, sizeof(*g));
	choose_key(s, input, &g->ref);
	g->ref.veiled = bits & 1;
	g->ref.flags = bits & 2 ? 1 : bits & 4 ? take8(input) : 0;
	g->ref.isn = take32(input);
	g->ref.sec = second(s, input);
	g->ref.frac = take8(input);
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
	p->no_ethernet = bits & 16;
	p->vlan[0] = bits & 32 ? 7 : 0;
	p->payload = bits & 64 ? "early data" : NULL;
	p->partial_checksum = style & 8;
	p->tos = style & 16 ? 3 : 0;
	if (style & 32)
		p->flags |= 0xc0; /* ECN */
}

/* Whether frames so far could meddle with this group. */
static bool undisturbed(const struct stream *s, const struct sent_group *g)
{
	unsigned int i;

	for (i = 0; i < s->n_groups; i++)
		if (&s->groups[i] != g && s->groups[i].original.dport == g->original.dport)
			return false;
	return true;
}

/* Changes to one segment: what a forger or a bad line would do. */
static bool spoil(struct input *input, struct packet segments[4])
{
	uint8_t what = take8(input);
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
		if (p->timestamp_at)
			packet_set_timestamp(p, packet_tsval(p),
					     packet_tsecr(p) ^ 1u << take_below(input, 32));
		return true;
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

static void send_group(struct stream *s, struct input *input)
{
	static const uint8_t orders[][4] = { { 1, 2, 3, 0 }, { 0, 1, 2, 3 }, { 3, 2, 1, 0 },
					     { 2, 0, 3, 1 }, { 1, 0, 3, 2 }, { 0, 3, 2, 1 } };
	struct sent_group *g = &s->groups[s->n_groups];
	const uint16_t own[3] = { 50001, 50002, 50003 };
	struct packet segments[4];
	uint8_t bits;
	const uint8_t *order;
	uint16_t mark;
	bool whole;
	int i;

	if (s->n_frames + 4 > SCENARIO_FRAMES)
		return;
	s->n_groups++;
	make_group(s, input, g);
	bits = take8(input);
	order = orders[(bits & 7) % COUNT(orders)];
	mark = bits & 8 ? take16(input) : s->scenario->marks[take8(input)];
	g->mark = mark;
	packet_split(&g->original, &g->ref, mark, bits & 16 ? NULL : own, segments);
	whole = !(bits & 32 && spoil(input, segments)) && undisturbed(s, g);
	for (i = 0; i < 4; i++) {
		struct frame *frame = next_frame(s);

		if (bits & 64 && i == (bits & 3)) { /* lost on the way */
			s->n_frames--;
			whole = false;
			continue;
		}
		frame->length = packet_build(&segments[order[i]], frame->bytes);
		frame->l3 = segments[order[i]].no_ethernet;
		frame->ifindex = bits & 128 ? 2 : 1;
		frame->group = g;
		frame->last = whole && i == 3;
		emit(s, frame);
	}
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
	frame->last = false;
	if (bits & 128) {
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
	case 2:
		send_again(s, input);
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
			s->sink->attack(s->context);
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
	s.n_frames = s.n_groups = 0;
	s.now = SCENARIO_NOW;
	sink->start(context, s.variant);
	if (!(first & 0x80)) {
		raw_frame(&s, input, first, input->left);
		return;
	}
	while (input->left)
		step(&s, input);
}
