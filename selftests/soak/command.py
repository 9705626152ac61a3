# SPDX-License-Identifier: GPL-2.0-only
"""Runs tapctl on behalf of the model: alone, several at once, killed half-way.

After a kill the lists must show the state from before or the one from after, nothing between; then
the same command is run again, and must lead to the state from after.
"""
import collections
import itertools
import random
import re
import subprocess
import time

import lab
import model

AGAIN = "already|there is no|no peer|exists|nothing is loaded|no .* is loaded"


class Op:
    """One tapctl command, and what it does to the state."""

    def __init__(self, name, *argv, does=None, atomic=True):
        self.name, self.argv, self.does, self.atomic = name, argv, does, atomic
        self.process = self.killed = None
        self.kill_at = 0

    def __str__(self):
        return f"{self.name}: tapctl {' '.join(str(a) for a in self.argv)}"

    def apply(self, state):
        if self.does:
            self.does(state)

    def verb(self):
        return (self.name, *self.argv[:2])

    def start(self):
        argv = lab.tap_argv(self.name, *(str(a) for a in self.argv))
        self.started = time.monotonic()
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, start_new_session=True)

    def wait(self):
        self.killed = False
        if self.kill_at:
            try:
                self.process.wait(max(0, self.started + self.kill_at - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.killed = True
        self.out, self.err = self.process.communicate(timeout=600)
        self.killed &= self.process.returncode < 0
        return self.process.returncode


class Commands:
    def __init__(self, the_model, report, seed):
        self.model, self.report = the_model, report
        self.random = random.Random(f"{seed} kills")
        self.times = collections.defaultdict(lambda: 0.1)  # how long each verb takes
        self.kill_share = 0.12

    def run(self, *ops, kill=None):
        """Runs them side by side. kill: how likely each is killed."""
        kill = self.kill_share if kill is None else kill
        before = self.model.worlds
        self.model.begin([op.does for op in ops])
        for op in ops:
            op.kill_at = 0
            if self.random.random() < kill:
                op.kill_at = self.random.uniform(0, 1.2 * self.times[op.verb()])
            op.start()
        for op in ops:
            self._ended(op)
        killed = [op for op in ops if op.killed]
        for op in killed:
            self._converge(op, before[0], [o for o in ops if o not in killed], killed)
        self.model.settle([self._applied(before[0], ops)])

    def _ended(self, op):
        status = op.wait()
        if op.killed:
            self.report.count("kills")
            self.report.note(f"killed after {op.kill_at * 1000:.0f} ms: {op}")
            return
        self.report.count("tapctl")
        self.report.note(f"{op} -> {status} {op.err.strip()}")
        self.times[op.verb()] += (time.monotonic() - op.started - self.times[op.verb()]) / 4
        self.report.check("tapctl does as told", status in lab.tap_good(*op.argv),
                          f"{op}: exit status {status}: {op.err.strip()}")

    @staticmethod
    def _applied(state, ops):
        state = state.copy()
        for op in ops:
            op.apply(state)
        return state

    def _converge(self, op, before, done, killed):
        """Whatever a killed command has done, the same once more leads to where it was to lead."""
        if op.atomic:
            seen = observe(op.name)
            some = [set(s) for n in range(len(killed) + 1) for s in itertools.combinations(killed, n)]
            some = [s for s in some if agrees(self._applied(before, done + [o for o in killed if o in s]),
                                              op.name, seen)]
            self.report.check("killed tapctl: old state or new", some, lambda: f"after {op}: {seen}")
            if some and all(op in s for s in some):
                return
        op.kill_at = 0
        op.start()
        status = op.wait()
        self.report.note(f"again: {op} -> {status} {op.err.strip()}")
        self.report.check("killed tapctl: the next one mends it",
                          status == 0 or re.search(AGAIN, op.err),
                          f"{op}: exit status {status}: {op.err.strip()}")


def observe(name):
    """What tapctl says of that host."""
    if name != "server":
        return {"peers": lab.tap_json(name, "peer", "list"), "rules": lab.tap_json(name, "rule", "list"),
                "status": lab.tap_json(name, "status")["client"]}
    return {"keys": lab.tap_json(name, "key", "list"), "rules": lab.tap_json(name, "service", "list"),
            "status": lab.tap_json(name, "status")["server"]}


def mask(text):
    """The key IDs of a list, a bit for each; None: any."""
    if text in ("any", ""):
        return None
    bits = 0
    for part in text.split(","):
        lo, _, hi = part.partition("-")
        if part.isdigit() or hi:
            bits |= (1 << int(hi or lo) + 1) - (1 << int(lo))
    return bits


def listed(rule):
    lo, _, hi = rule["ports"].partition("-")
    return model.Rule(int(lo), int(hi or lo), rule["action"], mask(rule["keys"]),
                      rule["reject"], rule["stealth"], rule["dst"], rule["src"])


def agrees(state, name, seen):
    """Whether that is what the model says."""
    status = seen["status"]
    attached = {i["name"] for i in status["interfaces"] if i["state"] == "attached"}
    if name != "server":
        client = state.clients[name]
        peers = [(p["key_id"], p["encoding"], p["mark"], p["ports"]) for p in seen["peers"]]
        peer = client.peer
        return (attached == ({"eth0"} if client.loaded else set()) and
                peers == ([(peer.key_id, peer.encoding, peer.mark, peer.ports)] if peer else []) and
                len(seen["rules"]) == (1 if client.rule else 0))
    keys = {k["id"]: k["state"] == "revoked" for k in seen["keys"]}
    gate = model.Gate(status["encoding"], status["mark"], status["group_by"], status["skew"])
    return (attached == set(lab.DEVICES) and gate == state.gate and
            keys == {i: k.secret == model.REVOKED for i, k in state.keys.items()} and
            [listed(r) for r in seen["rules"]] == state.rules)
