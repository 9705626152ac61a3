/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds the packets of the tests: Ethernet (or none), VLAN tags, IPv4 with options or IPv6 with
 * extension headers, TCP with options and payload, all with right lengths and checksums unless the
 * packet says otherwise.
 */
#ifndef TAP_SELFTESTS_PACKET_H
#define TAP_SELFTESTS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "selftests/common/ref.h"

#define PACKET_BYTES 2048
#define PACKET_OPTIONS 40

/* TCP flags. */
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20
#define ECE 0x40
#define CWR 0x80

struct packet {
	bool no_ethernet; /* starts at the IP header, as on a tunnel device */
	uint16_t vlan[2]; /* VLAN IDs, outer first; 0: no such tag */
	bool ipv6;
	uint8_t src[16]; /* IPv4: the first four bytes */
	uint8_t dst[16];
	uint8_t tos;
	uint8_t ttl; /* 0: 64 */
	uint16_t ipv4_fragment; /* the whole 16-bit field: flags and offset */
	uint8_t ip_options[PACKET_OPTIONS];
	unsigned int ip_options_length; /* a multiple of 4 */
	/* IPv6: extension headers as they stand, and the type of the first one. */
	uint8_t extensions[256];
	unsigned int extensions_length;
	uint8_t first_extension;
	uint8_t last_extension; /* where the last one starts */
	uint8_t protocol; /* 0: TCP */

	uint16_t sport;
	uint16_t dport;
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	uint8_t reserved; /* the 4 bits beside the data offset */
	uint16_t window;
	uint16_t urgent;
	uint8_t tcp_options[PACKET_OPTIONS];
	unsigned int tcp_options_length; /* a multiple of 4 */
	unsigned int timestamp_at; /* where TSval is in tcp_options; 0: no timestamp */
	uint8_t doff; /* 0: what fits */
	const char *payload; /* or NULL */

	bool partial_checksum; /* left to the network card: the pseudo-header's sum only */
	uint16_t wrong_checksum; /* added to the TCP checksum */
	unsigned int truncate; /* cut to so many bytes, lengths in headers unchanged; 0: no */
	unsigned int trailer; /* bytes of padding after the IP packet */
};

/* A SYN as Linux sends it: MSS, SACK, timestamps, window scale; from 192.0.2.1 or 2001:db8::1. */
void packet_syn(struct packet *packet, bool ipv6, uint16_t sport, uint16_t dport, uint32_t seq);

/* A SYN with no options but MSS, so without timestamps. */
void packet_syn_plain(struct packet *packet, bool ipv6, uint16_t sport, uint16_t dport,
		      uint32_t seq);

/* Appends an extension header, zero but for its length; type is its own protocol number. */
void packet_extend(struct packet *packet, uint8_t type, unsigned int bytes);

/* The IPv6 fragment header; offset in bytes. */
void packet_extend_fragment(struct packet *packet, unsigned int offset, bool more);

uint32_t packet_tsecr(const struct packet *packet);
uint32_t packet_tsval(const struct packet *packet);
void packet_set_timestamp(struct packet *packet, uint32_t tsval, uint32_t tsecr);

/* Writes the packet to buffer (PACKET_BYTES); returns its length. */
unsigned int packet_build(const struct packet *packet, uint8_t *buffer);

/*
 * The client's work (protocol.md, section 3): SYN0..SYN3 of original, that the group was made for.
 * ports: source ports of SYN1..SYN3, or NULL for the original's ("shared").
 */
void packet_split(const struct packet *original, const struct ref_group *group, uint16_t mark,
		  const uint16_t ports[3], struct packet syn[4]);

/* Has the group's tag cover the addresses that these flags name, as this SYN dials. */
void packet_bind(const struct packet *original, struct ref_group *group, uint8_t flags);

/* What the gate must pass on: original with window 65535 (protocol.md, section 4). */
void packet_admitted(const struct packet *original, struct packet *admitted);

/* Internet checksum, as it goes into a header (network order kept by summing bytes). */
uint32_t inet_add(uint32_t sum, const void *bytes, size_t length);
uint16_t inet_fold(uint32_t sum);

#endif /* TAP_SELFTESTS_PACKET_H */
