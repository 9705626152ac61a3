# SPDX-License-Identifier: GPL-2.0-only
"""
Tells whether windows that strangers send are marks of a realm (docs/protocol.md, "The four SYNs"): one
in 64 is, and such SYNs are collected, which a test that counts segments must not come upon by chance.

    marks.py REALM-KEY-FILE    exit status 3: one of them is
"""
import base64
import pathlib
import sys

sys.dont_write_bytecode = True  # leave nothing in the source tree
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "docs"))
import wire

NMAP = 1024, 2048, 3072, 4096
# Linux's window is as many whole segments as 64 KiB hold: Ethernet's, the loopback's, and tunnels'.
MTUS = 1500, 65536, 1480, 1476, 1472, 1460, 1450, 1440, 1420, 1400, 1280, 576, 9000
HEADERS = 40, 60  # of IPv4 and IPv6, with TCP's
LINUX = [65535 // (mtu - h) * (mtu - h) if mtu < 65536 else mtu - h - 13 for mtu in MTUS for h in HEADERS]

with open(sys.argv[1], encoding="ascii") as file:
	realm_id, secret = wire.split_realm_key(base64.b64decode(file.read()))
mark_key = wire.k_mark(secret, realm_id)
sys.exit(3 if any(wire.is_mark(mark_key, window) for window in (*NMAP, *LINUX, 65535)) else 0)
