// SPDX-License-Identifier: GPL-2.0-only
/*
 * What single segments cost the gate: a stranger's SYNs, each from another address, and segments
 * that pass. The table below says all about a case.
 */
#include <errno.h>
#include <string.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "selftests/common/check.h"
#include "selftests/cost/cases.h"
#include "selftests/cost/figures.h"
#include "selftests/cost/gates.h"
#include "gate.skel.h"

enum shape { PLAIN4, LINUX4, LINUX6, VLAN4 };
static const char *const shape_names[] = { "IPv4 without options", "IPv4", "IPv6", "VLAN, IPv4" };

struct stream {
	const char *set, *name;
	enum cost_gate gate;
	enum shape shape;
	int reason; /* that the gate must give for each */
	double aim;
	bool marked; /* the window is a mark */
	bool data; /* with the ACK flag and a payload, of one of `flows` connections */
	unsigned int flows; /* a power of two; 0: every segment from another address */
	uint16_t port; /* 0: GATE_PORT */
};

#define SHAPE(text, shape_, gate_, marked_, reason_, aim_)                                         \
	{ .set = "flood", .name = text, .shape = shape_, .gate = gate_, .marked = marked_,         \
	  .reason = TAP_REASON_##reason_, .aim = aim_ }
#define FLOOD(text, gate, marked, reason, aim4)                                                    \
	SHAPE(text, PLAIN4, gate, marked, reason, aim4),                                           \
	SHAPE(text, LINUX4, gate, marked, reason, aim4),                                           \
	SHAPE(text, LINUX6, gate, marked, reason, 0),                                              \
	SHAPE(text, VLAN4, gate, marked, reason, 0)

static const struct stream streams[] = {
	FLOOD("sealed, no mark", COST_SEALED, false, no_mark, 1.25),
	FLOOD("sealed, a mark", COST_SEALED, true, collecting, 0),
	FLOOD("open", COST_OPEN, true, collecting, 1.6),
	{ "services", "256 at ports of their own", COST_PORTS, LINUX4, TAP_REASON_no_mark,
	  .port = GATE_PORT + 255 },
	{ "services", "256 at one port, the last one fits", COST_SOURCES, LINUX4,
	  TAP_REASON_no_mark, .port = GATE_PORT },
	{ "passing", "SYN to an unprotected port", COST_SEALED, LINUX4, NO_REASON,
	  .port = COST_FREE_PORT },
	{ "passing", "SYN to an unprotected port", COST_SEALED, LINUX6, NO_REASON,
	  .port = COST_FREE_PORT },
	{ "passing", "data, stealth off", COST_SEALED, LINUX4, NO_REASON,
	  .data = true, .flows = 1 },
	{ "passing", "data, stealth on, one connection", COST_STEALTH, LINUX4, NO_REASON,
	  .data = true, .flows = 1 },
	{ "passing", "data, stealth on, 1,024 connections", COST_STEALTH, LINUX4, NO_REASON,
	  .data = true, .flows = 1024 },
	{ "passing", "data, stealth on, a stranger's", COST_STEALTH, LINUX4, TAP_REASON_stray,
	  .data = true },
};

/* A window that is a mark of the fixtures' realm, or is none. */
static uint16_t window(const struct gate *sealed, bool marked)
{
	uint16_t w = 2000;

	while (ref_is_mark(sealed->k_mark[0], w) != marked)
		w++;
	return w;
}

static void make_packet(const struct stream *s, unsigned int flow, struct packet *packet)
{
	packet_syn(packet, s->shape == LINUX6, 12345, s->port ?: GATE_PORT, 1);
	packet->window = window(cost_gate(s->gate), s->marked);
	packet->src[1] = 18;
	packet->src[2] = flow >> 8;
	packet->src[3] = flow;
	if (s->shape == PLAIN4) {
		packet->tcp_options_length = 0;
		packet->timestamp_at = 0;
	}
	if (s->shape == VLAN4)
		packet->vlan[0] = 5;
	if (s->data) {
		packet->flags = ACK | PSH;
		packet->payload = "sixteen bytes...";
	}
}

/* As the gate does when it admits a group. */
static void remember_flow(struct gate *gate, const struct packet *packet)
{
	struct tap_flow flow = { .sport = htons(packet->sport), .dport = htons(packet->dport) };
	uint8_t *src = (uint8_t *)flow.src, *dst = (uint8_t *)flow.dst, known = 1;

	src[10] = src[11] = dst[10] = dst[11] = 0xff;
	memcpy(src + 12, packet->src, 4);
	memcpy(dst + 12, packet->dst, 4);
	if (bpf_map_update_elem(bpf_map__fd(gate->bpf->maps.tap_flows), &flow, &known, BPF_ANY))
		give_up("tap_flows: %s", strerror(errno));
}

static void prepare(const struct stream *s)
{
	unsigned int n = s->flows ?: 1, i;
	struct packet packet;

	feed_start(0, n);
	for (i = 0; i < n; i++) {
		make_packet(s, i, &packet);
		feed_frame(i, &packet);
		if (s->flows && s->gate == COST_STEALTH)
			remember_flow(cost_gate(s->gate), &packet);
	}
	if (!s->flows)
		feed_vary(&packet);
}

static void stream_round(const struct stream *s, unsigned int repeat)
{
	unsigned int verdict = s->reason == NO_REASON ? XDP_PASS : XDP_DROP;
	struct floors floors;
	struct figure *f;
	uint64_t before;
	double ns;

	prepare(s);
	floors_measure(&floors, repeat);
	feed_run(FEED_XDP, cost_gate_program(s->gate), repeat / 2, verdict, 0); /* to warm up */
	before = s->reason == NO_REASON ? 0 : cost_gate_count(s->gate, s->reason);
	ns = feed_run(FEED_XDP, cost_gate_program(s->gate), repeat, verdict, 0);
	/* Or it was not what its name says. (A few of a flood make up groups, by chance.) */
	if (s->reason != NO_REASON &&
	    cost_gate_count(s->gate, s->reason) - before < repeat - repeat / 1000)
		give_up("%s: not all were judged alike", s->name);
	f = figure(s->set, "%s: %s", s->name, shape_names[s->shape]);
	f->aim = s->aim;
	figure_add(f, ns, &floors);
}

/* The floors by themselves. */
static void floors_round(unsigned int repeat)
{
	static const struct stream like = { .gate = COST_SEALED, .shape = LINUX4 };
	struct floors floors;

	prepare(&like);
	floors_measure(&floors, repeat);
	figure_add(figure("floors", "empty program"), floors.runner + floors.feeder, &floors);
	figure_add(figure("floors", "count, drop"), floors.drop + floors.feeder, &floors);
	figure_add(figure("floors", "parse, count, drop"), floors.parse + floors.feeder, &floors);
	figure_add(figure("floors", "the gate's parser, count, drop"),
		   floors.parser + floors.feeder, &floors);
}

void streams_round(const struct effort *effort)
{
	unsigned int i;

	floors_round(effort->repeat);
	for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		if (wanted(effort, streams[i].set))
			stream_round(&streams[i], effort->repeat);
}
