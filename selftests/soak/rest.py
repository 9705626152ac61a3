# SPDX-License-Identifier: GPL-2.0-only
"""The accounts, made up while everybody rests: every SYN that was sent has one reason, every SYN
that went through was admitted, none twice, each at a time when its key was good."""
import collections
import datetime
import json
import time

import lab
from command import agrees, observe
from model import ADDRESS, CLIENTS, CORE, SPARE
from changes import KEY_ID
from traffic import SILENCE_MAX

GROUPS = ("admitted", "unreadable", "version", "skew", "unknown_key", "key_inactive", "acl", "tag",
          "unbound", "rate", "replay", "replay_window")
SPARE_RECORDS = 512  # for each possible CPU
EVENTS_KEPT = 2048


class Tally:
    """What the watches saw since the round began."""

    def __init__(self, report, overheard):
        self.report, self.overheard = report, overheard
        self.admitted = set()
        self.gate_there = True  # else strangers are answered
        self.watches = []
        self.start()

    def start(self):
        self.sent, self.arrived = collections.Counter(), collections.Counter()

    def at_sender(self, name):
        def see(segment):
            if segment.outgoing and not segment.ack and segment.dst in lab.SERVER.values():
                self.sent[segment.dport] += 1
                if name != "attacker":
                    self.overheard.see(name, segment)
            elif segment.ack and not segment.outgoing and name == "attacker":
                self.answered(name, segment)
        return see

    def at_lodger(self, segment):
        if segment.ack and not segment.outgoing:
            self.answered("lodger", segment)

    def answered(self, name, segment):
        # While a link is down, what is for owners goes to the default gateway.
        if any(segment.dst in ADDRESS[owner].values() for owner in CLIENTS):
            return
        if segment.sport in CORE and self.gate_there:
            self.report.violated(f"{name} got a SYN-ACK from port {segment.sport}, to {segment.dst}")

    def at_server(self, segment):
        if segment.outgoing or segment.ack or segment.dst not in lab.SERVER.values():
            return
        self.arrived[segment.dport] += 1
        if segment.dport in CORE and self.gate_there:
            group = (segment.seq, segment.tsval, segment.sport, segment.dport)
            self.report.check("no group is admitted twice", group not in self.admitted,
                              f"sequence number {segment.seq}, port {segment.dport}, from {segment.src}")
            self.admitted.add(group)


def passive_opens():
    """TCP connections that the server's kernel took."""
    lines = lab.run("server", "cat", "/proc/net/snmp").splitlines()
    names, values = (line.split() for line in lines if line.startswith("Tcp:"))
    return int(values[names.index("PassiveOpens")])


def possible_cpus():
    with open("/sys/devices/system/cpu/possible") as file:
        return int(file.read().strip().split("-")[-1]) + 1


def drops():
    """Frames that the devices before the gate lost."""
    total = 0
    for name, device in [("server", d) for d in lab.DEVICES] + [("attacker", "eth0"), ("router", "wan"),
                                                                 ("isp", "wan")]:
        for line in lab.run(name, "ethtool", "-S", device).splitlines():
            words = line.split(":")
            if "xmit_errors" in words[0] or words[0].endswith("_drops") and "xdp" not in words[0]:
                total += int(words[1])
    return total


class Accounts:
    def __init__(self, model, report, tally, attacks, weather, changes):
        self.model, self.report, self.tally = model, report, tally
        self.attacks, self.weather, self.changes = attacks, weather, changes

    def reasons(self):
        return lab.tap_json("server", "stats")["server"]["reasons"]

    def settled(self):
        """The reasons, when nothing more arrives."""
        before = None
        while True:
            now = self.reasons()
            for watch in self.tally.watches:
                watch.catch_up()
            now = now, dict(self.tally.sent), dict(self.tally.arrived)
            if now == before:
                return now[0]
            before = now
            time.sleep(0.3)

    def begin(self):
        """A round begins here."""
        self.began = time.monotonic()
        self.before = self.settled()
        self.opened, self.lost = passive_opens(), drops()
        self.good = self.report.counts["connections"]
        self.weather.lossy = False
        self.attacks.flooded.clear()
        self.tally.start()

    def make_up(self):
        now = self.settled()
        self.gained = {label: now[label] - self.before[label] for label in now}
        closed = CORE + tuple(port for port in SPARE if self.model.always(port, self.began))
        self.all_judged(closed)
        self.all_admitted(closed)
        # Each would have been reported at once, by answered().
        self.report.check("no SYN-ACK for strangers", not self.report.violations, "")
        groups = sum(self.gained[label] for label in GROUPS)
        self.report.check("three collected segments for each group",
                          self.gained["collecting"] >= 3 * groups,
                          f"{groups} groups, collected {self.gained['collecting']}")
        opened, arrived = passive_opens() - self.opened, self.tally.arrived.total()
        self.report.check("no connection without an admitted SYN", opened <= arrived,
                          f"{opened} passive opens, {arrived} SYNs")
        good = self.report.counts["connections"] - self.good
        self.report.check("each connection was taken by the kernel", good <= opened,
                          f"{good} connections, {opened} passive opens")
        self.report.note(f"accounts: {self.gained}")

    def all_judged(self, closed):
        """Every SYN for a protected port has one reason."""
        sent = self.tally.sent + self.attacks.flooded
        least, most = sum(sent[port] for port in closed), sent.total()
        judged = sum(self.gained.values()) - self.gained["stray"]
        least = 0 if self.weather.lossy else least - (drops() - self.lost)
        self.report.check("every SYN has one reason", least <= judged <= most,
                          lambda: f"{judged} judged, {least} to {most} sent: {sent}; {self.gained}")

    def all_admitted(self, closed):
        """Every SYN that came through was admitted, and every admitted one came through."""
        events = [json.loads(line) for line in lab.tap("server", "-j", "events").splitlines()]
        events = [e for e in events if e["reason"] == "admitted"][-self.gained["admitted"] or None:]
        if not self.gained["admitted"]:
            events = []
        if self.gained["admitted"] <= EVENTS_KEPT:
            by_port = collections.Counter(e["dport"] for e in events)
            for port in closed:
                self.report.check("SYNs let through = groups admitted",
                                  self.tally.arrived[port] == by_port[port],
                                  f"port {port}: {self.tally.arrived[port]} SYNs, {by_port[port]} admitted")
        for event in events:
            self.right(event)

    def right(self, event):
        """The one admitted was its key's owner, who might get in at some time from when the group was
        made until it was judged: on the way it may wait for the resolution of an address."""
        family = 6 if ":" in event["dst"] else 4
        names = [name for name in CLIENTS if KEY_ID[name] == event["key_id"]]
        self.report.check("admitted from its owner's address",
                          names and ADDRESS[names[0]][family] == event["src"], f"{event}")
        when = datetime.datetime.fromisoformat(event["time"]).timestamp()
        when += (offset := time.monotonic() - time.time())
        if names:
            where = (names[0], family, event["dport"])
            self.report.check("admitted while the key was good",
                              self.model.expected(where, event["sec"] + offset, when + 0.1) != "out",
                              f"{event}")

    def lists(self):
        """tapctl says what it was told, on all sides."""
        for name in ("server",) + CLIENTS:
            seen = observe(name)
            self.report.check("lists say what was told", agrees(self.model.state, name, seen),
                              lambda: f"{name}: {seen}")
            if name == "server":
                used = seen["status"]["replay_used"]
                most = self.changes.replay_size + SPARE_RECORDS * possible_cpus()
                self.report.counts["records, at most"] = max(used, self.report.counts["records, at most"])
                self.report.check("replay records bounded", used <= most, f"{used} of {most}")

    def streams(self, streams):
        """Every open connection goes on."""
        since = time.monotonic()
        waiting = list(streams)
        while waiting and time.monotonic() < since + SILENCE_MAX and not self.report.stop.is_set():
            waiting = [s for s in waiting if s in streams and s.progress < since]
            time.sleep(0.1)
        self.report.note(f"streams went on within {time.monotonic() - since:.1f} s")
        self.report.check("open connections go on", not waiting or self.report.stop.is_set(),
                          lambda: f"nothing for {SILENCE_MAX} s: {', '.join(map(str, waiting))}")
        self.report.counts["streams"] = max(len(streams), self.report.counts["streams"])
