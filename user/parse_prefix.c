// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses, prefixes and devices. Inside an address is 16 bytes, IPv4 as ::ffff:a.b.c.d.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "user/parse.h"
#include "user/tapctl.h"

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

/* The address, and the number of bits that stand before its own: 96 for IPv4. */
static bool read_address(const char *text, unsigned char address[16], unsigned int *before)
{
	memcpy(address, mapped, sizeof(mapped));
	*before = 96;
	if (inet_pton(AF_INET, text, address + 12) == 1)
		return true;
	*before = 0;
	return inet_pton(AF_INET6, text, address) == 1;
}

static void fill_mask(unsigned char mask[16], unsigned int bits)
{
	unsigned int i;

	for (i = 0; i < 16; i++, bits -= bits < 8 ? bits : 8)
		mask[i] = bits < 8 ? 0xff00 >> bits : 0xff;
}

static unsigned int mask_bits(const unsigned char mask[16])
{
	unsigned int bits = 0;

	while (bits < 128 && mask[bits / 8] & 0x80 >> bits % 8)
		bits++;
	return bits;
}

/* Refuses what would not do what it looks like. */
static int check_prefix(const char *what, const char *text, unsigned char address[16],
			const unsigned char mask[16], unsigned int bits)
{
	struct tap_prefix meant;
	char right[PREFIX_TEXT];
	unsigned int i, stray = 0;

	for (i = 0; i < 16; i++) {
		stray |= address[i] & ~mask[i];
		address[i] &= mask[i];
	}
	if (stray) {
		memcpy(meant.addr, address, 16);
		memcpy(meant.mask, mask, 16);
		return usage("%s: '%s' has address bits beyond its length: did you mean %s?", what, text,
			     prefix_text(&meant, right));
	}
	for (i = 0; i < 16 && ((i < 12 ? mapped[i] : 0) & mask[i]) == address[i]; i++)
		;
	if (bits < 96 && i == 16)
		return usage("%s: '%s' would hold all of IPv4 too: leave %s out for every address, or "
			     "write 2000::/3 for public IPv6, 0.0.0.0/0 for IPv4", what, text, what);
	return 0;
}

int parse_address(const char *what, const char *text, __u64 address[2])
{
	/* 64:ff9b::/96, by which NAT64 shows IPv4 addresses to IPv6 hosts. */
	static const unsigned char translated[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const unsigned char none[4];
	unsigned char bytes[16];
	unsigned int before;

	if (!read_address(text, bytes, &before))
		return usage("%s: '%s' is no IPv4 or IPv6 address (192.0.2.1, 2001:db8::1)", what, text);
	if (!memcmp(bytes, translated, sizeof(translated)))
		memcpy(bytes, mapped, sizeof(mapped));
	if (!memcmp(bytes + 12, none, sizeof(none)) &&
	    (!memcmp(bytes, mapped, sizeof(mapped)) || sodium_is_zero(bytes, 12)))
		return usage("%s: '%s' is no address that a client can dial", what, text);
	memcpy(address, bytes, sizeof(bytes));
	return 0;
}

int parse_prefix(const char *what, const char *text, struct tap_prefix *prefix)
{
	unsigned char address[16], mask[16];
	const char *slash = strchrnul(text, '/');
	char host[INET6_ADDRSTRLEN + 1];
	unsigned int before, length;
	int err;

	if ((size_t)(slash - text) >= sizeof(host))
		return usage("%s: '%s' is no IPv4 or IPv6 prefix", what, text);
	memcpy(host, text, slash - text);
	host[slash - text] = '\0';
	if (!read_address(host, address, &before))
		return usage("%s: '%s' is no IPv4 or IPv6 address or prefix (192.0.2.0/24, 2001:db8::/32)",
			     what, text);
	length = 128 - before;
	if (*slash) {
		err = parse_number("prefix length", slash + 1, 0, 128 - before, &length);
		if (err)
			return err;
	}
	fill_mask(mask, before + length);
	err = check_prefix(what, text, address, mask, before + length);
	if (err)
		return err;
	memcpy(prefix->addr, address, 16);
	memcpy(prefix->mask, mask, 16);
	return 0;
}

void prefix_of_address(const unsigned char address[16], struct tap_prefix *prefix)
{
	memcpy(prefix->addr, address, 16);
	memset(prefix->mask, 0xff, 16);
}

const char *address_text(const unsigned char address[16], char text[PREFIX_TEXT])
{
	bool v4 = !memcmp(address, mapped, sizeof(mapped));

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? address + 12 : address, text, PREFIX_TEXT);
	return text;
}

const char *prefix_text(const struct tap_prefix *prefix, char text[PREFIX_TEXT])
{
	const unsigned char *address = (const unsigned char *)prefix->addr;
	unsigned int bits = mask_bits((const unsigned char *)prefix->mask);
	size_t length;

	if (!bits)
		return strcpy(text, "any");
	address_text(address, text);
	length = strlen(text);
	if (bits < 128)
		snprintf(text + length, PREFIX_TEXT - length, "/%u",
			 memcmp(address, mapped, sizeof(mapped)) ? bits : bits - 96);
	return text;
}
