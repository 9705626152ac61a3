# SPDX-License-Identifier: GPL-2.0-only
"""
Order and spacing of the four SYNs: groups whose SYNs come one by one, or in any order, while a flood of
strangers' SYNs goes through the buckets where the gate lets them wait for each other.
"""
import contextlib
import statistics
import time

import badpath
import lab
from arithmetic import survival
from result import Chart, Table

# (milliseconds between one and the next, each late by up to so many milliseconds)
SPACINGS = ((0, 0), (1, 0), (10, 0), (100, 0), (0, 10), (0, 100))
RATES = (0, 30_000, 100_000, 300_000, 1_000_000)
BEGUN = 1000  # SYNs that have come when a flood has begun
PATIENCE, QUICK_PATIENCE = 0.95, 0.4  # seconds: less than until the kernel sends again


def name(spacing):
	gap, jitter = spacing
	return f"any order within {jitter} ms" if jitter else f"{gap} ms apart"


@contextlib.contextmanager
def flood(rate, seconds, port):
	"""SYNs of strangers, which have begun to come. They are stored: the gate takes every window for a
	mark. Yields a function that waits for the flood's end and returns the SYNs a second that it sent."""
	if not rate:
		yield lambda: 0
		return
	words = lab.flood(seconds, "--rate", str(rate), port=port)
	with lab.spawn("attacker", *words, cpu=lab.FLOOD_CPU, fifo=True) as process:
		before = lab.received("server", "eth1")
		while process.poll() is None and lab.received("server", "eth1") < before + BEGUN:
			time.sleep(0.01)
		yield lambda: float(process.stdout.read().split()[-1])


def one(rate, count, span, patience):
	"""At this rate of the flood: its real rate, and of each spacing the times and what the path did."""
	ports = dict(zip(badpath.PROTECTED, SPACINGS))
	rules = {port: f"gap={gap},jitter={jitter}" for port, (gap, jitter) in ports.items()}
	seconds = span + patience + 0.3
	with badpath.path(rules, lab.REST_CPU) as path, flood(rate, seconds, badpath.PROTECTED[0]) as flooded:
		times = badpath.Dial(ports, count, span, patience).times()
		sent = flooded()
	return sent, {spacing: times[port] for port, spacing in ports.items()}, \
		{spacing: path.ports[port] for port, spacing in ports.items()}


class Found:
	"""What was found, by spacing and by the rate asked of the flood."""

	def __init__(self, rates, count, span):
		self.asked = rates
		self.count = count  # connections of each spacing in each round
		self.own = 4 * count * len(SPACINGS) / span  # segments a second: strangers to each other, too
		self.rounds = {rate: [] for rate in rates}  # what one() returns

	def rate(self, asked):
		return statistics.median(sent for sent, _, _ in self.rounds[asked])

	def shares(self, spacing, asked):
		return [len(times[spacing]) / self.count for _, times, _ in self.rounds[asked]]

	def survival(self, spacing, asked):
		gap, jitter = spacing
		return survival(self.rate(asked) + self.own, gap / 1000, jitter / 1000)

	def delay(self, spacing):
		"""Milliseconds to connect without a flood."""
		return statistics.median(ms for _, times, _ in self.rounds[0] for ms in times[spacing])

	def overtaken(self, spacing):
		"""The share of SYNs that a later one of their group overtook."""
		counts = [path[spacing] for _, _, path in self.rounds[0]]
		return sum(c["overtaken"] for c in counts) / (4 * sum(c["groups"] for c in counts))

	def words(self, spacing, asked):
		got = [100 * share for share in self.shares(spacing, asked)]
		expected = 100 * self.survival(spacing, asked)
		return f"{statistics.median(got):.1f} ({min(got):.1f}..{max(got):.1f}); {expected:.1f}"

	def table(self):
		return Table(
			"Connected at the first try, % (least..most of the rounds); what the buckets' arithmetic says. "
			"Beside them the gate stores so many SYNs of strangers a second",
			["the four SYNs", "ms to connect, no flood", "SYNs overtaken, %",
			 *(f"{self.rate(asked):,.0f} strangers/s" for asked in self.asked)],
			[[name(spacing), self.delay(spacing), 100 * self.overtaken(spacing),
			  *(self.words(spacing, asked) for asked in self.asked)] for spacing in SPACINGS])

	def chart(self):
		series = {name(spacing): [(self.rate(asked), 100 * statistics.median(self.shares(spacing, asked)))
					  for asked in self.asked if asked] for spacing in SPACINGS}
		return Chart("spacing", "Groups that survive strangers, by the spacing of their four SYNs",
			     "strangers' SYNs stored, per second", "connected at the first try, %", series, logx=True)

	def data(self):
		return [{"gap_ms": spacing[0], "jitter_ms": spacing[1], "strangers_per_s": self.rate(asked),
			 "connections_each_round": self.count, "connected_each_round": self.shares(spacing, asked),
			 "arithmetic": self.survival(spacing, asked)} for spacing in SPACINGS for asked in self.asked]


def measure(bench):
	count, span, rounds, rates = (40, 0.3, 1, RATES[:2]) if bench.quick else (200, 1.0, 3, RATES)
	patience = QUICK_PATIENCE if bench.quick else PATIENCE
	found = Found(rates, count, span)
	with badpath.protected("--mark", "open"):
		for number in range(rounds):
			bench.progress(f"order and spacing: round {number + 1} of {rounds}")
			for rate in rates:
				found.rounds[rate].append(one(rate, count, span, patience))
	return found


def add(bench, result):
	"""Measures, and adds what was found to an experiment's result."""
	found = measure(bench)
	result.tables.append(found.table())
	if not bench.quick:
		result.charts.append(found.chart())
	result.notes.append("Order and spacing: with open marks, so that every SYN of the flood is stored. With "
			    "sealed marks it takes 64 times the flood, or a captured mark, to do the same. The "
			    "experiment's own groups are strangers to each other, too; the arithmetic counts their "
			    "SYNs, but does not know that they come in fours.")
	result.data["spacing"] = found.data()
