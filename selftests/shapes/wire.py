# SPDX-License-Identifier: GPL-2.0-only
"""
Packets byte by byte, right unless they are asked to be wrong. An IP packet is a pair: EtherType, bytes.
"""
import socket
import struct

CLIENT4, SERVER4 = socket.inet_aton("10.9.0.2"), socket.inet_aton("10.9.0.1")
CLIENT6 = socket.inet_pton(socket.AF_INET6, "fd09::2")
SERVER6 = socket.inet_pton(socket.AF_INET6, "fd09::1")
# A second address of the server, that only a rule with --dst names.
OTHER4 = socket.inet_aton("10.9.9.1")
OTHER6 = socket.inet_pton(socket.AF_INET6, "fd99::1")

FIN, SYN, RST, ACK = 1, 2, 4, 16
HBH, IPIP, TCP, UDP, IPV6, ROUTING, FRAGMENT, NONE, DSTOPTS = 0, 4, 6, 17, 41, 43, 44, 59, 60
ETH_IPV4, ETH_IPV6 = 0x0800, 0x86dd
# MSS, SACK permitted, timestamps, window scale: what Linux sends.
LINUX_OPTIONS = bytes.fromhex("020405b40402080a112233440000000001030307")


class Wire:
    """What all packets of a run have in common."""
    port = 80


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def tcp(v6, sport, flags=SYN, options=LINUX_OPTIONS, payload=b"", doff=None, reserved=0, ack=0,
        window=64240, urgent=0, wrong=0, src=None, dst=None):
    """A segment, a SYN unless flags say otherwise."""
    src = src or (CLIENT6 if v6 else CLIENT4)
    dst = dst or (SERVER6 if v6 else SERVER4)
    if doff is None:
        doff = 5 + len(options) // 4
    segment = struct.pack("!HHIIBBHHH", sport, Wire.port, 1000, ack, doff << 4 | reserved, flags,
                          window, 0, urgent) + options + payload
    pseudo = src + dst + struct.pack("!II", len(segment), TCP)
    value = (checksum(pseudo + segment) + wrong) & 0xffff
    return segment[:16] + struct.pack("!H", value) + segment[18:]


def ip4(data, src=CLIENT4, dst=SERVER4, options=b"", fragment=0, total=None, ihl=None, version=4,
        ttl=64, protocol=TCP, ident=1, tos=0, wrong=0):
    header = 20 + len(options)
    ihl = header // 4 if ihl is None else ihl
    total = header + len(data) if total is None else total
    packet = struct.pack("!BBHHHBBH4s4s", version << 4 | ihl, tos, total, ident, fragment, ttl,
                         protocol, 0, src, dst) + options + data
    value = (checksum(packet[:ihl * 4]) + wrong) & 0xffff
    return ETH_IPV4, packet[:10] + struct.pack("!H", value) + packet[12:]


def ip6(data, first=TCP, src=CLIENT6, dst=SERVER6, length=None, version=6):
    length = len(data) if length is None else length
    return ETH_IPV6, struct.pack("!IHBB", version << 28, length, first, 64) + src + dst + data


def ip(v6, segment):
    return ip6(segment) if v6 else ip4(segment)


def extension(kind, following, size=8, content=None, length=None):
    """An extension header of `size` bytes. Hop-by-hop and destination options are of a kind to skip."""
    if content is None:
        content = b"\0" * (size - 2)
        if kind in (HBH, DSTOPTS):
            content = b""
            while size - 2 - len(content):
                n = min(size - 2 - len(content), 257)
                content += b"\0" if n == 1 else bytes([0x1e, n - 2]) + b"\0" * (n - 2)
    return bytes([following, size // 8 - 1 if length is None else length]) + content


def fragment6(following, offset, more, ident):
    return struct.pack("!BBHI", following, 0, offset | more, ident)


def chain(kinds, segment, size=8):
    """IPv6 with these extension headers before the segment; fragment headers are atomic."""
    data = b""
    for kind, following in zip(kinds, list(kinds[1:]) + [TCP]):
        if kind == FRAGMENT:
            data += fragment6(following, 0, 0, 1)
        else:
            data += extension(kind, following, size)
    return ip6(data + segment, kinds[0])
