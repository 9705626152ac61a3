# SPDX-License-Identifier: GPL-2.0-only
"""
Order and spacing of the four SYNs: groups whose SYNs come one by one, or in any order, while a flood of
strangers' SYNs goes through the buckets where the gate lets them wait for each other.
"""
import contextlib
import statistics

import badpath
import lab
from arithmetic import survival
from result import Chart, Table

# (milliseconds between one and the next, each late by up to so many milliseconds)
SPACINGS = ((0, 0), (1, 0), (10, 0), (100, 0), (0, 10), (0, 100))
RATES = (0, 30_000, 100_000, 300_000, 1_000_000)
PATIENCE = 0.95  # seconds: less than until the kernel sends again


def name(spacing):
	gap, jitter = spacing
	return f"any order within {jitter} ms" if jitter else f"{gap} ms apart"


@contextlib.contextmanager
def flood(rate, seconds, port):
	"""SYNs of strangers. They are stored: the gate takes every window for a mark. Yields a function
	that waits for the flood's end and returns the SYNs a second that it sent."""
	if not rate:
		yield lambda: 0
		return
	words = [lab.FLOOD, "--dev", "eth0", "--dst-mac", lab.mac("server", "eth1"), "--dst", lab.ATTACKED,
		 "--dport", str(port), "--rate", str(rate), "--seconds", str(seconds)]
	with lab.spawn("attacker", *words, cpu=lab.FLOOD_CPU, fifo=True) as process:
		yield lambda: float(process.stdout.read().split()[-1])


def one(rate, count, span):
	"""At this rate of the flood: its real rate, and of each spacing the times and what the path did."""
	ports = dict(zip(badpath.PROTECTED, SPACINGS))
	rules = {port: f"gap={gap},jitter={jitter}" for port, (gap, jitter) in ports.items()}
	with badpath.path(rules) as path, flood(rate, span + PATIENCE + 0.5, badpath.PROTECTED[0]) as flooded:
		times = badpath.Dial(ports, count, span, PATIENCE).times()
		sent = flooded()
	return sent, {spacing: times[port] for port, spacing in ports.items()}, \
		{spacing: path.ports[port] for port, spacing in ports.items()}


def measure(bench):
	"""{rate: [(real rate, {spacing: times}, {spacing: counts of the path}) of each round]}"""
	count, span, rounds, rates = (40, 0.4, 1, RATES[:2]) if bench.quick else (200, 1.0, 3, RATES)
	found = {rate: [] for rate in rates}
	with badpath.protected("--mark", "open"):
		for number in range(rounds):
			bench.progress(f"order and spacing: round {number + 1} of {rounds}")
			for rate in rates:
				found[rate].append(one(rate, count, span))
	return found, count


def add(bench, result):
	"""Measures, and adds what was found to an experiment's result."""
	found, count = measure(bench)
	rates = {rate: statistics.median(sent for sent, _, _ in rounds) for rate, rounds in found.items()}
	shares = {(spacing, rate): [len(times[spacing]) / count for _, times, _ in rounds]
		  for rate, rounds in found.items() for spacing in SPACINGS}
	expected = {(spacing, rate): survival(rates[rate], spacing[0] / 1000, spacing[1] / 1000)
		    for rate in rates for spacing in SPACINGS}
	quiet = found[0]
	columns = ["the four SYNs", "ms to connect, no flood", "SYNs overtaken, %"]
	columns += [f"{rate:,.0f} strangers/s" for rate in rates.values()]
	rows = []
	for spacing in SPACINGS:
		counts = [path[spacing] for _, _, path in quiet]
		overtaken = sum(c["overtaken"] for c in counts) / (4 * sum(c["groups"] for c in counts))
		row = [name(spacing), statistics.median(ms for _, times, _ in quiet for ms in times[spacing]),
		       100 * overtaken]
		for rate in rates:
			got = [100 * share for share in shares[spacing, rate]]
			row.append(f"{statistics.median(got):.1f} ({min(got):.1f}..{max(got):.1f}); "
				   f"{100 * expected[spacing, rate]:.1f}")
		rows.append(row)
	result.tables.append(Table("Connected at the first try, % (least..most of the rounds), and what the bucket's "
				   "arithmetic says, while strangers' SYNs are stored beside", columns, rows))
	if not bench.quick:
		series = {name(spacing): [(rates[rate], 100 * statistics.median(shares[spacing, rate]))
					  for rate in rates if rate] for spacing in SPACINGS}
		result.charts.append(Chart("spacing", "Groups that survive strangers, by the spacing of their four SYNs",
					   "strangers' SYNs stored, per second", "connected at the first try, %", series,
					   logx=True))
	result.notes.append("Order and spacing: with open marks, so that every SYN of the flood is stored. With sealed "
			    "marks it takes 64 times the flood, or a captured mark, to do the same.")
	result.data["spacing"] = [{"gap_ms": gap, "jitter_ms": jitter, "strangers_per_s": rates[rate],
				   "connected_each_round": shares[(gap, jitter), rate], "connections_each_round": count,
				   "arithmetic": expected[(gap, jitter), rate]}
				  for gap, jitter in SPACINGS for rate in rates]
