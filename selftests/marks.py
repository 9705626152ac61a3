# SPDX-License-Identifier: GPL-2.0-only
"""
Tells whether windows that strangers send are marks of a realm (docs/protocol.md, "The four SYNs"): one
in 64 is, and such SYNs are collected, which a test that counts segments must not come upon by chance.

    marks.py REALM-KEY-FILE    exit status 3: one of them is
"""
import base64
import hashlib
import struct
import sys

WORD = (1 << 64) - 1
NMAP = 1024, 2048, 3072, 4096
# Linux's window is as many whole segments as 64 KiB hold: Ethernet's, the loopback's, and tunnels'.
MTUS = 1500, 65536, 1480, 1476, 1472, 1460, 1450, 1440, 1420, 1400, 1280, 576, 9000
HEADERS = 40, 60  # of IPv4 and IPv6, with TCP's
LINUX = [65535 // (mtu - h) * (mtu - h) if mtu < 65536 else mtu - h - 13 for mtu in MTUS for h in HEADERS]


def rotate(word, bits):
	return (word << bits | word >> (64 - bits)) & WORD


def siphash(key, message):
	"""SipHash-2-4 of fewer than eight bytes."""
	k0, k1 = struct.unpack("<QQ", key)
	v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

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

	last = int.from_bytes(message, "little") | len(message) << 56
	v[3] ^= last
	rounds(2)
	v[0] ^= last
	v[2] ^= 0xff
	rounds(4)
	return v[0] ^ v[1] ^ v[2] ^ v[3]


with open(sys.argv[1], encoding="ascii") as file:
	realm = base64.b64decode(file.read())
mark_key = hashlib.blake2b(b"TAP3 mark" + realm[:16], key=realm[16:], digest_size=16).digest()
marks = [w for w in (*NMAP, *LINUX, 65535) if siphash(mark_key, struct.pack(">H", w)) % 64 == 0]
sys.exit(3 if marks else 0)
