// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packet parser and the search for the timestamp option. What a frame is, is found out once
 * more here, in the plainest way and for any number of VLAN tags and extension headers; whatever a
 * stack would take for a SYN without ACK must not look like anybody else's business.
 *
 * Input: a byte (bit 0: no Ethernet header; bit 3: in several buffers), then the frame.
 */
#include "selftests/fuzz/host_bpf.h"

#define TAP_CONTEXT struct xdp_md
#define TAP_FRAME_BYTES(ctx) host_xdp_length(ctx)
#include "bpf/glance.h"
#include "bpf/parse.h"
#include "bpf/timestamps.h"

#include "selftests/fuzz/fuzz.h"

/* The frame, as bytes. */
struct view {
	const uint8_t *at;
	size_t length;
};

static unsigned int get16(const struct view *v, size_t at)
{
	return v->at[at] << 8 | v->at[at + 1];
}

/* What this way finds: a whole segment of so many bytes. */
struct found {
	size_t ip, tcp, bytes;
	unsigned int tags, extensions;
	bool routed; /* it may go on to another address than the IP header says */
};

static bool find_ipv4(const struct view *v, size_t at, struct found *f)
{
	size_t header, total;

	if (v->length < at + 20 || v->at[at] >> 4 != 4 || v->at[at + 9] != 6)
		return false;
	header = (v->at[at] & 15) * 4;
	total = get16(v, at + 2) ?: v->length - at;
	if (header < 20 || total < header || total > v->length - at || get16(v, at + 6) & 0x3fff)
		return false;
	f->ip = at;
	f->routed = header > 20;
	f->tcp = at + header;
	f->bytes = total - header;
	return true;
}

static bool find_ipv6(const struct view *v, size_t at, struct found *f)
{
	unsigned int next, size;
	size_t end;

	if (v->length < at + 40 || v->at[at] >> 4 != 6)
		return false;
	f->ip = at;
	next = v->at[at + 6];
	end = at + 40 + get16(v, at + 4);
	if (end > v->length)
		return false;
	if (end == at + 40)
		end = v->length;
	for (at += 40; next != 6; f->extensions++, at += size) {
		if (next != 0 && next != 43 && next != 44 && next != 60)
			return false;
		if (end < at + 8 || (next == 44 && get16(v, at + 2) & 0xfff9))
			return false;
		size = next == 44 ? 8 : 8 + v->at[at + 1] * 8;
		f->routed |= next == 43;
		next = v->at[at];
		if (size > end - at)
			return false;
	}
	f->tcp = at;
	f->bytes = end - at;
	return true;
}

static bool find(const struct view *v, bool l3, struct found *f)
{
	size_t at = l3 ? 0 : 14;

	memset(f, 0, sizeof(*f));
	if (v->length <= at)
		return false;
	if (l3)
		return v->at[0] >> 4 == 4 ? find_ipv4(v, 0, f) : find_ipv6(v, 0, f);
	while (get16(v, at - 2) == 0x8100 || get16(v, at - 2) == 0x88a8) {
		at += 4;
		f->tags++;
		if (v->length <= at)
			return false;
	}
	if (get16(v, at - 2) == 0x0800)
		return find_ipv4(v, at, f);
	return get16(v, at - 2) == 0x86dd && find_ipv6(v, at, f);
}

static bool is_syn(const struct view *v, const struct found *f)
{
	return f->bytes >= 20 && (v->at[f->tcp + 13] & 0x12) == 2;
}

/* The option as a walk over a copy finds it; -1: the list is broken before one is found. */
static int find_timestamp(const uint8_t *tcp, size_t header)
{
	size_t at = 20;

	while (at < header && tcp[at]) {
		if (tcp[at] == 1) {
			at++;
			continue;
		}
		if (at + 2 > header || tcp[at + 1] < 2 || at + tcp[at + 1] > header)
			return -1;
		if (tcp[at] == 8 && tcp[at + 1] == 10)
			return at;
		at += tcp[at + 1];
	}
	return 0;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static void check_timestamps(struct xdp_md *ctx, const struct tap_packet *p)
{
	const uint8_t *tcp = (const uint8_t *)p->tcp;
	int at = find_timestamp(tcp, (tcp[12] >> 4) * 4), error;
	struct timestamps slow = {}, quick = {};

	error = read_timestamps(ctx, tap_offset(ctx, p->tcp), &slow);
	MUST(!error, "%d", error);
	MUST(slow.at == at, "%d, should be %d", slow.at, at);
	if (at > 0)
		MUST(slow.tsval == get32(tcp + at + 2), "%d", at);
	if (linux_timestamps(p->tcp, TAP_DATA_END(ctx), &quick))
		MUST(!memcmp(&slow, &quick, sizeof(slow)), "%d and %d", slow.at, quick.at);
}

static void check_syn(struct xdp_md *ctx, const struct view *v, const struct tap_packet *p,
		      const struct found *f)
{
	const uint8_t *data = TAP_DATA(ctx);
	size_t address = p->ipv6 ? 16 : 4;
	size_t from = f->ip + (p->ipv6 ? 8 : 12);

	MUST((uint8_t *)p->tcp == data + f->tcp, "%zu", f->tcp);
	MUST((uint8_t *)p->l3 == data + f->ip, "%zu", f->ip);
	MUST(p->port_known && p->dport == get16(v, f->tcp + 2), "%u", p->dport);
	MUST(p->tcp_bytes == f->bytes, "%u, should be %zu", p->tcp_bytes, f->bytes);
	MUST(!memcmp((uint8_t *)p->src + 16 - address, v->at + from, address), "source");
	MUST(!memcmp((uint8_t *)p->dst + 16 - address, v->at + from + address, address), "to");
	if (!p->ipv6)
		MUST(!p->src[0] && !p->dst[0] && (__u32)p->src[1] == 0xffff0000 &&
		     (__u32)p->dst[1] == 0xffff0000, "not mapped");
	check_timestamps(ctx, p);
}

/* Whatever a stack could make a segment of must be called that, or out of reach. */
static void check_kind(enum tap_kind kind, const struct view *v, const struct found *f, bool whole)
{
	bool syn = is_syn(v, f);

	if (f->tags > TAP_VLAN_TAGS)
		MUST(kind == TAP_BURIED, "%d under %u tags", kind, f->tags);
	else if (f->routed && kind == TAP_BURIED)
		return;
	else if (!whole && (kind == TAP_BURIED || kind == TAP_OPAQUE))
		return;
	else if (f->extensions > TAP_IPV6_EXTENSIONS)
		MUST(kind == TAP_OPAQUE || kind == TAP_BURIED, "%d behind %u extension headers",
		     kind, f->extensions);
	else if (syn)
		MUST(kind == TAP_SYN || kind == TAP_BROKEN_SYN, "%d", kind);
	else
		MUST(kind == TAP_SEGMENT, "%d", kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint8_t bits = take8(&input);
	bool l3 = bits & 1, there;
	struct view v = { input.at, input.left };
	size_t first = v.length;
	struct xdp_md ctx = {};
	struct tap_packet p = {};
	struct found f;
	const struct tcphdr *plain;
	enum tap_kind kind;

	if (v.length > HOST_FRAME_BYTES)
		return 0;
	if (bits & 8 && first) /* so much of it in the first buffer */
		first = v.at[first - 1] % (first + 1);
	host_frame_bytes = v.length;
	ctx.data = (uintptr_t)host_frame(0, v.at, first);
	ctx.data_end = ctx.data + first;
	kind = l3 ? tap_parse_ip(&ctx, &p) : tap_parse_ethernet(&ctx, &p);
	there = find(&v, l3, &f) && f.bytes >= 20;
	if (there)
		check_kind(kind, &v, &f, first == v.length);
	if (kind == TAP_SYN && there)
		check_syn(&ctx, &v, &p, &f);
	plain = glance(&ctx, !l3);
	MUST(!plain || (kind == TAP_SYN && p.tcp == plain), "a glance sees a SYN, but it is %d", kind);
	if (kind == TAP_SYN) {
		MUST((uint8_t *)p.tcp + p.tcp->doff * 4 <= (uint8_t *)TAP_DATA_END(&ctx), "doff");
		MUST(p.tcp->doff >= 5 && p.tcp->doff * 4u <= p.tcp_bytes, "%u", p.tcp->doff);
		MUST(p.tcp->syn && !p.tcp->ack, "no SYN");
	}
	if (kind == TAP_SEGMENT) {
		MUST((void *)(p.tcp + 1) <= TAP_DATA_END(&ctx), "cut off");
		MUST(!p.tcp->syn || p.tcp->ack, "a SYN");
	}
	return 0;
}
