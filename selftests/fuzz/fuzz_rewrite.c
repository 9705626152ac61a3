// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two ways in which the gate changes a segment: a SYN into the one that is admitted, and any
 * into a closed port's RST. Checksums are summed up afresh, and every byte that must not change is
 * compared.
 *
 * Input: numbers that a packet is built from, with any addresses, TCP options and payload.
 */
#include "selftests/fuzz/host_bpf.h"

#define TAP_CONTEXT struct xdp_md
#define TAP_FRAME_BYTES(ctx) host_xdp_length(ctx)
#include "bpf/admit.h"
#include "bpf/reject.h"

#include "selftests/common/packet.h"
#include "selftests/fuzz/fuzz.h"

static void build(struct input *input, struct packet *packet, bool any_flags)
{
	static const char *const payloads[] = { NULL, NULL, NULL, "x", "data", "some more of it" };
	uint8_t bits = take8(input);

	packet_syn(packet, bits & 1, take16(input), take16(input), take32(input));
	packet->no_ethernet = bits & 2;
	packet->vlan[0] = bits & 4 ? 9 : 0;
	packet->partial_checksum = bits & 8;
	packet->wrong_checksum = bits & 16 ? take16(input) : 0;
	packet->trailer = bits & 32 ? take8(input) : 0;
	packet->flags = take8(input);
	if (!any_flags)
		packet->flags = SYN | (packet->flags & ~ACK);
	packet->window = take16(input);
	packet->tos = take8(input);
	packet->ttl = take8(input);
	packet->urgent = take16(input);
	packet->ack = take32(input);
	packet->payload = payloads[take_below(input, sizeof(payloads) / sizeof(payloads[0]))];
	if (bits & 64) {
		take(input, packet->src, sizeof(packet->src));
		take(input, packet->dst, sizeof(packet->dst));
	}
	if (bits & 128) {
		packet->timestamp_at = 0;
		packet->tcp_options_length = 4 * take_below(input, 11);
		take(input, packet->tcp_options, packet->tcp_options_length);
	}
	if (!(bits & 128) && take8(input) & 1) { /* the timestamp anywhere, at odd places too */
		packet->timestamp_at = 2 + take_below(input, 31);
		packet->tcp_options_length = sizeof(packet->tcp_options);
		memset(packet->tcp_options, 1, sizeof(packet->tcp_options));
		packet->tcp_options[packet->timestamp_at - 2] = 8;
		packet->tcp_options[packet->timestamp_at - 1] = 10;
		packet_set_timestamp(packet, take32(input), take32(input));
	}
	if (packet->ipv6 && take8(input) == 1)
		packet_extend(packet, 60, 8);
	else if (!packet->ipv6)
		packet->ip_options_length = take8(input) == 1 ? 4 : 0;
}

/* Of the pseudo-header, and of the segment unless the device has yet to add it. */
static uint16_t tcp_sum(const struct packet *packet, const uint8_t *tcp, unsigned int bytes)
{
	unsigned int address = packet->ipv6 ? 16 : 4;
	uint32_t sum = 6 + bytes;

	sum = inet_add(sum, packet->src, address);
	sum = inet_add(sum, packet->dst, address);
	return inet_fold(inet_add(sum, tcp, bytes));
}

static unsigned int get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

/*
 * A checksum may have two forms of the same value, 0 and ffff; and one that was wrong must be wrong
 * by as much as before: whoever made it so sees what became of it.
 */
static bool same_sum(unsigned int a, unsigned int b)
{
	return a % 0xffff == b % 0xffff;
}

static void check_admitted(struct input *input, const struct packet *packet, const uint8_t *before,
			   struct xdp_md *ctx, const struct tap_packet *p)
{
	uint32_t tcp = (uint8_t *)p->tcp - (uint8_t *)TAP_DATA(ctx), i;
	uint16_t unfinished = inet_fold(tcp_sum(packet, NULL, 0) + p->tcp_bytes);
	struct admission a = { .tcp_offset = tcp, .tcp_bytes = p->tcp_bytes,
			       .seq = take32(input), .sport = take16(input),
			       .pseudo = checksum_pseudo(p) };
	const uint8_t *after = TAP_DATA(ctx), *was = before + tcp, *is = after + tcp;

	MUST(same_sum(ntohs(a.pseudo), unfinished), "%x, should be %x", ntohs(a.pseudo),
	     unfinished);
	admit_rewrite(p->tcp, TAP_DATA_END(ctx), &a);
	for (i = 0; i < ctx->data_end - ctx->data; i++) {
		uint32_t at = i - tcp;
		bool ours = i >= tcp && ((at < 2) || (at >= 4 && at < 8) ||
					 (at >= 14 && at < 18));

		MUST(ours || after[i] == before[i], "byte %u of the frame, TCP at %u", i, tcp);
	}
	MUST(get16(is) == a.sport && get16(is + 4) == a.seq >> 16 &&
	     get16(is + 6) == (uint16_t)a.seq && get16(is + 14) == 65535, "fields");
	/* A wrong sum that looks unfinished, with a payload after it, cannot be told. */
	if (!memcmp(is + 16, was + 16, 2) && get16(was + 16) == ntohs(a.pseudo))
		return;
	MUST(same_sum(tcp_sum(packet, is, p->tcp_bytes), tcp_sum(packet, was, p->tcp_bytes)),
	     "checksum %04x of %04x", get16(is + 16), get16(was + 16));
}

/* --- The RST --- */

/* The addresses that a host can have. */
static bool is_unicast(const struct packet *packet, const uint8_t *a)
{
	static const uint8_t none[16], loopback[16] = { [15] = 1 };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (packet->ipv6)
		return a[0] != 0xff && memcmp(a, none, 16) && memcmp(a, loopback, 16) &&
		       memcmp(a, mapped, 12);
	return a[0] && a[0] != 127 && a[0] < 224;
}

static bool rst_due(const struct packet *packet, const uint8_t *before, const struct tap_packet *p,
		    uint32_t tcp)
{
	uint16_t sum = tcp_sum(packet, before + tcp, p->tcp_bytes);

	return !(packet->flags & RST) && !packet->payload && !packet->ip_options_length &&
	       !packet->extensions_length && is_unicast(packet, packet->src) &&
	       is_unicast(packet, packet->dst) &&
	       (sum == 0xffff || get16(before + tcp + 16) == ntohs(checksum_pseudo(p)));
}

static void check_rst(const struct packet *packet, const uint8_t *before, struct xdp_md *ctx,
		      struct tap_packet *p)
{
	uint32_t l3 = (uint8_t *)p->l3 - (uint8_t *)TAP_DATA(ctx);
	uint32_t tcp = (uint8_t *)p->tcp - (uint8_t *)TAP_DATA(ctx);
	bool due = rst_due(packet, before, p, tcp);
	unsigned int address = packet->ipv6 ? 16 : 4, length;
	uint8_t want[PACKET_BYTES], *got = TAP_DATA(ctx);
	struct packet rst;
	int verdict;

	packet_syn_plain(&rst, packet->ipv6, packet->dport, packet->sport, 0);
	memcpy(rst.src, packet->dst, address);
	memcpy(rst.dst, packet->src, address);
	memcpy(rst.vlan, packet->vlan, sizeof(rst.vlan));
	rst.no_ethernet = packet->no_ethernet;
	rst.tcp_options_length = 0;
	rst.flags = RST | ACK;
	if (packet->flags & ACK) {
		rst.seq = packet->ack;
		rst.flags = RST;
	} else {
		rst.ack = packet->seq + !!(packet->flags & SYN) + !!(packet->flags & FIN);
	}
	rst.window = 0;
	rst.tos = packet->tos & ~3;
	rst.ipv4_fragment = 0x4000;
	length = packet_build(&rst, want);
	verdict = reject_with_rst(ctx, p);
	MUST(verdict == (due ? XDP_TX : XDP_DROP), "%d, due: %d", verdict, due);
	if (!due) {
		MUST(!memcmp(got, before, ctx->data_end - ctx->data), "changed all the same");
		return;
	}
	MUST(ctx->data_end - ctx->data == length, "%u bytes", ctx->data_end - ctx->data);
	if (!rst.no_ethernet) { /* the addresses exchanged */
		memcpy(want, before + 6, 6);
		memcpy(want + 6, before, 6);
	}
	if (rst.ipv6) { /* any flow label */
		memcpy(want + l3 + 2, got + l3 + 2, 2);
		want[l3 + 1] = (want[l3 + 1] & 0xf0) | (got[l3 + 1] & 0x0f);
	} else { /* packets of the tests have an identification */
		memset(want + l3 + 4, 0, 2);
		memset(want + l3 + 10, 0, 2);
		length = (uint16_t)~inet_fold(inet_add(0, want + l3, 20));
		want[l3 + 10] = length >> 8;
		want[l3 + 11] = length;
	}
	for (length = 0; length < ctx->data_end - ctx->data; length++)
		MUST(got[length] == want[length], "byte %u is %02x, should be %02x", length,
		     got[length], want[length]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	bool rst = take8(&input) & 1;
	uint8_t before[PACKET_BYTES];
	struct packet packet;
	struct tap_packet p = {};
	struct xdp_md ctx = {};
	enum tap_kind kind;
	unsigned int length;

	build(&input, &packet, rst);
	length = packet_build(&packet, before);
	ctx.data = (uintptr_t)host_frame(0, before, length);
	ctx.data_end = ctx.data + length;
	host_frame_bytes = length;
	kind = packet.no_ethernet ? tap_parse_ip(&ctx, &p) : tap_parse_ethernet(&ctx, &p);
	MUST(kind == ((packet.flags & (SYN | ACK)) == SYN ? TAP_SYN : TAP_SEGMENT), "%d", kind);
	if (rst)
		check_rst(&packet, before, &ctx, &p);
	else
		check_admitted(&input, &packet, before, &ctx, &p);
	return 0;
}
