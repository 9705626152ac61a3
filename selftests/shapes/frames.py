# SPDX-License-Identifier: GPL-2.0-only
"""
Shapes that differ below IP: VLAN tags, addresses, EtherTypes; and segments of several packets at once,
as a virtual machine or a container on the same host may send them.
"""
import itertools
import struct

from wire import *


def frame(to, own, packet, tags=()):
    out = to + own
    for kind, tci in tags:
        out += struct.pack("!HH", kind, tci)
    return out + struct.pack("!H", packet[0]) + packet[1]


def ethernet_shapes(to, own):
    """Pairs of a name and a function that makes one SYN's frames from its source port."""
    def tagged(v6, name, tags):
        return ("ipv%d %s" % (6 if v6 else 4, name),
                lambda p: [frame(to, own, ip(v6, tcp(v6, p)), tags)])

    def other(name, ethertype, before=b""):
        return name, lambda p: [frame(to, own, (ethertype, before + ip4(tcp(False, p))[1]))]

    for v6 in (False, True):
        for n, kind, vlan in itertools.product(range(1, 8), (0x8100, 0x88a8, 0x9100), (0, 5)):
            yield tagged(v6, "%d tags %04x of VLAN %d" % (n, kind, vlan), [(kind, vlan)] * n)
        yield tagged(v6, "priority 7", [(0x8100, 0xe000)])
        yield tagged(v6, "mixed tags", [(0x88a8, 0), (0x8100, 0), (0x88a8, 0)])
    for name, mac in (("another", b"\2\0\0\0\0\x99"), ("broadcast", b"\xff" * 6),
                      ("multicast", b"\1\0\x5e\0\0\1")):
        yield ("to %s station" % name,
               lambda p, mac=mac: [frame(mac, own, ip4(tcp(False, p)))])
    for ethertype in (0x0001, 0x0028, 0x05ff, 0x0600, 0x0806, 0x86dd, 0x8847, 0x88e5, 0x894f):
        yield other("ipv4 as EtherType %04x" % ethertype, ethertype)
    yield "ipv6 as ipv4", lambda p: [frame(to, own, (ETH_IPV4, ip6(tcp(True, p))[1]))]
    yield other("ipv4 in SNAP", 68, b"\xaa\xaa\3\0\0\0\x08\0")
    yield other("ipv4 in PPPoE", 0x8864, b"\x11\0\0\1\0\x3e\0\x21")
    yield other("ipv4 in MPLS", 0x8847, b"\0\1\1\x40")


# struct virtio_net_hdr: what goes with a frame to the kernel.
PLAIN = bytes(10)
LARGE_SEGMENT = 100


def virtio_header(v6, ip_at):
    """This is TCP, to be cut into pieces of 100 bytes, with an unfinished checksum."""
    tcp_at = ip_at + (40 if v6 else 20)
    return struct.pack("=BBHHHH", 1, 4 if v6 else 1, tcp_at + 40, LARGE_SEGMENT, tcp_at, 16)


def large_shapes(to=None, own=None):
    """The same, with a virtio header before each frame (or IP packet, with no addresses)."""
    for v6, zero in itertools.product((False, True), (False, True)):
        def make(p, v6=v6, zero=zero):
            segment = tcp(v6, p, payload=b"x" * 400)
            if v6:
                packet = ip6(segment, length=0 if zero else None)
            else:
                packet = ip4(segment, total=0 if zero else None)
            if to is None:
                return [virtio_header(v6, 0) + packet[1]]
            return [virtio_header(v6, 14) + frame(to, own, packet)]
        yield "ipv%d large%s" % (6 if v6 else 4, ", length 0" if zero else ""), make
