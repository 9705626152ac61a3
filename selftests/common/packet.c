// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds the packets of the tests byte by byte, without the kernel's structs; see packet.h.
 */
#include <assert.h>
#include <string.h>

#include "selftests/common/packet.h"

#define PROTOCOL_TCP 6

uint32_t inet_add(uint32_t sum, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	size_t i;

	for (i = 0; i < length; i++)
		sum += i % 2 ? at[i] : at[i] << 8;
	return sum;
}

uint16_t inet_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint8_t *put(uint8_t *at, uint32_t value, int bytes)
{
	while (bytes--)
		*at++ = value >> (8 * bytes);
	return at;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static void addresses(struct packet *packet, bool ipv6)
{
	static const uint8_t v4[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 80 } };
	static const uint8_t v6[2][16] = { { 0x20, 1, 0x0d, 0xb8, [15] = 1 },
					   { 0x20, 1, 0x0d, 0xb8, [15] = 80 } };

	packet->ipv6 = ipv6;
	memcpy(packet->src, ipv6 ? v6[0] : v4[0], ipv6 ? 16 : 4);
	memcpy(packet->dst, ipv6 ? v6[1] : v4[1], ipv6 ? 16 : 4);
}

static void syn(struct packet *packet, bool ipv6, uint16_t sport, uint16_t dport, uint32_t seq)
{
	memset(packet, 0, sizeof(*packet));
	addresses(packet, ipv6);
	packet->sport = sport;
	packet->dport = dport;
	packet->seq = seq;
	packet->flags = SYN;
	packet->window = 64240;
}

void packet_syn(struct packet *packet, bool ipv6, uint16_t sport, uint16_t dport, uint32_t seq)
{
	static const uint8_t options[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, [16] = 1, 3, 3, 7 };

	syn(packet, ipv6, sport, dport, seq);
	memcpy(packet->tcp_options, options, sizeof(options));
	packet->tcp_options_length = sizeof(options);
	packet->timestamp_at = 8;
	packet_set_timestamp(packet, 0x11223344, 0);
}

void packet_syn_plain(struct packet *packet, bool ipv6, uint16_t sport, uint16_t dport,
		      uint32_t seq)
{
	static const uint8_t options[4] = { 2, 4, 5, 0xb4 };

	syn(packet, ipv6, sport, dport, seq);
	memcpy(packet->tcp_options, options, sizeof(options));
	packet->tcp_options_length = sizeof(options);
}

/* The type of a header stands in the one before it; that of the TCP header in the last one. */
static uint8_t *append(struct packet *packet, uint8_t type, unsigned int bytes)
{
	uint8_t *header = packet->extensions + packet->extensions_length;

	assert(packet->extensions_length + bytes <= sizeof(packet->extensions));
	if (packet->extensions_length)
		packet->extensions[packet->last_extension] = type;
	else
		packet->first_extension = type;
	packet->last_extension = packet->extensions_length;
	packet->extensions_length += bytes;
	memset(header, 0, bytes);
	header[0] = PROTOCOL_TCP;
	return header;
}

void packet_extend(struct packet *packet, uint8_t type, unsigned int bytes)
{
	uint8_t *header = append(packet, type, bytes);

	/* The authentication header counts words of four bytes, minus two; others of eight. */
	header[1] = type == 51 ? bytes / 4 - 2 : bytes / 8 - 1;
	if (type == 0 || type == 60) { /* hop-by-hop, destination options: PadN */
		header[2] = 1;
		header[3] = bytes - 4;
	}
}

void packet_extend_fragment(struct packet *packet, unsigned int offset, bool more)
{
	uint8_t *header = append(packet, 44, 8);

	put(header + 2, (offset & ~7u) | more, 2);
	put(header + 4, 0x01020304, 4);
}

uint32_t packet_tsval(const struct packet *packet)
{
	return packet->timestamp_at ? get32(packet->tcp_options + packet->timestamp_at) : 0;
}

uint32_t packet_tsecr(const struct packet *packet)
{
	return packet->timestamp_at ? get32(packet->tcp_options + packet->timestamp_at + 4) : 0;
}

void packet_set_timestamp(struct packet *packet, uint32_t tsval, uint32_t tsecr)
{
	put(put(packet->tcp_options + packet->timestamp_at, tsval, 4), tsecr, 4);
}

static uint8_t *put_ethernet(const struct packet *packet, uint8_t *at)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };

	if (packet->no_ethernet)
		return at;
	memcpy(at, macs, sizeof(macs));
	at += sizeof(macs);
	if (packet->vlan[0])
		at = put(put(at, packet->vlan[1] ? 0x88a8 : 0x8100, 2), packet->vlan[0], 2);
	if (packet->vlan[1])
		at = put(put(at, 0x8100, 2), packet->vlan[1], 2);
	return put(at, packet->ipv6 ? 0x86dd : 0x0800, 2);
}

static uint8_t *put_ipv4(const struct packet *packet, uint8_t *start, unsigned int length)
{
	unsigned int header = 20 + packet->ip_options_length;
	uint8_t *at = start;

	at = put(at, 0x40 | header / 4, 1);
	at = put(at, packet->tos, 1);
	at = put(at, header + length, 2);
	at = put(at, 0x1234, 2);
	at = put(at, packet->ipv4_fragment, 2);
	at = put(at, packet->ttl ? packet->ttl : 64, 1);
	at = put(at, packet->protocol ? packet->protocol : PROTOCOL_TCP, 1);
	at = put(at, 0, 2);
	memcpy(at, packet->src, 4);
	memcpy(at + 4, packet->dst, 4);
	memcpy(at + 8, packet->ip_options, packet->ip_options_length);
	put(start + 10, (uint16_t)~inet_fold(inet_add(0, start, header)), 2);
	return start + header;
}

static uint8_t *put_ipv6(const struct packet *packet, uint8_t *at, unsigned int length)
{
	uint8_t protocol = packet->protocol ? packet->protocol : PROTOCOL_TCP;

	at = put(at, 6u << 28 | packet->tos << 20 | 0x12345, 4);
	at = put(at, packet->extensions_length + length, 2);
	at = put(at, packet->extensions_length ? packet->first_extension : protocol, 1);
	at = put(at, packet->ttl ? packet->ttl : 64, 1);
	memcpy(at, packet->src, 16);
	memcpy(at + 16, packet->dst, 16);
	memcpy(at + 32, packet->extensions, packet->extensions_length);
	return at + 32 + packet->extensions_length;
}

static uint16_t tcp_checksum(const struct packet *packet, const uint8_t *tcp, unsigned int length)
{
	unsigned int address = packet->ipv6 ? 16 : 4;
	uint32_t sum = PROTOCOL_TCP + length;

	sum = inet_add(sum, packet->src, address);
	sum = inet_add(sum, packet->dst, address);
	if (packet->partial_checksum)
		return inet_fold(sum);
	return ~inet_fold(inet_add(sum, tcp, length));
}

static unsigned int put_tcp(const struct packet *packet, uint8_t *tcp)
{
	unsigned int payload = packet->payload ? strlen(packet->payload) : 0;
	unsigned int header = 20 + packet->tcp_options_length;
	uint8_t *at = tcp;

	at = put(at, packet->sport, 2);
	at = put(at, packet->dport, 2);
	at = put(at, packet->seq, 4);
	at = put(at, packet->ack, 4);
	at = put(at, (packet->doff ? packet->doff : header / 4) << 4 | packet->reserved, 1);
	at = put(at, packet->flags, 1);
	at = put(at, packet->window, 2);
	at = put(at, 0, 2);
	at = put(at, packet->urgent, 2);
	memcpy(at, packet->tcp_options, packet->tcp_options_length);
	if (payload)
		memcpy(at + packet->tcp_options_length, packet->payload, payload);
	put(tcp + 16,
	    inet_fold(tcp_checksum(packet, tcp, header + payload) + packet->wrong_checksum), 2);
	return header + payload;
}

unsigned int packet_build(const struct packet *packet, uint8_t *buffer)
{
	unsigned int length = 20 + packet->tcp_options_length +
			      (packet->payload ? strlen(packet->payload) : 0);
	uint8_t *at;

	assert(packet->tcp_options_length % 4 == 0 && packet->ip_options_length % 4 == 0);
	at = put_ethernet(packet, buffer);
	at = packet->ipv6 ? put_ipv6(packet, at, length) : put_ipv4(packet, at, length);
	at += put_tcp(packet, at);
	assert(at - buffer + packet->trailer <= PACKET_BYTES);
	memset(at, 0, packet->trailer);
	at += packet->trailer;
	return packet->truncate ? packet->truncate : at - buffer;
}

void packet_split(const struct packet *original, const struct ref_group *group, uint16_t mark,
		  const uint16_t ports[3], struct packet out[4])
{
	struct ref_wire wire;
	int i;

	ref_encode(group, &wire);
	for (i = 0; i < 4; i++) {
		out[i] = *original;
		out[i].seq = wire.seq[i];
		out[i].window = mark;
		if (i) {
			out[i].payload = NULL;
			if (ports)
				out[i].sport = ports[i - 1];
		}
	}
}

static void endpoint(uint8_t out[REF_ADDRESS_BYTES], const uint8_t *address, bool ipv6)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(out, ipv6 ? address : mapped, 12);
	memcpy(out + 12, ipv6 ? address + 12 : address, 4);
}

void packet_bind(const struct packet *original, struct ref_group *group, uint8_t flags)
{
	group->flags = flags;
	endpoint(group->dst, original->dst, original->ipv6);
	endpoint(group->src, original->src, original->ipv6);
	ref_dialled(group->dst);
}

void packet_admitted(const struct packet *original, struct packet *admitted)
{
	*admitted = *original;
	admitted->window = 65535;
}
