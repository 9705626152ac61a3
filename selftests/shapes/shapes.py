# SPDX-License-Identifier: GPL-2.0-only
"""
Every odd shape that a stranger may give his SYN: pairs of a name and a function that makes the IP
packets of one SYN from its source port.
"""
import itertools
import socket
import struct

from wire import *


def one(name, make):
    """A shape of a single packet."""
    return name, lambda sport: [make(sport)]


def tcp_shapes(v6):
    def shape(name, **fields):
        return one(("ipv6 " if v6 else "ipv4 ") + name, lambda p: ip(v6, tcp(v6, p, **fields)))

    yield shape("plain")
    for flags in range(256):
        yield shape("flags %02x" % flags, flags=flags)
    for reserved in range(16):
        yield shape("reserved %d" % reserved, reserved=reserved)
    for doff in range(16):
        yield shape("doff %d" % doff, doff=doff)
        yield shape("doff %d of 60 bytes" % doff, doff=doff, options=LINUX_OPTIONS + b"\1" * 20)
    for name, options in (
            ("none", b""), ("40 NOPs", b"\1" * 40), ("end first", b"\0" + LINUX_OPTIONS[1:]),
            ("one behind the end", b"\0\1\1\1" + LINUX_OPTIONS), ("length 0", b"\2\0\1\1"),
            ("length 1", b"\2\1\1\1"), ("overrun", b"\3\xff\1\1"), ("cut short", b"\1\1\1\x08"),
            ("two timestamps", LINUX_OPTIONS[4:16] * 2), ("MD5", b"\x13\x12" + b"a" * 16 + b"\1\1"),
            ("timestamp of 9 bytes", b"\x08\x09" + b"\1" * 10),
            ("timestamp at an odd byte", b"\1" + LINUX_OPTIONS[6:16] + b"\1"),
            ("AO", b"\x1d\x10" + b"a" * 14), ("fast open request", b"\x22\2\1\1"),
            ("fast open cookie", b"\x22\x0a12345678\1\1"), ("unknown", b"\xfd\4\1\1"),
            ("MPTCP", b"\x1e\x0c\0\x81" + b"k" * 8)):
        yield shape("options: " + name, options=options)
    for n in (1, 18, 1300):
        yield shape("%d bytes of payload" % n, payload=b"x" * n)
    yield shape("window 0", window=0)
    yield shape("urgent pointer", urgent=9, flags=SYN | 32)
    yield shape("acknowledgement number", ack=12345)
    yield shape("wrong checksum", wrong=1)
    for cut in range(41):
        yield one("%s cut to %d" % ("ipv6" if v6 else "ipv4", cut),
                  lambda p, cut=cut: ip(v6, tcp(v6, p)[:cut]))


def ipv4_shapes():
    def shape(name, **fields):
        return one("ipv4 " + name, lambda p: ip4(tcp(False, p), **fields))

    for n in range(16):
        yield shape("ihl %d" % n, ihl=n)
        yield shape("version %d" % n, version=n)
    for words in range(1, 11):
        yield shape("%d words of no operation" % words, options=b"\1" * 4 * words)
        yield shape("%d words of end" % words, options=b"\0" * 4 * words)
    for name, options in (
            ("record route", b"\7\x0b\4" + b"\0" * 9), ("timestamp", b"\x44\x08\5\0" + b"\0" * 4),
            ("router alert", b"\x94\4\0\0"), ("stream", b"\x88\4\0\1"), ("unknown", b"\xde\4\0\0"),
            ("security", b"\x82\x0b" + b"\0" * 10), ("length 0", b"\x94\0\0\0"),
            ("overrun", b"\x94\x28\0\0"), ("loose route, done", b"\x83\7\x08" + SERVER4 + b"\0"),
            ("loose route", b"\x83\7\4" + SERVER4 + b"\0"),
            ("strict route", b"\x89\7\4" + SERVER4 + b"\0")):
        yield shape("option: " + name, options=options)
    for total in (0, 1, 19, 20, 21, 39, 40, 59, 61, 1500, 65535):
        yield shape("total length %d" % total, total=total)
    for name, bits in (("don't fragment", 0x4000), ("evil bit", 0x8000), ("more fragments", 0x2000),
                       ("last fragment offset", 0x1fff)):
        yield shape(name, fragment=bits)
    for ttl in (0, 1, 255):
        yield shape("ttl %d" % ttl, ttl=ttl)
    yield shape("ECN", tos=3)
    yield shape("wrong header checksum", wrong=1)
    for protocol in (0, 1, 4, 17, 41, 47, 50, 51, 108, 132, 255):
        yield shape("protocol %d" % protocol, protocol=protocol)
    yield one("ipv4 in ipv4", lambda p: ip4(ip4(tcp(False, p))[1], protocol=IPIP))
    yield one("ipv6 in ipv4", lambda p: ip4(ip6(tcp(True, p))[1], protocol=IPV6))
    yield one("ipv4 in GRE", lambda p: ip4(b"\0\0\x08\0" + ip4(tcp(False, p))[1], protocol=47))


def address_shapes():
    for v6, src, dst in [(False, a, "10.9.0.1") for a in (
            "0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1",
            "10.9.0.1", "10.9.0.255", "10.9.0.0")] + [(False, "10.9.0.2", a) for a in (
            "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "10.9.0.255")] + [
            (True, a, "fd09::1") for a in ("::", "::1", "ff02::1", "fd09::1", "::ffff:10.9.0.2")] + [
            (True, "fd09::2", a) for a in ("::", "::1", "ff02::1", "::ffff:10.9.0.1")]:
        a, b = (socket.inet_pton(socket.AF_INET6 if v6 else socket.AF_INET, x) for x in (src, dst))
        yield one("from %s to %s" % (src, dst),
                  lambda p, v6=v6, a=a, b=b: (ip6 if v6 else ip4)(tcp(v6, p, src=a, dst=b), src=a, dst=b))


def trailer_shapes():
    for v6, n in itertools.product((False, True), (1, 6, 18, 100, 1000)):
        def make(p, v6=v6, n=n):
            kind, packet = ip(v6, tcp(v6, p))
            return kind, packet + b"\xaa" * n
        yield one("ipv%d trailer of %d" % (6 if v6 else 4, n), make)


# --- Fragments: parts are (offset, bytes, whether more come) ---


def fragments(v6, ident, parts):
    if v6:
        return [ip6(fragment6(TCP, offset, more, ident) + data, FRAGMENT)
                for offset, data, more in parts]
    return [ip4(data, fragment=offset // 8 | more << 13, ident=ident) for offset, data, more in parts]


def cut(segment, *places):
    places = [0] + list(places) + [len(segment)]
    return [(a, segment[a:b], int(b < len(segment))) for a, b in zip(places, places[1:])]


def fragment_shapes(v6):
    name = "ipv6 " if v6 else "ipv4 "

    def shape(what, make):
        return name + what, lambda p: fragments(v6, p, make(p))

    def overlapping(p, at):
        """An ACK in the first fragment, and in later ones a SYN that overwrites it."""
        syn, ack = (tcp(v6, p, flags=flags, payload=b"x" * 40) for flags in (SYN, ACK))
        return [(0, ack[:48], 1), (at, syn[at:48], 1), (48, syn[48:], 0)]

    for at in range(8, 40, 8):
        yield shape("cut at %d" % at, lambda p, at=at: cut(tcp(v6, p), at))
        yield shape("cut at %d backwards" % at, lambda p, at=at: cut(tcp(v6, p), at)[::-1])
        yield shape("cut at %d, each twice" % at,
                    lambda p, at=at: [x for x in cut(tcp(v6, p), at) for _ in range(2)])
    for n in (64, 1000):
        yield shape("cut behind the header, payload of %d" % n,
                    lambda p, n=n: cut(tcp(v6, p, payload=b"x" * n), 48))
    yield shape("in eights", lambda p: cut(tcp(v6, p), 8, 16, 24, 32))
    yield shape("in eights backwards", lambda p: cut(tcp(v6, p), 8, 16, 24, 32)[::-1])
    for at in (0, 8):
        yield shape("overlap at %d" % at, lambda p, at=at: overlapping(p, at))
        yield shape("overlap at %d backwards" % at, lambda p, at=at: overlapping(p, at)[::-1])
    yield shape("first fragment alone", lambda p: cut(tcp(v6, p), 32)[:1])
    yield shape("atomic", lambda p: cut(tcp(v6, p)))


def fragment6_shapes():
    """Fragment headers among other extension headers."""
    def halves(ident, data, at, first, later, before=b"", kind=FRAGMENT):
        return [ip6(before + fragment6(first, 0, 1, ident) + data[:at], kind),
                ip6(before + fragment6(later, at, 0, ident) + data[at:], kind)]

    for first, later in itertools.product((TCP, DSTOPTS), (TCP, UDP, NONE, DSTOPTS)):
        before = extension(DSTOPTS, TCP) if first == DSTOPTS else b""
        # What a later fragment says about the next header counts for nothing.
        for name, step in (("", 1), (" backwards", -1)):
            yield ("ipv6 fragment of %d says %d%s" % (first, later, name),
                   lambda p, f=first, l=later, b=before, step=step:
                   halves(p, b + tcp(True, p), 8, f, l)[::step])
            yield ("ipv6 later fragment of %d says %d%s" % (first, later, name),
                   lambda p, f=first, l=later, b=before, step=step:
                   halves(p, b + tcp(True, p), 32, f, l)[::step])
    yield ("ipv6 fragments behind hop-by-hop options", lambda p:
           halves(p, tcp(True, p), 24, TCP, TCP, extension(HBH, FRAGMENT), HBH))
    yield ("ipv6 fragment header in fragments", lambda p:
           halves(p, fragment6(TCP, 0, 0, p) + tcp(True, p), 24, FRAGMENT, FRAGMENT))
    yield ("ipv6 fragments behind an atomic header", lambda p:
           halves(p, tcp(True, p), 24, TCP, TCP, fragment6(FRAGMENT, 0, 0, p)))
    for size in (48, 512, 1024):
        yield ("ipv6 header in the second fragment behind %d" % size, lambda p, n=size:
               halves(p, extension(DSTOPTS, TCP, n) + tcp(True, p), n, DSTOPTS, DSTOPTS))


# --- IPv6 ---


def ipv6_shapes():
    def shape(name, kinds, size=8):
        return one("ipv6 " + name, lambda p: chain(kinds, tcp(True, p), size))

    def header(name, kind, data):
        return one("ipv6 " + name, lambda p: ip6(data + tcp(True, p), kind))

    for version in range(16):
        yield one("ipv6 version %d" % version, lambda p, n=version: ip6(tcp(True, p), version=n))
    for length in (0, 1, 19, 20, 39, 41, 1000, 65535):
        yield one("ipv6 payload length %d" % length, lambda p, n=length: ip6(tcp(True, p), length=n))
    names = {HBH: "hop", DSTOPTS: "dst", ROUTING: "route", FRAGMENT: "frag"}
    for n in range(1, 4):
        for kinds in itertools.product(names, repeat=n):
            yield shape(" ".join(names[kind] for kind in kinds), kinds)
    for n in range(1, 21):
        yield shape("%d times dst" % n, [DSTOPTS] * n)
        yield shape("hop and %d times dst" % n, [HBH] + [DSTOPTS] * n)
    for size in (16, 48, 264, 1032):
        yield shape("dst of %d" % size, [DSTOPTS], size)
        yield shape("hop of %d" % size, [HBH], size)
    for n in (1, 2, 10, 255):
        yield header("dst that says %d" % n, DSTOPTS, extension(DSTOPTS, TCP, length=n))
    for kind, left in itertools.product(range(7), range(3)):
        yield header("routing type %d, %d left" % (kind, left), ROUTING,
                     extension(ROUTING, TCP, 24, bytes([kind, left, 0, 0, 0, 0]) + SERVER6))
    for kind in (IPIP, UDP, IPV6, 50, 51, 58, NONE, 108, 132, 135, 139, 140, 253, 254):
        yield header("behind header %d" % kind, kind, extension(kind, TCP))
    yield one("ipv6 in ipv6", lambda p: ip6(ip6(tcp(True, p))[1], IPV6))
    yield one("ipv4 in ipv6", lambda p: ip6(ip4(tcp(False, p))[1], IPIP))
    yield one("ipv6 hop, payload length 0",
              lambda p: ip6(extension(HBH, TCP) + tcp(True, p), HBH, length=0))
    for n in (48, 65535, 65536, 70000):
        option = b"\xc2\4" + struct.pack("!I", n)
        yield one("ipv6 jumbogram of %d" % n, lambda p, o=option:
                  ip6(extension(HBH, TCP, 8, o) + tcp(True, p), HBH, length=0))


def ip_shapes():
    """All that can be told without an Ethernet header."""
    for v6 in (False, True):
        yield from tcp_shapes(v6)
        yield from fragment_shapes(v6)
    yield from ipv4_shapes()
    yield from address_shapes()
    yield from trailer_shapes()
    yield from fragment6_shapes()
    yield from ipv6_shapes()


def route_shapes():
    """To the server's plain address, and by a source route on to its other one."""
    def route4(p, kind):
        return ip4(tcp(False, p, dst=OTHER4), options=bytes([kind, 7, 4]) + OTHER4 + b"\0")

    def route6(p, kind, segments):
        header = bytes([TCP, 2 * len(segments), kind, 1, len(segments) - 1, 0, 0, 0])
        return ip6(header + b"".join(segments) + tcp(True, p, dst=OTHER6), ROUTING)

    yield one("ipv4 to the other", lambda p: ip4(tcp(False, p, dst=OTHER4), dst=OTHER4))
    yield one("ipv6 to the other", lambda p: ip6(tcp(True, p, dst=OTHER6), dst=OTHER6))
    yield one("ipv4 loose route", lambda p: route4(p, 131))
    yield one("ipv4 strict route", lambda p: route4(p, 137))
    yield one("ipv6 segment route", lambda p: route6(p, 4, [OTHER6, SERVER6]))
    yield one("ipv6 rpl route", lambda p:
              ip6(extension(ROUTING, TCP, 24, b"\3\1\0\0\0\0" + OTHER6) +
                  tcp(True, p, dst=OTHER6), ROUTING))


def jumbo_shapes():
    """Over 1500 bytes: the frame is in several buffers, and the TCP header maybe not in the first."""
    for v6 in (False, True):
        for n in (2000, 4000, 8000):
            yield one("ipv%d %d bytes of payload" % (6 if v6 else 4, n),
                      lambda p, v6=v6, n=n: ip(v6, tcp(v6, p, payload=b"x" * n)))
    for n in range(1, 5):
        yield one("ipv6 %d times dst of 2048" % n,
                  lambda p, n=n: chain([DSTOPTS] * n, tcp(True, p), 2048))
    yield one("ipv6 4 times dst of 2048, payload",
              lambda p: chain([DSTOPTS] * 4, tcp(True, p, payload=b"x" * 400), 2048))
