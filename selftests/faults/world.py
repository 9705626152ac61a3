# SPDX-License-Identifier: GPL-2.0-only
"""
The laboratory as the fault tests see it: lab.sh has built it, this puts TAP into it, and people at
its edges: a stranger, an owner of a key with a connection open, an echo service on port 7.
"""
import glob
import json
import os

import probes
from probes import expect

PORT = 7
STANDARD = {
	"server": ["server load -i eth0,eth1 --realm-key {keys}/realm", "service add 7", "service add 22",
		   "key add 7 --user-key {keys}/a --name alice"],
	"teleworker": ["client load -i eth0",
		       "peer add office --realm-key {keys}/realm --user-key {keys}/a --key-id 7",
		       "rule add --peer office --port 7 --dst {server}"],
}
UNLOAD = {"server": "server unload", "teleworker": "client unload"}


class World:
	def __init__(self, lab):
		self.lab = lab
		for name, text in (("services", "2001\n2002\n2003\n"), ("rules", "--peer office --port 81\n")):
			with open(f"{lab['dir']}/{name}", "w", encoding="ascii") as file:
				file.write(text)
		probes.echo_service(self.netns("server"), PORT)
		self.owner = probes.Owner(self.netns("teleworker"), lab["server"], PORT)
		self.heal()
		if not self.owner.open_session():
			raise RuntimeError("the owner of a key does not get in, before any fault")
		self.stranger = probes.Stranger(self.netns("attacker"), lab["attacked"], PORT)
		self.seen = (0, 0)

	def netns(self, where):
		return f"{self.lab['prefix']}-{where}"

	def pin_dir(self, where):
		return f"{self.lab['dir']}/bpf/{where}"

	def argv(self, where, command):
		words = command.format(keys=f"{self.lab['dir']}/keys", dir=self.lab["dir"],
				       server=self.lab["server"]).split()
		return [self.lab["tapctl"], "--pin-dir", self.pin_dir(where), *words]

	def tap(self, where, command):
		return probes.run(self.netns(where), self.argv(where, command))

	def json(self, where, command):
		"""What it prints with -j, or its error."""
		argv = self.argv(where, command)
		status, out, err = probes.run(self.netns(where), [argv[0], "-j", *argv[1:]])
		return json.loads(out) if status in ((0, 3) if command == "status" else (0,)) else err.strip()

	def heal(self):
		"""Everything anew."""
		for where, commands in STANDARD.items():
			self.tap(where, UNLOAD[where])
			self.do(where, commands)

	def do(self, where, commands):
		for command in commands:
			status, _, err = self.tap(where, command)
			if status:
				raise RuntimeError(f"{command}: {err}")

	def check_outside(self, scene):
		"""Nobody without a key got an answer, and the open connection answers."""
		answers, knocks = self.seen
		self.stranger.knocked(knocks)
		self.seen = self.stranger.answers, self.stranger.knocks
		if scene.protected:
			expect(self.seen[0] == answers, "the port was open to", self.seen[0] - answers, "of",
			       self.seen[1] - knocks, "strangers")
		expect(self.stranger.is_alive(), "the stranger is gone")
		expect(self.owner.session_lives(), "the open connection broke")

	def forget_loading(self):
		"""
		No gate waits because the one before went without telling when it last admitted. An
		unload that could not tell says so, and to wait one skew; this is instead of waiting.
		"""
		for mark in glob.glob(f"/run/tapctl/loaded-{self.lab['realm']}-*"):
			os.unlink(mark)

	def settle(self):
		"""The knocks of an open time are forgotten."""
		self.stranger.forget_all()
		self.seen = self.stranger.answers, self.stranger.knocks

	def end(self):
		for where, command in UNLOAD.items():
			self.tap(where, command)
			if os.path.exists(self.pin_dir(where)):
				raise RuntimeError(f"unload left {os.listdir(self.pin_dir(where))}")
