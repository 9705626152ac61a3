# SPDX-License-Identifier: GPL-2.0-only
"""
docs/protocol.md as a program, section by section, with nothing but the standard library and no code
of the project's. The programs beside this file use it to check the document's example, and that what
the document says makes and reads every group of selftests/vectors. Section names below are those of
the document.
"""
import hashlib
import ipaddress
import itertools
import struct

WORD = (1 << 64) - 1
CLASSIC, VEILED = 0, 1
ENCODINGS = {"classic": CLASSIC, "veiled": VEILED}
FLAG_D, FLAG_A = 1, 2
KNOWN_FLAGS = FLAG_D | FLAG_A
TAGS = 4  # at most so many tags are computed for a group
COMMON_WINDOWS = (1024, 2048, 3072, 4096, 5840, 8192, 14600, 16384, 26883, 28960, 29200, 32120, 42340,
		  43690, 62727, 64240, 64800, 65160, 65535)
# Reasons up to the tag, from the one that got least far to the one that got furthest.
STEPS = "unreadable", "version", "skew", "unknown_key", "key_inactive", "acl", "tag"
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def rotate(word, bits):
	return (word << bits | word >> (64 - bits)) & WORD


def siphash(key, message):
	"""SipHash-2-4 with 64 bits of output, as an integer."""
	k0, k1 = struct.unpack("<QQ", key)
	v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
	     k1 ^ 0x7465646279746573]

	def rounds(n):
		for _ in range(n):
			v[0] = (v[0] + v[1]) & WORD
			v[1] = rotate(v[1], 13) ^ v[0]
			v[0] = rotate(v[0], 32)
			v[2] = (v[2] + v[3]) & WORD
			v[3] = rotate(v[3], 16) ^ v[2]
			v[0] = (v[0] + v[3]) & WORD
			v[3] = rotate(v[3], 21) ^ v[0]
			v[2] = (v[2] + v[1]) & WORD
			v[1] = rotate(v[1], 17) ^ v[2]
			v[2] = rotate(v[2], 32)

	padded = message + bytes(-(len(message) + 1) % 8) + bytes([len(message) & 0xff])
	for (word,) in struct.iter_unpack("<Q", padded):
		v[3] ^= word
		rounds(2)
		v[0] ^= word
	v[2] ^= 0xff
	rounds(4)
	return v[0] ^ v[1] ^ v[2] ^ v[3]


# --- Keys ---------------------------------------------------------------------------------------


def derive(key, label, realm_id):
	return hashlib.blake2b(label + realm_id, key=key, digest_size=16).digest()


def k_tag(user_key, realm_id):
	return derive(user_key, b"TAP3 tag", realm_id)


def k_veil(secret, realm_id):
	return derive(secret, b"TAP3 veil", realm_id)


def k_mark(secret, realm_id):
	return derive(secret, b"TAP3 mark", realm_id)


def split_realm_key(realm_key):
	"""The realm's ID and secret."""
	return realm_key[:16], realm_key[16:]


# --- Marks --------------------------------------------------------------------------------------


def is_mark(mark_key, window):
	return window >= 1024 and siphash(mark_key, struct.pack(">H", window)) % 64 == 0


# --- The tag ------------------------------------------------------------------------------------


def address_bytes(address):
	"""The 16 bytes that stand for an address."""
	address = ipaddress.ip_address(address)
	if address.version == 4:
		return bytes(10) + b"\xff\xff" + address.packed
	return address.packed


def destination_bytes(address):
	address = ipaddress.ip_address(address)
	if address.version == 6 and address in NAT64:
		address = ipaddress.IPv4Address(address.packed[12:])
	return address_bytes(address)


def message(isn, sec, key_id, frac, flags, port, encoding, dst=None, src=None):
	m = struct.pack(">IIHBBHBB", isn, sec, key_id, frac, flags, port, 3, encoding)
	if flags & FLAG_D:
		m += destination_bytes(dst)
	if flags & FLAG_A:
		m += address_bytes(src)
	return m


# --- The four SYNs ------------------------------------------------------------------------------


def veil(veil_key, isn, field3):
	return siphash(veil_key, struct.pack(">II", isn, field3))


def encode(encoding, veil_key, tag, isn, sec, frac, key_id, flags):
	"""The sequence numbers of SYN0, SYN1, SYN2 and SYN3."""
	if encoding == CLASSIC:
		return (isn, 0b101 << 29 | flags << 24 | frac << 16 | key_id, 0b100 << 29 | sec & (1 << 29) - 1,
			0b11 << 30 | tag & (1 << 30) - 1)
	field3 = tag & 0xffffffff
	mask = veil(veil_key, isn, field3)
	plain1 = key_id << 16 | frac << 12 | tag >> 32 & 0xfff
	plain2 = (sec & 0xffff) << 16 | (tag >> 44 & 0xfff) << 4 | flags
	return isn, mask & 0xffffffff ^ plain1, mask >> 32 ^ plain2, field3


# --- Reading a group ----------------------------------------------------------------------------


def offset(field, now, bits):
	"""How far the time of a group is ahead of now, in seconds."""
	difference = (field - now) % (1 << bits)
	return difference - (1 << bits) if difference >> (bits - 1) else difference


class Reading:
	"""What one assignment of the four sequence numbers, under one realm secret, says."""

	def __init__(self, encoding, isn, field1, field2, field3, veil_key):
		self.isn = isn
		self.fits_type = True
		if encoding == CLASSIC:
			self.fits_type = field1 >> 29 == 0b101 and field2 >> 29 == 0b100 and field3 >> 30 == 0b11
			self.flags, self.frac = field1 >> 24 & 0x1f, field1 >> 16 & 0xff
			self.key_id, self.time, self.bits = field1 & 0xffff, field2 & (1 << 29) - 1, 29
			self.tag, self.tag_bits = field3 & (1 << 30) - 1, 30
			return
		mask = veil(veil_key, isn, field3)
		plain1, plain2 = field1 ^ mask & 0xffffffff, field2 ^ mask >> 32
		self.key_id, self.frac = plain1 >> 16, plain1 >> 12 & 0xf
		self.time, self.bits, self.flags = plain2 >> 16, 16, plain2 & 0xf
		self.tag = (plain2 >> 4 & 0xfff) << 44 | (plain1 & 0xfff) << 32 | field3
		self.tag_bits = 56


def orders():
	"""Indices of SYN0, SYN1, SYN2, SYN3 among the four as they came: the order of arrival first."""
	yield 3, 0, 1, 2
	for order in itertools.permutations(range(4)):
		if order != (3, 0, 1, 2):
			yield order


def decode(encoding, veil_keys, keys, now, skew, port, seqs, dst=None, src=None):
	"""
	(index of SYN0, key ID, SEC) when a tag is right, else (reason,). keys: for each key ID the one
	or two tag keys that are taken for it. All of them are active and allowed.
	"""
	best, tags, hint = "unreadable", 0, False

	def got_to(step):
		nonlocal best
		best = max(best, step, key=STEPS.index)

	for order in orders():
		isn, *fields = (seqs[i] for i in order)
		for veil_key in veil_keys if encoding == VEILED else [None]:
			r = Reading(encoding, isn, *fields, veil_key)
			if not r.fits_type:
				continue
			if r.flags & ~KNOWN_FLAGS:
				if encoding == CLASSIC:
					got_to("version")
				continue
			ahead = offset(r.time, now, r.bits)
			if abs(ahead) > skew:
				if encoding == CLASSIC:
					got_to("skew")
				elif r.key_id in keys:
					hint = True
				continue
			if r.key_id not in keys:
				got_to("unknown_key")
				continue
			sec = (now + ahead) % (1 << 32)
			m = message(isn, sec, r.key_id, r.frac, r.flags, port, encoding, dst, src)
			for tag_key in keys[r.key_id]:
				if tags == TAGS:
					break
				tags += 1
				got_to("tag")
				if siphash(tag_key, m) & (1 << r.tag_bits) - 1 == r.tag:
					return order[0], r.key_id, sec
	if best == "unreadable" and hint:
		best = "skew"
	return (best,)
