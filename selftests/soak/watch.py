# SPDX-License-Identifier: GPL-2.0-only
"""Watches the wire: a tcpdump in a namespace, whose SYNs and SYN-ACKs are handed on one by one."""
import ipaddress
import os
import socket
import struct
import subprocess
import threading

import lab
from model import SPARE

# A flood at a port that is open just then would be too much, and says nothing.
FILTER = ("(tcp[tcpflags] & (tcp-syn|tcp-rst|tcp-fin) == tcp-syn or (ip6[6] == 6 and ip6[53] & 7 == 2)) "
          "and not ((net 10.0.0.0/8 or ip6 net 2001:db8:f::/96) and "
          f"({' or '.join(f'port {port}' for port in SPARE)}))")
LINUX_SLL2 = 276
OUTGOING = 4
MARKER = ("127.0.0.1", 7)  # where a watch sends SYNs of its own
PATIENCE = 120  # s
MOCK_ETHERNET = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01"


class Segment:
    """A SYN or SYN-ACK as it was seen."""

    def __init__(self, frame, when):
        protocol, outgoing = struct.unpack_from("!H", frame)[0], frame[10] == OUTGOING
        packet = frame[20:]
        self.outgoing = outgoing
        self.when = when  # Unix time
        self.packet = MOCK_ETHERNET + struct.pack("!H", protocol) + packet
        if protocol == 0x0800:
            self.family, at = 4, (packet[0] & 15) * 4
            self.src, self.dst = (str(ipaddress.ip_address(packet[i:i + 4])) for i in (12, 16))
        else:
            self.family, at = 6, 40
            self.src, self.dst = (str(ipaddress.ip_address(packet[i:i + 16])) for i in (8, 24))
        self.sport, self.dport, self.seq = struct.unpack_from("!HHI", packet, at)
        self.ack = bool(packet[at + 13] & 16)
        self.window = struct.unpack_from("!H", packet, at + 14)[0]
        self.tsval = timestamp(packet[at + 20:at + (packet[at + 12] >> 4) * 4])


def timestamp(options):
    at = 0
    while at + 1 < len(options) and options[at]:
        if options[at] == 8:
            return struct.unpack_from("!I", options, at + 2)[0]
        at += options[at + 1] if options[at] != 1 else 1
    return 0


class Watch:
    """Calls see(segment) for each from now on."""

    def __init__(self, name, report, see):
        self.report = report
        self.see = see
        self.name = name
        self.markers, self.marked = set(), threading.Condition()
        argv = lab.inside(name, "tcpdump", "-Z", "root", "-n", "-i", "any", "-y", "LINUX_SLL2", "-U",
                          "--immediate-mode", "-B", "16384", "-s", "160", "-w", "-", FILTER)
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        start_new_session=True)
        os.set_blocking(self.process.stderr.fileno(), True)
        if b"listening" not in self.process.stderr.readline() + self.process.stderr.readline():
            raise RuntimeError(f"tcpdump does not start in {name}")
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        pipe = self.process.stdout
        header = pipe.read(24)
        if len(header) < 24 or struct.unpack_from("<I", header, 20)[0] != LINUX_SLL2:
            return
        while len(record := pipe.read(16)) == 16:
            seconds, micros, bytes_, _ = struct.unpack("<IIII", record)
            frame = pipe.read(bytes_)
            try:
                segment = Segment(frame, seconds + micros / 1e6)
                if (segment.dst, segment.dport) == MARKER:
                    self._marker(segment.sport)
                else:
                    self.see(segment)
            except Exception as error:
                self.report.violated(f"the soak itself: watch {self.name}: {error!r}")

    def _marker(self, port):
        with self.marked:
            self.markers.add(port)
            self.marked.notify_all()

    def catch_up(self):
        """Waits until all that was sent before this call has been seen: a SYN sent now has been."""
        ports = []

        def send():
            lab.enter(self.name)
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
                sock.bind(("127.0.0.1", 0))
                ports.append(sock.getsockname()[1])
                with self.marked:
                    self.markers.discard(ports[0])
                sock.setblocking(False)
                sock.connect_ex(MARKER)
        sender = threading.Thread(target=send)
        sender.start()
        sender.join()
        with self.marked:
            if not self.marked.wait_for(lambda: ports[0] in self.markers, PATIENCE):
                self.report.violated(f"the soak itself: the watch {self.name} does not see its own SYN")

    def end(self):
        """How many frames were lost to us."""
        self.process.terminate()
        self.thread.join(5)
        words = self.process.stderr.read().decode()
        self.process.wait()
        return next((int(line.split()[0]) for line in words.splitlines()
                     if "dropped by kernel" in line), 0)
