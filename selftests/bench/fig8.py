# SPDX-License-Identifier: GPL-2.0-only
"""
Figure 8 of the paper: a hundred fetches at once by one who may, while a flood of SYNs rises to what
one core can send. The same for each defence, and each time from scratch.
"""
import math
import statistics
import time

import defences
import lab
from result import Aim, Chart, Result, Table, figure

TITLE = "Legitimate fetches during a SYN flood (figure 8 of the paper)"
DEFENCES = {**defences.TAP, **defences.PEERS}
MOST = "as many as can be"  # no rate: as fast as it goes
RATES = (0, 10_000, 100_000, 300_000, 1_000_000, MOST)
QUICK_RATES = (0, MOST)
FETCHES = 100
GIVE_UP, QUICK_GIVE_UP = 5, 0.5  # seconds
SETTLE, QUICK_SETTLE = 0.5, 0.1  # seconds of flood before the first fetch
FLOOD_MOST = 600  # seconds; it is ended when the fetches are
NO_FLOOD_AT = 1000  # where 0 stands on a logarithmic axis
ROUNDS = 3

NOTES = (
	"A fetch succeeds if the whole page came within {give_up} s (the paper: 45 s; the kernel sends a lost "
	"SYN again after 1 s, so a defence has several tries). Times to connect are those of all {fetches} "
	"fetches: \"none\" says that so many never connected.",
	"The flood's core does all that the server's device makes of the flood, so where a defence is slower "
	"than the rate asked for, less is sent: the lines of the charts stand at the rates that arrived, and "
	"end where a core was used up. The client comes over another device and core, so no defence loses the "
	"client's packets in a full receive queue, as it would on one real NIC. That is kind to the slow ones.",
	"No flood stands at 1,000 SYNs a second in the charts.",
	"The drops of nftables, iptables and xdp-filter stand for lists that know the client's address (or "
	"device) in advance: whoever is not on the list, key or not, cannot come in. TAP and fwknopd need no "
	"such list. fwknopd opens the port to the client's address, so to all who share it.",
)


def _arrives(before):
	"""Waits for more frames than the flood before may have left in the device's ring (256)."""
	end = time.monotonic() + 60
	while lab.received("server", "eth1") - before < 1000:
		if time.monotonic() > end:
			raise RuntimeError("the flood does not start")
		time.sleep(0.01)


def _fetch(bench, standing):
	"""What the client sees, with the flood, if any, going on."""
	knock = standing.knock() if standing.knock else None
	give_up = QUICK_GIVE_UP if bench.quick else GIVE_UP
	return {"knock": knock, **lab.fetch("--count", str(FETCHES), "--give-up", str(give_up))}


def _flooded(bench, standing, rate):
	options = () if rate == MOST else ("--rate", str(rate))
	before = lab.received("server", "eth1")
	with lab.spawn("attacker", *lab.flood(FLOOD_MOST, *options), cpu=lab.FLOOD_CPU, fifo=True):
		_arrives(before)
		before, began = lab.received("server", "eth1"), time.monotonic()
		time.sleep(QUICK_SETTLE if bench.quick else SETTLE)
		seen = _fetch(bench, standing)
		arrived = (lab.received("server", "eth1") - before) / (time.monotonic() - began)
	return {"arrived": arrived, **seen}


def _measure(bench, defence, rates):
	"""{rate: what the client saw}"""
	found = {}
	with defence.up() as standing:
		if not standing.knock:
			lab.let_in()
		for rate in rates:
			lab.forget()
			if rate == 0:
				found[rate] = {"arrived": 0, **_fetch(bench, standing)}
			else:
				found[rate] = _flooded(bench, standing, rate)
	return found


def _rounds(bench, rates):
	"""{defence: {rate: [measurement of each round]}}"""
	found = {name: {rate: [] for rate in rates} for name in DEFENCES}
	rounds = min(ROUNDS, bench.rounds)
	for i in range(rounds):
		for name, defence in DEFENCES.items():
			bench.progress(f"round {i + 1} of {rounds}: {defence.name}")
			for rate, seen in _measure(bench, defence, rates).items():
				found[name][rate].append(seen)
	return found


def _values(measured, what):
	"""Of each round; a time that never came is infinite."""
	return [math.inf if m[what] is None else m[what] for m in measured]


def _success(measured):
	return [100 * m["successes"] / m["fetches"] for m in measured]


def _ms(value):
	return "none" if value == math.inf else figure(float(value))


def _label(rate):
	return f"{rate:,}" if rate != MOST else MOST


def _table(found, rates, caption, cell):
	"""A row for each defence, a column for each rate."""
	rows = [[DEFENCES[name].name, DEFENCES[name].admits, *(cell(by_rate[rate]) for rate in rates)]
		for name, by_rate in found.items()]
	return Table(caption, ["SYNs a second", "lets in", *map(_label, rates)], rows)


def _cell_success(measured):
	values = _success(measured)
	return f"{figure(statistics.median(values))} ({figure(min(values))})"


def _cell_times(measured):
	return " / ".join(_ms(statistics.median(_values(measured, f"connect_{what}_ms")))
			  for what in ("p50", "p99", "max"))


def _cell_arrived(measured):
	return figure(statistics.median(m["arrived"] for m in measured) / 1e6)


def _cell_knock(measured):
	values = [1000 * value for value in _values(measured, "knock")]
	return f"{_ms(statistics.median(values))} ({_ms(max(values))})"


def _tables(found, rates):
	knocks = {name: by_rate for name, by_rate in found.items() if DEFENCES[name].admits == defences.KNOCK}
	return [
		_table(found, rates, f"% of {FETCHES} fetches at once that succeeded: median (least) of the rounds",
		       _cell_success),
		_table(found, rates, "Time to connect, ms: p50 / p99 / the longest, each the median of the rounds",
		       _cell_times),
		_table(found, rates, "SYNs that arrived, million a second", _cell_arrived),
		_table(knocks, rates, "From the knock to the open port, ms: median (most) of the rounds",
		       _cell_knock),
	]


def _series(found, value):
	"""{defence: [(rate that arrived, value)]}; what is infinite is not drawn."""
	series = {}
	for name, by_rate in found.items():
		points = [(max(NO_FLOOD_AT, statistics.median(m["arrived"] for m in measured)), value(measured))
			  for measured in by_rate.values()]
		drawn = sorted(point for point in points if point[1] != math.inf)
		if drawn:
			series[DEFENCES[name].name] = drawn
	return series


def _p99(measured):
	return statistics.median(_values(measured, "connect_p99_ms"))


def _charts(found):
	x = "SYNs a second that arrived (no flood: at 1,000)"
	return [
		Chart("fig8", f"{FETCHES} fetches at once during a SYN flood", x, "% that succeeded",
		      _series(found, lambda measured: statistics.median(_success(measured))), logx=True),
		Chart("fig8-connect", "Time to connect during a SYN flood, 99th of 100", x, "ms",
		      _series(found, _p99), logx=True, logy=True),
		_withstood_chart(found),
	]


def _withstood(by_rate):
	"""The highest rate that arrived, of those up to which all fetches succeeded in all rounds."""
	highest = 0
	for measured in by_rate.values():
		if min(_success(measured)) < 100:
			break
		highest = max(highest, statistics.median(m["arrived"] for m in measured))
	return highest


def _withstood_chart(found):
	bars = [(DEFENCES[name].name, _withstood(by_rate) / 1e6) for name, by_rate in found.items()]
	return Chart("fig8-withstood", f"The highest SYN flood in which all of {FETCHES} fetches succeeded", "",
		     "million SYNs a second", {"withstood": bars}, kind="bars")


def _aims(found, rates):
	sealed = found["sealed"]
	million = 1_000_000 if 1_000_000 in rates else rates[-1]
	return [
		Aim("TAP, sealed marks: fetches that succeed, at every rate and in every round",
		    min(min(_success(measured)) for measured in sealed.values()), 100.0, unit="%"),
		Aim(f"TAP, sealed marks: p99 of the time to connect, {_label(million)} SYNs a second",
		    _p99(sealed[million]), 20.0, at_least=False, unit="ms"),
	]


def run(bench):
	rates = QUICK_RATES if bench.quick else RATES
	with lab.off_flood():
		found = _rounds(bench, rates)
	give_up = QUICK_GIVE_UP if bench.quick else GIVE_UP
	notes = [note.format(fetches=FETCHES, give_up=give_up) for note in NOTES]
	return Result(_tables(found, rates), _aims(found, rates), _charts(found), notes, {"rounds": found})
