# SPDX-License-Identifier: GPL-2.0-only
"""The random changes by tapctl: keys, services, rules, settings, loading; what a busy administrator
and forgetful users would do."""
import dataclasses
import random
import time

import lab
from command import Op
from model import ALL_KEYS, CLIENTS, CORE, REVOKED, SPARE, Gate, Key, Peer, Rule

KEY_ID = {"teleworker": 7, "colleague": 8, "roamer": 9}
SECRETS = "abcdef"
DECOYS = range(100, 140)  # keys and ports that nobody uses
DECOY_PORT = 20000


def put_key(key_id, key, before=None, overlap=0, lasts=None):
    """The times count from some moment between when it is begun and when it is done."""
    begun = []

    def does(state):
        now = time.monotonic()
        begun.append(now)
        if key:
            state.keys[key_id] = Key(key, before if overlap else None, now + overlap if overlap else 0,
                                     now + lasts if lasts else None, now - begun[0])
        else:
            state.keys.pop(key_id, None)
    return does


def put_client(name, **fields):
    def does(state):
        state.clients[name] = dataclasses.replace(state.clients[name], **fields)
    return does


def service_options(rule):
    words = ["--action", rule.action]
    if rule.action == "tap":
        if rule.keys is not None:
            words += ["--keys", ids_text(rule.keys)]
        words += ["--reject", rule.reject]
    if rule.stealth:
        words += ["--stealth", "on"]
    for option in ("dst", "src"):
        if getattr(rule, option):
            words += [f"--{option}", getattr(rule, option)]
    return words


def ids_text(bits):
    runs, at = [], 1
    while bits >> at:
        if bits >> at & 1:
            first = at
            while bits >> at & 1:
                at += 1
            runs.append(f"{first}-{at - 1}")
        at += 1
    return ",".join(runs)


class Changes:
    def __init__(self, model, commands, report, seed):
        self.model, self.commands, self.report = model, commands, report
        self.random = random.Random(f"{seed} changes")
        self.replay_size = self.random.choice((512, 1024, 4096, 131072))
        self.actions = [(name[4:], getattr(self, name)) for name in sorted(dir(self))
                        if name.startswith("act_")]

    def run(self, *ops, **options):
        self.commands.run(*ops, **options)

    def pause(self, least=0.1, most=1.2):
        self.report.stop.wait(self.random.uniform(least, most))

    def one(self):
        """One random change, whole: it may take a few seconds."""
        name, act = self.random.choice(self.actions)
        self.report.note(f"change: {name}")
        act()
        self.report.count("changes")

    # --- Operations

    def op_load(self, gate=None, devices=lab.DEVICES, *more):
        gate = gate or self.model.state.gate

        def does(state):
            state.gate = gate
        return Op("server", "server", "load", "-i", ",".join(devices), "--realm-key", lab.key("realm"),
                  "--encoding", gate.encoding, "--mark", gate.mark, "--group-by", gate.group_by,
                  "--skew", gate.skew, *more, does=does)

    def op_service_add(self, rule, at=None):
        def does(state):
            state.rules.insert(len(state.rules) if at is None else at, rule)
        ports = str(rule.lo) if rule.lo == rule.hi else f"{rule.lo}-{rule.hi}"
        place = [] if at is None else ["--at", at + 1]
        return Op("server", "service", "add", ports, *service_options(rule), *place, does=does)

    def op_service_del(self, at):
        return Op("server", "service", "del", at + 1, does=lambda state: state.rules.pop(at))

    def op_key_add(self, key_id, secret, lasts=None):
        more = ["--not-after", f"+{lasts}s"] if lasts else []
        return Op("server", "key", "add", key_id, "--user-key", lab.key(secret), "--name",
                  f"k{key_id}", *more, does=put_key(key_id, secret, lasts=lasts))

    def op_key_del(self, key_id):
        return Op("server", "key", "del", key_id, does=put_key(key_id, None))

    def op_key_revoke(self, key_id):
        return Op("server", "key", "revoke", key_id, does=put_key(key_id, REVOKED))

    def op_key_rotate(self, key_id, secret, overlap):
        old = self.model.state.keys[key_id]
        return Op("server", "key", "rotate", key_id, "--user-key", lab.key(secret), "--overlap",
                  overlap, does=put_key(key_id, secret, old.secret, overlap))

    def op_peer(self, verb, name, peer):
        return Op(name, "peer", verb, "office", "--realm-key", lab.key("realm"), "--user-key",
                  lab.key(peer.secret), "--key-id", peer.key_id, "--encoding", peer.encoding, "--mark",
                  peer.mark, "--ports", peer.ports, does=put_client(name, peer=peer))

    def op_rule_add(self, name):
        return Op(name, "rule", "add", "--peer", "office", "--port",
                  ",".join(str(p) for p in CORE + SPARE), does=put_client(name, rule=True))

    def op_client_load(self, name, *more):
        return Op(name, "client", "load", "-i", "eth0", *more, does=put_client(name, loaded=True),
                  atomic=self.model.state.clients[name].loaded)

    # --- Beginning

    def first(self):
        """Everybody may get in everywhere."""
        self.run(Op("server", "server", "load", "-i", ",".join(lab.DEVICES), "--realm-key",
                    lab.key("realm"), "--replay-size", self.replay_size), kill=0)
        for port in CORE + SPARE:
            self.run(self.op_service_add(Rule(port, port)), kill=0)
        for name in CLIENTS:
            self.run(self.op_key_add(KEY_ID[name], "a"), kill=0)
            self.run(self.op_client_load(name), kill=0)
            self.give(name, kill=0)

    def give(self, name, **options):
        """A peer and a rule for a client that has none."""
        key = self.model.state.keys[KEY_ID[name]]
        ports = self.random.choice(("distinct", "shared")) if name == "roamer" else "distinct"
        self.run(self.op_peer("add", name, Peer(KEY_ID[name], key.secret, ports=ports)), **options)
        self.run(self.op_rule_add(name), **options)

    def any_client(self):
        name = self.random.choice(CLIENTS)
        return name, KEY_ID[name], self.model.state.clients[name].peer

    def other_secret(self, key_id):
        return self.random.choice([s for s in SECRETS if s != self.model.state.keys[key_id].secret])

    def random_keys(self):
        return self.random.choice((None, None, ALL_KEYS, (1 << 10) - 2, 0b1110000000 | 1 << 300))

    def random_rule(self, port, action="tap"):
        stealth = action != "pass" and self.random.random() < 0.5
        return Rule(port, port, action, self.random_keys() if action == "tap" else None,
                    self.random.choice(("drop", "rst")) if action == "tap" and not stealth else "drop",
                    stealth)

    # --- Keys

    def act_rotate(self):
        """Server, then client, within the overlap: nobody is kept out for a moment."""
        name, key_id, peer = self.any_client()
        secret = self.other_secret(key_id)
        self.run(self.op_key_rotate(key_id, secret, self.random.choice((20, 60))))
        self.report.count("rotations")
        self.pause()
        self.run(self.op_peer("update", name, dataclasses.replace(peer, secret=secret)))

    def act_rotate_late(self):
        """The client is told too late."""
        name, key_id, peer = self.any_client()
        secret = self.other_secret(key_id)
        overlap = self.random.choice((0, 0, 3))
        self.run(self.op_key_rotate(key_id, secret, overlap))
        self.report.count("rotations")
        self.pause(overlap, overlap + 3)
        self.run(self.op_peer("update", name, dataclasses.replace(peer, secret=secret)))

    def act_revoke(self):
        name, key_id, peer = self.any_client()
        if self.random.random() < 0.7:
            self.run(self.op_key_revoke(key_id))
            self.report.count("revocations")
            self.pause(0.5, 2.5)
        self.run(self.op_key_del(key_id))
        self.pause(0.1, 2)
        if self.random.random() < 0.3:
            self.run(self.op_key_add(key_id, peer.secret, lasts=3))
            self.pause(3, 6)
            self.run(self.op_key_del(key_id))
        self.run(self.op_key_add(key_id, peer.secret))

    def act_other_keys(self):
        """Several tapctl at once, on keys that nobody uses."""
        ops = []
        for key_id in self.random.sample(DECOYS, self.random.randint(2, 6)):
            key = self.model.state.keys.get(key_id)
            if not key:
                ops.append(self.op_key_add(key_id, self.random.choice(SECRETS)))
            elif key.secret == REVOKED or self.random.random() < 0.4:
                ops.append(self.op_key_del(key_id))
            elif self.random.random() < 0.5:
                ops.append(self.op_key_revoke(key_id))
            else:
                ops.append(self.op_key_rotate(key_id, self.other_secret(key_id), 5))
        looks = (("status",), ("stats",), ("key", "list"), ("service", "list"), ("events",),
                 ("acl", "list"))
        ops += [Op("server", "-j", *self.random.choice(looks)) for _ in range(3)]
        ops.append(self.op_load())
        self.run(*ops)
        self.report.count("reloads")

    # --- Services

    def find(self, port):
        return next(i for i, rule in enumerate(self.model.state.rules)
                    if rule.lo <= port <= rule.hi and not rule.dst and not rule.src)

    def act_service_replace(self):
        """A service gets other options: the new rule before the old one, then the old one goes."""
        port = self.random.choice(CORE + SPARE)
        at = self.find(port)
        self.run(self.op_service_add(self.random_rule(port), at))
        self.pause(0, 0.3)
        self.run(self.op_service_del(at + 1))

    def act_service_narrow(self):
        """A second rule for a service, for some addresses only; then it goes again."""
        port = self.random.choice(CORE)
        rule = self.random_rule(port, self.random.choice(("tap", "drop")))
        where = self.random.choice(({"dst": "198.51.100.0/24"}, {"dst": "2001:db8:100::/64"},
                                    {"src": "198.51.100.2"}, {"src": "2001:db8:20::/64"}))
        self.run(self.op_service_add(dataclasses.replace(rule, **where), 0))
        self.pause(0.5, 2)
        self.run(self.op_service_del(0))

    def act_service_open(self):
        """A service that may be open to all for a while."""
        port = self.random.choice(SPARE)
        at = self.find(port)
        if self.random.random() < 0.5:
            self.run(self.op_service_add(self.random_rule(port, self.random.choice(("pass", "drop"))),
                                         at))
            self.pause(0.5, 2)
            self.run(self.op_service_del(at))
        else:
            self.run(self.op_service_del(at))
            self.pause(0.5, 2)
            self.run(self.op_service_add(self.random_rule(port)))

    def act_other_services(self):
        rules = self.model.state.rules
        decoys = [i for i, rule in enumerate(rules) if rule.lo >= DECOY_PORT]
        if len(decoys) > 20 or decoys and self.random.random() < 0.4:
            self.run(self.op_service_del(self.random.choice(decoys)))
            return
        rule = self.random_rule(self.random.randint(DECOY_PORT, 60000),
                                self.random.choice(("tap", "pass", "drop")))
        rule = dataclasses.replace(rule, hi=rule.lo + self.random.choice((0, 3, 1000)))
        self.run(self.op_service_add(rule, self.random.choice((None, 0, len(rules) // 2))))

    def act_acl(self):
        name, key_id, _ = self.any_client()
        port = self.random.choice(CORE + SPARE)

        def change(allow):
            def does(state):
                for i, rule in enumerate(state.rules):
                    if rule.lo <= port <= rule.hi and rule.action == "tap":
                        bits = rule.keys if rule.keys is not None else 0 if allow else ALL_KEYS
                        bits = bits | 1 << key_id if allow else bits & ~(1 << key_id)
                        state.rules[i] = dataclasses.replace(rule, keys=bits)
            return Op("server", "acl", "allow" if allow else "deny", port, key_id, does=does)
        self.run(change(False))
        self.pause(0.5, 2)
        self.run(change(True))

    # --- Loading

    def act_reload(self):
        self.run(self.op_load())
        self.report.count("reloads")

    def act_reload_other(self):
        """Other settings, such as a client needs or cannot meet; then a client follows."""
        gate = Gate(self.random.choice(("veiled", "classic")),
                    self.random.choice(("sealed", "open")),
                    self.random.choice(("mark,ts", "mark", "ts")), self.random.choice((5, 30, 120)))
        self.run(self.op_load(gate))
        self.report.count("reloads")
        self.pause()
        for name in self.random.sample(CLIENTS, 2):
            self.run(self.op_peer("update", name, dataclasses.replace(
                self.model.state.clients[name].peer, encoding=gate.encoding,
                mark=self.random.choice(("sealed", gate.mark)))))

    def act_client_reload(self):
        self.run(*(self.op_client_load(name) for name in CLIENTS))
        self.report.count("client loads", len(CLIENTS))

    def act_client_anew(self):
        """The splitter goes with all it knew, and comes back."""
        name, _, _ = self.any_client()
        hook = self.random.choice(("auto", "tcx", "clsact"))
        self.run(Op(name, "client", "unload", does=put_client(name, loaded=False, peer=None, rule=False),
                    atomic=False))
        self.pause()
        self.run(self.op_client_load(name, "--hook", hook))
        self.report.count("client loads")
        self.pause(0, 0.5)
        self.give(name)

    def act_client_rule(self):
        name, _, _ = self.any_client()
        self.run(Op(name, "rule", "del", 1, does=put_client(name, rule=False)))
        self.pause()
        self.run(self.op_rule_add(name))
