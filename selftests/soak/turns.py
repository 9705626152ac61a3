# SPDX-License-Identifier: GPL-2.0-only
"""The great changes, made while everybody rests: the gate unloaded and loaded anew, taken off a
device, in monitor mode, and devices that are made anew below it."""
import os
import random
import subprocess

import lab
from changes import service_options
from command import Op
from model import Gate, Key, REVOKED, STRANGERS


def forget_all(state):
    state.rules, state.keys, state.gate = [], {}, Gate()


class Turns:
    def __init__(self, model, changes, attacks, weather, tally, report, seed):
        self.model, self.changes, self.attacks, self.tally = model, changes, attacks, tally
        self.weather, self.report = weather, report
        self.random = random.Random(f"{seed} turns")
        self.todo = []

    def one(self):
        """Each in its turn, in random order."""
        if not self.todo:
            self.todo = [self.anew, self.device_anew, self.client_device_anew, self.one_device,
                         self.monitor]
            self.random.shuffle(self.todo)
        turn = self.todo.pop()
        self.report.note(f"turn: {turn.__name__}")
        self.report.count("turns")
        turn()
        self.strangers_get("out")

    def strangers_get(self, in_or_out, names=STRANGERS, port=80):
        """To be sure that the gate is there, or is not."""
        self.tally.gate_there = in_or_out == "out"
        for name in names:
            done = subprocess.run(lab.inside(
                name, "curl", "-sf", "-m", "1", "-o", "/dev/null", f"http://{lab.SERVER[4]}:{port}/"))
            self.report.check("a gate is there or is not", (done.returncode == 0) == (in_or_out == "in"),
                              f"{name}, who should be {in_or_out}: curl says {done.returncode}")

    def anew(self):
        """Unload, and from files again; what was overheard before is worth nothing after."""
        state = self.model.state
        gate = state.gate
        keys = {i: k.secret for i, k in state.keys.items() if k.secret != REVOKED}
        rules = state.rules
        self.tally.gate_there = False
        self.changes.run(Op("server", "server", "unload", does=forget_all, atomic=False), kill=0.5)
        self.report.check("nothing pinned after unload", not os.path.exists(lab.pins("server")),
                          lambda: f"{os.listdir(lab.pins('server'))}")
        self.strangers_get("in")
        self.import_files(keys, rules)

        def loaded(state):
            state.gate = gate
        op = self.changes.op_load(gate, lab.DEVICES, "--replay-size", self.changes.replay_size)
        op.does, op.atomic = loaded, False
        self.changes.run(op, kill=0.5)

        def put_keys(state):
            state.keys = {i: Key(secret) for i, secret in keys.items()}

        def put_rules(state):
            state.rules = list(rules)
        self.changes.run(Op("server", "key", "import", f"{lab.LAB}/keys.txt", does=put_keys), kill=0.3)
        self.changes.run(Op("server", "service", "import", f"{lab.LAB}/services.txt", does=put_rules),
                         kill=0.3)
        self.tally.gate_there = True
        for _ in range(3):
            self.attacks.replay_old()

    @staticmethod
    def import_files(keys, rules):
        with open(f"{lab.LAB}/keys.txt", "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            for key_id, secret in keys.items():
                with open(lab.key(secret)) as key:
                    file.write(f"{key_id} {key.read().strip()} name=k{key_id}\n")
        with open(f"{lab.LAB}/services.txt", "w") as file:
            for rule in rules:
                ports = str(rule.lo) if rule.lo == rule.hi else f"{rule.lo}-{rule.hi}"
                file.write(" ".join([ports, *service_options(rule)]) + "\n")

    def device_anew(self):
        """The gate is on the new device before that comes up."""
        self.weather.new_device(("server", "eth2"), lambda: self.changes.run(
            self.changes.op_load(None, ("eth2",)), kill=0))

    def client_device_anew(self):
        name = self.random.choice(("teleworker", "colleague"))
        self.weather.new_device((name, "eth0"), lambda: self.changes.run(
            self.changes.op_client_load(name), kill=0))

    def one_device(self):
        """The attacker's device has no gate for a moment."""
        self.changes.run(Op("server", "server", "unload", "-i", "eth1", atomic=False), kill=0.3)
        self.strangers_get("in", ("attacker",))
        self.changes.run(self.changes.op_load(None, ("eth1",)), kill=0)

    def monitor(self):
        self.changes.run(self.changes.op_load(None, lab.DEVICES, "--monitor"), kill=0)
        self.strangers_get("in")
        self.changes.run(self.changes.op_load(None, lab.DEVICES, "--monitor=off"), kill=0)
