# SPDX-License-Identifier: GPL-2.0-only
"""What ought to be so: the settings that tapctl was told, and who may get in by them.

While a command runs, or after it was killed, more than one state is possible: the model keeps all
of them (worlds). What all of them say is certain and is what the program is held to; where they
differ nothing is expected. What is expected is kept over time, because a connection attempt lasts.
"""
import copy
import dataclasses
import ipaddress
import threading
import time

import lab

CORE = (22, 80, 9000)  # protected all the time
SPARE = (8080, 9001)  # protected or not
CLIENTS = ("teleworker", "colleague", "roamer")
STRANGERS = ("lodger", "attacker")
# As the server sees them.
ADDRESS = {
    "teleworker": {4: "198.51.100.2", 6: "2001:db8:7::2"},
    "colleague": {4: "198.51.100.2", 6: "2001:db8:9::2"},
    "roamer": {4: "100.64.20.2", 6: "2001:db8:20::2"},
    "lodger": {4: "198.51.100.2", 6: "2001:db8:10::2"},
    "attacker": {4: "203.0.113.66", 6: "2001:db8:66::66"},
}
REVOKED = "revoked"
ALL_KEYS = (1 << 65536) - 2
SLACK = 1.5  # s: how exactly it is known when a key or its overlap ends


@dataclasses.dataclass(frozen=True)
class Rule:
    lo: int
    hi: int
    action: str = "tap"
    keys: int | None = None  # a bit for each; None: any
    reject: str = "drop"
    stealth: bool = False
    dst: str | None = None
    src: str | None = None

    def holds(self, src, dst, port):
        return self.lo <= port <= self.hi and self._in(self.src, src) and self._in(self.dst, dst)

    @staticmethod
    def _in(prefix, address):
        return prefix is None or ipaddress.ip_address(address) in ipaddress.ip_network(prefix)

    def allows(self, key_id):
        return self.keys is None or bool(self.keys >> key_id & 1)


@dataclasses.dataclass(frozen=True)
class Key:
    secret: str  # or REVOKED
    before: str | None = None  # also taken, until `until` (monotonic)
    until: float = 0
    end: float | None = None  # expires (monotonic)
    early: float = 0  # s that both may be earlier: as long as the command took that said so


@dataclasses.dataclass(frozen=True)
class Peer:
    key_id: int
    secret: str
    encoding: str = "veiled"
    mark: str = "sealed"
    ports: str = "distinct"


@dataclasses.dataclass(frozen=True)
class Client:
    loaded: bool = False
    peer: Peer | None = None
    rule: bool = False


@dataclasses.dataclass(frozen=True)
class Gate:
    encoding: str = "veiled"
    mark: str = "sealed"
    group_by: str = "mark,ts"
    skew: int = 30


class State:
    def __init__(self):
        self.gate = Gate()
        self.rules = []
        self.keys = {}
        self.clients = {name: Client() for name in CLIENTS + STRANGERS}

    def copy(self):
        new = copy.copy(self)
        new.rules, new.keys, new.clients = list(self.rules), dict(self.keys), dict(self.clients)
        return new

    def rule_for(self, name, family, port):
        for rule in self.rules:
            if rule.holds(ADDRESS[name][family], lab.SERVER[family], port):
                return rule
        return None

    def admits(self, name, family, port, when):
        """Whether that host gets in: "in", "out", or "either"."""
        rule = self.rule_for(name, family, port)
        client = self.clients[name]
        peer = client.peer
        splits = client.loaded and client.rule and peer
        if not rule or rule.action == "pass":
            # Four SYNs from one port to a service that is open get in each other's way.
            return "either" if splits and peer.ports == "shared" else "in"
        if rule.action == "drop" or not splits:
            return "out"
        key = self.keys.get(peer.key_id)
        if not key or not rule.allows(peer.key_id):
            return "out"
        if self.gate.encoding != peer.encoding:
            return "out"
        if self.gate.mark == "sealed" and peer.mark == "open":
            return "either"  # a window in 64 is a mark
        if peer.secret == key.secret:
            return self._before(key.end, key.early, when)
        return self._before(key.until, key.early, when) if peer.secret == key.before else "out"

    @staticmethod
    def _before(end, early, when):
        if end is None or when < end - early - SLACK:
            return "in"
        return "either" if when < end + SLACK else "out"

    def boundaries(self):
        for end, early in {(e, key.early) for key in self.keys.values() for e in (key.until, key.end) if e}:
            yield end - early - SLACK
            yield end + SLACK


class Model:
    def __init__(self):
        self.lock = threading.RLock()
        self.worlds = [State()]
        self.troubled = dict.fromkeys(CLIENTS + STRANGERS, 0)
        self.lines = {(name, family, port): [(0.0, "out")] for name in CLIENTS + STRANGERS
                      for family in (4, 6) for port in CORE + SPARE}
        self._record()

    @property
    def state(self):
        """The one state, when nothing is under way."""
        assert len(self.worlds) == 1
        return self.worlds[0]

    def _value(self, where, when):
        if self.troubled[where[0]]:
            return "either"
        values = {world.admits(*where, when) for world in self.worlds}
        return values.pop() if len(values) == 1 else "either"

    def _record(self):
        now = time.monotonic()
        times = sorted({now} | {t for w in self.worlds for t in w.boundaries() if t > now})
        for where, line in self.lines.items():
            while line[-1][0] > now:
                line.pop()
            for when in times:
                value = self._value(where, when)
                if value != line[-1][1]:
                    line.append((when, value))
            del line[:-256]

    def begin(self, changes):
        """These changes are being made: each may have happened or not."""
        with self.lock:
            for change in filter(None, changes):
                for world in list(self.worlds):
                    new = world.copy()
                    change(new)
                    self.worlds.append(new)
            self._record()

    def settle(self, worlds):
        with self.lock:
            self.worlds = list(worlds)
            self._record()

    def trouble(self, names, more):
        """The network itself is broken for these hosts: nothing is expected."""
        with self.lock:
            for name in names:
                self.troubled[name] += 1 if more else -1
            self._record()

    def expected(self, where, start, end):
        """What was expected throughout that time; None: it changed, or is not certain."""
        with self.lock:
            line = self.lines[where]
            if line[0][0] > start:
                return None  # forgotten
            values = {v for (t, v), after in zip(line, line[1:] + [(end + 1, "")])
                      if t <= end and after[0] >= start}
        value = values.pop() if len(values) == 1 else None
        return None if value == "either" else value

    def now(self, where):
        t = time.monotonic()
        return self.expected(where, t, t)

    def always(self, port, start):
        """Whether the port has been closed to strangers since then."""
        end = time.monotonic()
        return all(self.expected((name, family, port), start, end) == "out"
                   for name in STRANGERS for family in (4, 6))
