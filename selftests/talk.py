#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Both ends of a conversation over TCP, for the tests: the client sends bytes of which no two runs are
alike, the server sends them back, the client compares. With the options of TCP that curl cannot
set: multipath, Fast Open, signatures (RFC 2385).

    talk.py serve [OPTION...] PORT
    talk.py send [OPTION...] ADDRESS PORT BYTES

Options: --mptcp; --fastopen; --md5 PEER=SECRET (as server: for connections from PEER); --bind
ADDRESS; --hold SECONDS (keep the connection open that long between two halves); --until FILE (until
there is such a file); --timeout SECONDS.
`send` prints one line of what TCP says of the connection, and ends with 0 if all bytes came back.
"""
import argparse
import os
import socket
import struct
import sys
import threading
import time

TCP_MD5SIG = 14
TCP_FASTOPEN = 23
TCP_INFO_OPTIONS_SYN_DATA = 32  # what was in the SYN was acknowledged
MPTCP_INFO = 1
SOL_MPTCP = 284


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def sign(sock, family, peer, secret):
    """setsockopt(TCP_MD5SIG): struct tcp_md5sig begins with a struct sockaddr_storage."""
    if family == socket.AF_INET6:
        text = peer if ":" in peer else "::ffff:" + peer
        address = struct.pack("=H2xI16s", family, 0, socket.inet_pton(family, text))
    else:
        address = struct.pack("=H2x4s", family, socket.inet_pton(family, peer))
    value = struct.pack("=128sBBHi80s", address, 0, 0, len(secret), 0, secret)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, value)


def make_socket(args, family):
    protocol = 262 if args.mptcp else 0  # IPPROTO_MPTCP
    sock = socket.socket(family, socket.SOCK_STREAM, protocol)
    if args.md5:
        peer, secret = args.md5.split("=")
        sign(sock, family, peer, secret.encode())
    return sock


def answer(sock):
    with sock:
        while data := sock.recv(1 << 16):
            sock.sendall(data)


def serve(args):
    listener = make_socket(args, socket.AF_INET6)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if args.fastopen:
        listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    listener.bind(("::", int(args.words[0])))
    listener.listen(args.backlog)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=answer, args=(sock,), daemon=True).start()


def connect(args, address, port, first):
    family = family_of(address)
    sock = make_socket(args, family)
    limit = struct.pack("ll", int(args.timeout), 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    if args.bind:
        sock.bind((args.bind, 0))
    if args.fastopen:
        return sock, sock.sendto(first, socket.MSG_FASTOPEN, (address, port))
    sock.connect((address, port))
    return sock, 0


def exchange(sock, data, sent=0):
    """Sends the bytes after the first `sent`, and returns what comes back, as many as there are."""
    sender = threading.Thread(target=sock.sendall, args=(data[sent:],))
    sender.start()
    have = bytearray()
    while len(have) < len(data):
        part = sock.recv(1 << 16)
        if not part:
            break
        have += part
    sender.join()
    return have


def describe(args, sock):
    if args.mptcp:
        try:
            info = sock.getsockopt(SOL_MPTCP, MPTCP_INFO, 104)
            return "multipath: %d subflows more" % info[0]
        except OSError:
            return "multipath: fell back to plain TCP"
    options = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5]
    return "data in the SYN: %s" % ("yes" if options & TCP_INFO_OPTIONS_SYN_DATA else "no")


def send(args):
    address, port, size = args.words[0], int(args.words[1]), int(args.words[2])
    data = os.urandom(size)
    half = (size + 1) // 2
    sock, sent = connect(args, address, port, data[: min(half, 500)])
    have = exchange(sock, data[:half], sent)
    time.sleep(args.hold)
    while args.until and not os.path.exists(args.until):
        time.sleep(0.05)
    print(describe(args, sock))
    have += exchange(sock, data[half:])
    if have != data:
        sys.exit("%d bytes came back of %d, or others" % (len(have), size))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["serve", "send"])
    parser.add_argument("words", nargs="+")
    parser.add_argument("--mptcp", action="store_true")
    parser.add_argument("--fastopen", action="store_true")
    parser.add_argument("--md5")
    parser.add_argument("--bind")
    parser.add_argument("--backlog", type=int, default=128)
    parser.add_argument("--hold", type=float, default=0)
    parser.add_argument("--until")
    parser.add_argument("--timeout", type=int, default=60)
    args = parser.parse_args()
    try:
        serve(args) if args.verb == "serve" else send(args)
    except BlockingIOError:
        sys.exit("%s: timed out" % args.verb)
    except OSError as error:
        sys.exit("%s: %s" % (args.verb, error))


main()
