# SPDX-License-Identifier: GPL-2.0-only
"""
Each system call of a command of tapctl made to fail in turn, and tapctl killed at each. After every
one: a clear word or success, the old state or the new one, nobody let in who has no key, the open
connection alive, and a second run that ends where the first should have.
"""
import argparse
import json
import os
import random
import sys
import time

import calls
import probes
from probes import Broken, expect
from scenes import SCENES, State
from world import World

# What to try instead of a sample.
WHOLE = {"all": "killed at every call; every error at what changes something, two at others",
	 "rest": "every error at calls that change nothing",
	 "each": "every call with one error, and killed"}
ALLOWED_NOTE = "tapctl: note: "


def check_words(status, err):
	"""One line that says why; notes may come before it."""
	lines = [line for line in err.splitlines() if not line.startswith(ALLOWED_NOTE)]
	if status == 0:
		expect(not lines, "success, but it said:", lines)
		return
	expect(status == 1, "exit status", status, lines)
	expect(len(lines) == 1 and lines[0].startswith("tapctl: "), "not one line:", lines)
	expect(len(lines[0]) > 25, "says too little:", lines[0])


def faults(call, whole, rng):
	"""What to do to one call: errors, and KILL. WHOLE: which of the options of that name, or None."""
	errors = call.errors()
	if whole == "rest":
		return [] if call.changes else errors
	if whole == "all":
		return ["KILL", *(errors if call.changes else rng.sample(errors, 2))]
	if whole == "each":
		return ["KILL", rng.choice(errors)]
	return [rng.choice(["KILL", rng.choice(errors)])]


class Sweep:
	"""One scene: a command in a state, and all that can go wrong in it."""

	def __init__(self, world, scene):
		self.world, self.scene = world, scene
		self.argv = world.argv(scene.where, scene.command)
		self.runs = self.refused = self.tolerated = self.kills = 0

	def start(self):
		"""Learns the states before and after, and the calls between."""
		self.scene.before(self.world)
		self.old = self.state()
		self.calls = calls.listed(self.world.netns(self.scene.where), self.argv)
		self.new = self.state()
		self.scene.restore(self.world)

	def state(self):
		return State(self.world, self.scene.where, self.scene.command)

	def end(self):
		now = self.state()
		expect(now == self.old, "the scene could not be set again:", now.unlike(self.old))

	def check_outside(self):
		self.world.check_outside(self.scene)

	def converge(self, now):
		"""The next run of the same command does it, unless it was done."""
		if now == self.new and not self.scene.again:
			return
		status, out, err = probes.run(self.world.netns(self.scene.where), self.argv)
		done = self.scene.done_words
		expect(status == 0 or (done and done in err), "the next run says", status, err.strip())
		if not self.scene.again:
			now = self.state()
			expect(now == self.new, "the next run ends elsewhere:", now.unlike(self.new))

	def one(self, call, error):
		netns = self.world.netns(self.scene.where)
		if error == "KILL":
			status, out, err, came = calls.killed(netns, self.argv, call)
		else:
			status, out, err, came = calls.failing(netns, self.argv, call, error)
		expect(came, "the run never came to this call")
		self.runs += 1
		self.check_outside()
		now = self.state()
		if error == "KILL":
			self.kills += 1
		elif not status and ("refuses native" in out or "has no TCX" in out or
				     "admits nobody before" in err):
			# It looks like a driver's failure, and the generic hook is the answer; or like an
			# older kernel's, and clsact is; or nobody knows of earlier admissions, and the
			# gate is shut until none can matter.
			self.tolerated += 1
			self.scene.restore(self.world)
			return
		else:
			check_words(status, err)
			whole = now in (self.old, self.new) if status else now == self.new
			self.refused += status != 0
			self.tolerated += status == 0
			expect(whole or (status and self.scene.partial(now, err)), "exit", status, err.strip(),
			       "left a state between:", now.unlike(self.old if status else self.new))
			expect(not status or now != self.new or self.old == self.new or "done" in err or
			       "carried out" in err, "it did it all, but says", err.strip())
		self.converge(now)
		self.check_outside()
		self.scene.restore(self.world)

	def plan(self, args, rng):
		"""What to try: all that was asked for, or what changes something and a share of the rest."""
		plan = [(call, fault) for call in self.calls for fault in faults(call, args.whole, rng)]
		if not args.whole:
			changing = [p for p in plan if p[0].changes]
			others = [p for p in plan if not p[0].changes]
			plan = rng.sample(changing, min(len(changing), self.scene.most))
			plan += rng.sample(others, min(len(others), args.share))
		return plan


def sweep(world, scene, args, rng):
	try:
		one = Sweep(world, scene)
		one.start()
	except (Broken, RuntimeError) as broken:
		print(f"not ok {scene.name}: cannot begin: {broken}", flush=True)
		return False
	bad = []
	began = time.monotonic()
	plan = one.plan(args, rng)
	plan = [(call, error) for call, error in plan if not args.only or str(call) in args.only]
	rng.shuffle(plan)
	for call, error in plan:
		late = args.seconds and time.monotonic() > began + args.seconds
		if late and one.runs > 1:
			print(f"# {scene.name}: time is up after {one.runs} of {len(plan)}")
			break
		try:
			one.one(call, error)
		except (Broken, RuntimeError) as broken:
			bad.append(f"{error} at {call}: {broken}")
			print(f"# {scene.name}: {bad[-1]}", flush=True)
			scene.before(world)
			one.old = one.state()
	try:
		one.end()
	except Broken as broken:
		bad.append(str(broken))
	figures = (f"{len(one.calls)} calls, {one.runs} runs: {one.refused} errors told, {one.tolerated} survived, "
		   f"{one.kills} kills")
	print(f"# {scene.name}: {time.monotonic() - began:.1f} s")
	if bad:
		print(f"not ok {scene.name}: {figures}; {len(bad)} went wrong, the first: {bad[0]}", flush=True)
	else:
		print(f"ok {scene.name}: {figures}", flush=True)
	return not bad


def main():
	parser = argparse.ArgumentParser(description=__doc__)
	whole = parser.add_mutually_exclusive_group()
	for name, words in WHOLE.items():
		whole.add_argument(f"--{name}", dest="whole", action="store_const", const=name, help=words)
	parser.add_argument("--share", type=int, default=2, help="else: so many calls that change nothing")
	parser.add_argument("--seconds", type=int, help="for each scene, of which the rest is left out")
	parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
	parser.add_argument("--only", action="append", help="only this call, as a report names it")
	parser.add_argument("scenes", nargs="*", help="only these scenes")
	args = parser.parse_args()
	print(f"# seed {args.seed}", flush=True)
	world = World(json.loads(os.environ["TAP_WORLD"]))
	good = True
	for scene in SCENES:
		if not args.scenes or scene.name in args.scenes:
			good &= sweep(world, scene, args, random.Random(f"{args.seed} {scene.name}"))
	print(f"# {sum(os.times()[:4]):.0f} s of CPU time")
	world.end()
	sys.exit(not good)


if __name__ == "__main__":
	main()
