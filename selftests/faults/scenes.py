# SPDX-License-Identifier: GPL-2.0-only
"""
The scenes of the fault tests: a command, the state it starts from, and how to come back to it.
"""
import json
import os

import probes
import world as worlds

# Counted, or different each time, and no part of a state.
PASSING = {"admitted", "refused", "replay_used", "tai_offset", "ifindex", "rotating_until", "split", "own",
	   "passed", "failed", "rotated", "old_secret", "last"}


def lasting(value):
	"""
	Without what passes; what the kernel says of its clock may change in the meantime, and who still
	uses an old secret is warned of with its time.
	"""
	if isinstance(value, dict):
		return {k: lasting(v) for k, v in value.items() if k not in PASSING}
	if isinstance(value, list):
		return [lasting(v) for v in value if "clock_unsynchronised" not in str(v) and
			"old_secret_in_use" not in str(v)]
	return value


def attached(netns):
	"""Interfaces with an XDP program, as the kernel says; filters that a tc qdisc holds."""
	_, out, _ = probes.run(netns, ["ip", "-j", "link"])
	return [link["ifname"] for link in json.loads(out) if "xdp" in link]


def filters(netns):
	_, out, _ = probes.run(netns, ["tc", "filter", "show", "dev", "eth0", "egress"])
	_, qdiscs, _ = probes.run(netns, ["tc", "qdisc", "show", "dev", "eth0", "clsact"])
	return [bool(out.strip()), bool(qdiscs.strip())]


class State:
	"""All of one side that lasts, as tapctl, the kernel and the file system tell it."""

	LISTS = {"service": ["service list", "acl list"], "acl": ["service list", "acl list"],
		 "key": ["key list"], "peer": ["peer list", "rule list"], "rule": ["peer list", "rule list"]}

	def __init__(self, world, where, command):
		netns, pins, part = world.netns(where), world.pin_dir(where), command.split()[0]
		status = world.json(where, "status")
		self.parts = {"status": "nothing" if "nothing is loaded" in status else lasting(status)}
		if os.path.exists(pins) and os.listdir(pins):
			for command in self.LISTS.get(part, []):
				self.parts[command] = lasting(world.json(where, command))
			self.parts["pins"] = sorted(os.listdir(pins))
		if part == "server":
			self.parts["xdp"] = attached(netns)
		if part == "client":
			self.parts["tc"] = filters(netns)

	def __eq__(self, other):
		return self.parts == other.parts

	def unlike(self, other):
		"""What is different, in words."""
		return "; ".join(differences("", self.parts, other.parts))


def differences(name, have, want):
	if have == want:
		return
	if isinstance(have, dict) and isinstance(want, dict):
		for key in sorted(have.keys() | want.keys()):
			yield from differences(f"{name} {key}", have.get(key), want.get(key))
	else:
		yield f"{name}: {have} and not {want}"


class Scene:
	"""
	NAME, WHERE it runs, the COMMAND. PREPARE leads from the standard to its first state, UNDO back
	from what the command made. DONE_WORDS: what a second run says to what is done already. MOST: so
	many faults in a sample; those of a load take half a second each.
	"""

	def __init__(self, name, where, command, prepare=(), undo=(), done_words="", protected=True,
		     most=1000):
		self.name, self.where, self.command = name, where, command
		self.prepare, self.undo, self.done_words = prepare, undo, done_words
		self.protected, self.most = protected, most
		self.again = not undo  # run twice, it does the same

	def before(self, world):
		world.heal()
		world.do(self.where, self.prepare)
		world.settle()

	def restore(self, world):
		for command in self.undo:
			world.tap(self.where, command)
		if not self.protected:
			world.settle()
			return
		if not world.owner.gets_in():
			raise RuntimeError("the owner of a key does not get in")

	def partial(self, now, err):
		"""Whether a state between is one that a failed command may leave: never, but see below."""
		return False


class Unload(Scene):
	"""An unload that fails half-way leaves what status tells of."""

	def partial(self, now, err):
		return True

	def restore(self, world):
		world.forget_loading()
		super().restore(world)


KEY_B = "--user-key {keys}/b"
SCENES = [
	Scene("server load, again", "server", "server load -i eth0,eth1 --realm-key {keys}/realm", most=12),
	Scene("server load, one more interface", "server", "server load -i eth1 --realm-key {keys}/realm",
	      prepare=["server unload -i eth1"], undo=["server unload -i eth1"], protected=False, most=8),
	Scene("server load, the first", "server", "server load -i eth0,eth1 --realm-key {keys}/realm",
	      prepare=["server unload"], undo=["server unload"], protected=False, most=20),
	Scene("server load --shared", "server", "server load -i eth0,eth1 --shared --realm-key {keys}/realm",
	      prepare=["server unload"], undo=["server unload"], protected=False, most=5),
	Unload("server unload", "server", "server unload", undo=worlds.STANDARD["server"],
	       done_words="no gate is loaded", protected=False, most=8),
	Unload("server unload -i", "server", "server unload -i eth1", done_words="no gate of",
	       undo=["server load -i eth1 --realm-key {keys}/realm"], protected=False, most=8),
	Scene("realm rotate", "server", "realm rotate --realm-key {keys}/realm2",
	      undo=["server unload", *worlds.STANDARD["server"]], protected=False, most=8),
	Scene("service add", "server", "service add 81 --keys 7", undo=["service del 3"]),
	Scene("service del", "server", "service del 2", prepare=["service add 23"],
	      undo=["service del 3", "service del 2", "service add 22", "service add 23"]),
	Scene("service import", "server", "service import {dir}/services",
	      undo=["service del 5", "service del 4", "service del 3"]),
	Scene("key add", "server", f"key add 9 {KEY_B} --name bob", undo=["key del 9"],
	      done_words="exists already"),
	Scene("key rotate", "server", f"key rotate 9 --overlap 5000 {KEY_B}",
	      prepare=["key add 9 --user-key {keys}/c"], done_words="has already",
	      undo=["key del 9", "key add 9 --user-key {keys}/c"]),
	Scene("key revoke", "server", "key revoke 9", prepare=["key add 9 --user-key {keys}/c"],
	      undo=["key del 9", "key add 9 --user-key {keys}/c"], done_words="revoked already"),
	Scene("key del", "server", "key del 9", prepare=["key add 9 --user-key {keys}/c --name bob"],
	      undo=["key add 9 --user-key {keys}/c --name bob"], done_words="there is no key"),
	Scene("key import", "server", "key import {keys}/list", undo=["key del 9", "key del 10"],
	      done_words="exists already"),
	Scene("acl allow", "server", "acl allow 7 7", undo=["service add 7 --at 1", "service del 2"]),
	Scene("acl deny", "server", "acl deny 7 9", undo=["service add 7 --at 1", "service del 2"]),
	Scene("client load, again", "teleworker", "client load -i eth0", most=8),
	Scene("client load, the first", "teleworker", "client load -i eth0", prepare=["client unload"],
	      undo=["client unload"], protected=False, most=8),
	Scene("client load --hook clsact", "teleworker", "client load -i eth0 --hook clsact",
	      prepare=["client unload"], undo=["client unload"], protected=False, most=10),
	Unload("client unload", "teleworker", "client unload", undo=worlds.STANDARD["teleworker"],
	       done_words="no splitter is loaded", most=8),
	Scene("peer add", "teleworker", f"peer add lab --realm-key {{keys}}/realm {KEY_B} --key-id 9",
	      undo=["peer del lab"], done_words="exists already"),
	Scene("peer update", "teleworker", "peer update office --ports shared",
	      undo=["peer update office --ports distinct"]),
	Scene("peer del", "teleworker", "peer del lab", done_words="there is no peer",
	      prepare=[f"peer add lab --realm-key {{keys}}/realm {KEY_B} --key-id 9"],
	      undo=[f"peer add lab --realm-key {{keys}}/realm {KEY_B} --key-id 9"]),
	Scene("rule add", "teleworker", "rule add --peer office --port 81 --dst {server}",
	      undo=["rule del 2"]),
	Scene("rule del", "teleworker", "rule del 2",
	      prepare=["rule add --peer office --port 81 --dst {server}"], undo=["rule del 2", "rule add --peer office --port 81 --dst {server}"]),
	Scene("rule import", "teleworker", "rule import {dir}/rules", undo=["rule del 2"]),
]
