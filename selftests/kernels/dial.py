# SPDX-License-Identifier: GPL-2.0-only
#
# Opens many connections to each of several servers, one after the other without waiting for them
# (unless more are under way than lost segments explain: the machine is slow then), fetches a page on
# each, and says how that went: a line for each server,
#
#   ADDRESS pages N first N median SECONDS p95 SECONDS worst SECONDS
#
# where "first" counts the connections for which the kernel sent its SYN once, by its own account
# (TCP_INFO), and the times are those of connect(). Gives up when the kernel does.
#
#   dial.py COUNT INTERVAL_MS ADDRESS...
import selectors
import socket
import struct
import sys
import time

PORT = 80
RETRANSMISSION = 1.0  # seconds before the kernel's second SYN
UNDER_WAY = 8  # connections begun, and too early for a retransmission
PATIENCE = 600  # seconds after the last connection was begun; the kernel gives up before
TOTAL_RETRANS = 100  # tcpi_total_retrans in struct tcp_info


class Dial:
    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.socket.setblocking(False)
        self.begun = time.monotonic()
        self.connected = None
        self.again = 0  # SYNs sent beyond the first
        self.received = b""
        self.socket.connect_ex((address, PORT))

    def ready(self):
        """Goes on; True at the end, good or bad."""
        try:
            if self.connected is None:
                error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    return True
                self.connected = time.monotonic() - self.begun
                info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TOTAL_RETRANS + 4)
                self.again = struct.unpack_from("=I", info, TOTAL_RETRANS)[0]
                self.socket.send(b"GET / HTTP/1.0\r\n\r\n")
                return False
            data = self.socket.recv(65536)
            self.received += data
            return not data
        except BlockingIOError:
            return False
        except OSError:
            return True

    def has_page(self):
        return self.received.startswith(b"HTTP/1.1 200") and b"the page behind" in self.received


def finish(selector, dial):
    selector.unregister(dial.socket)
    dial.socket.close()


def turn(selector, seconds):
    for key, _ in selector.select(seconds):
        was = key.data.connected
        if key.data.ready():
            finish(selector, key.data)
        elif was is None and key.data.connected is not None:
            selector.modify(key.data.socket, selectors.EVENT_READ, key.data)


def crowded(selector):
    since = time.monotonic() - RETRANSMISSION
    dials = (key.data for key in selector.get_map().values())
    return sum(d.connected is None and d.begun > since for d in dials) >= UNDER_WAY


def report(address, dials):
    times = sorted(d.connected for d in dials if d.has_page())
    first = sum(not d.again for d in dials if d.has_page())
    print(address, "pages", len(times), "first", first, end="")
    for name, share in ("median", 0.5), ("p95", 0.95), ("worst", 1):
        at = min(int(len(times) * share), len(times) - 1)
        print(f" {name} {times[at] if times else -1:.3f}", end="")
    print()


def main():
    count, interval, addresses = int(sys.argv[1]), int(sys.argv[2]) / 1000, sys.argv[3:]
    dials = {address: [] for address in addresses}
    selector = selectors.DefaultSelector()
    due = time.monotonic()
    for i in range(count * len(addresses)):
        while time.monotonic() < due or crowded(selector):
            turn(selector, interval)
        due = time.monotonic() + interval
        dial = Dial(addresses[i % len(addresses)])
        dials[addresses[i % len(addresses)]].append(dial)
        selector.register(dial.socket, selectors.EVENT_WRITE, dial)
    end = time.monotonic() + PATIENCE
    while selector.get_map() and time.monotonic() < end:
        turn(selector, 1)
    for address in addresses:
        report(address, dials[address])


main()
