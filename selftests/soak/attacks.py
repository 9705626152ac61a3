# SPDX-License-Identifier: GPL-2.0-only
"""Who has no key and does not give up: floods, and groups that were overheard and are sent again,
whole, in another order, in part, doubled, from the same address and from another."""
import collections
import json
import random
import struct
import subprocess

import lab
from model import CORE, SPARE

PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
FLOOD_RATE = (2000, 60000)  # SYNs a second
SCANS = ("-sA", "-sW", "-sF", "-sN", "-sX", "-sM")
# From where a replay can be sent, and by which device of the server it comes in.
REPLAYERS = {"router": ("wan", "eth0"), "isp": ("wan", "eth2"), "attacker": ("eth0", "eth1")}


class Overheard:
    """The SYNs that went out to the server, by group: what an eavesdropper has."""

    def __init__(self):
        self.groups = collections.OrderedDict()

    def see(self, name, segment):
        at = (name, segment.src, segment.dport, segment.window, segment.tsval)
        group = self.groups.setdefault(at, [])
        if all((s.seq, s.sport) != (segment.seq, segment.sport) for s in group):  # no replay of ours
            group.append(segment)
        while len(self.groups) > 4000:
            self.groups.popitem(last=False)

    def whole(self):
        return [(at, list(group)) for at, group in list(self.groups.items()) if len(group) == 4]


class Attacks:
    def __init__(self, model, report, crowd, overheard, seed):
        self.model, self.report, self.crowd = model, report, crowd
        self.overheard = overheard
        self.flooded = collections.Counter()  # by port
        self.random = random.Random(f"{seed} attacks")

    def live(self):
        lab.enter("attacker")
        while True:
            with self.crowd:
                self.random.choice((self.flood, self.flood, self.replay, self.replay, self.replay,
                                    self.scan))()
            self.report.stop.wait(self.random.uniform(0.1, 1))

    def flood(self):
        family = self.random.choice((4, 6))
        rate = self.random.randint(*FLOOD_RATE)
        seconds = self.random.uniform(0.3, 2)
        whole = self.overheard.whole()
        window = "any"
        if whole and self.random.random() < 0.5:
            window = str(self.random.choice(whole)[1][0].window)
        port = self.random.choice(CORE + SPARE)
        argv = [lab.FLOOD, "--dev", "eth0", "--dst-mac", self.mac("eth1"), "--dst",
                lab.SERVER[family], "--dport", str(port), "--rate", str(rate),
                "--seconds", f"{seconds:.2f}", "--window", window]
        done = subprocess.run(argv + ["-6"] * (family == 6), capture_output=True, text=True)
        self.report.note(f"{' '.join(argv[1:])}: {done.stdout.strip()}{done.stderr.strip()}")
        if done.returncode == 0:
            self.report.count("floods")
            self.flooded[port] += int(done.stdout.split()[1])
            self.report.count("flood SYNs", int(done.stdout.split()[1]))

    def scan(self):
        """Segments of no connection, no SYN among them."""
        family, kind = self.random.choice((4, 6)), self.random.choice(SCANS)
        argv = ["nmap", "-n", "-Pn", *["-6"] * (family == 6), kind, "--max-retries", "0", "-p",
                ",".join(str(port) for port in CORE + SPARE), lab.SERVER[family]]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        seen = [line.split()[:2] for line in done.stdout.splitlines() if "/tcp" in line]
        self.report.note(f"{' '.join(argv)}: {seen} {done.stderr.strip()}")
        self.report.count("scans", bool(seen))

    @staticmethod
    def mac(device):
        words = lab.run("server", "ip", "-o", "link", "show", device).split()
        return words[words.index("link/ether") + 1]

    def admitted(self):
        """The second of the groups admitted, by source, its port, and destination port. One that was
        refused was not used up: when its key becomes good within the skew, anybody may send it."""
        events = [json.loads(line) for line in lab.tap("server", "-j", "events").splitlines()]
        return {(e["src"], e["sport"], e["dport"]): e["sec"] for e in events
                if e["reason"] == "admitted"}

    def replay(self):
        admitted = self.admitted()
        groups = [group for at, group in self.overheard.whole() if at[2] in CORE and
                  any(0 <= s.when - admitted.get((s.src, s.sport, s.dport), 0) < 1.1 for s in group)]
        if not groups:
            return
        new = groups[-20:] if self.random.random() < 0.6 else groups
        for group in self.random.sample(new, min(len(new), self.random.randint(1, 8))):
            self.send(group)

    def replay_old(self):
        """Whatever was overheard last: a gate that has no records yet must not take it."""
        for _, group in self.overheard.whole()[-10:]:
            self.send(group)

    def send(self, group):
        frames = list(group)
        how = self.random.choice(("whole", "order", "part", "doubled", "mixed"))
        if how != "whole":
            self.random.shuffle(frames)
        if how == "part":
            frames = frames[:self.random.randint(1, 3)]
        if how == "doubled":
            frames += frames
        if how == "mixed":
            frames += self.random.choice(self.overheard.whole())[1][:self.random.randint(1, 3)]
            frames = [f for f in frames if f.family == group[0].family]
        name = self.random.choice(list(REPLAYERS))
        device, into = REPLAYERS[name]
        path = f"{lab.LAB}/replay.pcap"
        with open(path, "wb") as file:
            file.write(PCAP_HEADER)
            for frame in frames:
                n = len(frame.packet)
                file.write(struct.pack("<IIII", 0, 0, n, n) + frame.packet)
        source = []
        if name == "attacker":
            source = ["--src", {4: "203.0.113.66", 6: "2001:db8:66::66"}[group[0].family]]
        argv = lab.inside(name, lab.REPLAY, "--dev", device, "--dst-mac", self.mac(into), *source, path)
        done = subprocess.run(argv, capture_output=True, text=True)
        self.report.note(f"replay {how} from {name}: port {group[0].dport}, sequence numbers "
                         f"{[f.seq for f in frames]}: {done.stdout.strip()}{done.stderr.strip()}")
        self.report.count("replays")
