# SPDX-License-Identifier: GPL-2.0-only
"""
How many SYNs a second each defence disposes of on one core. Live frames with random sources and
windows; the sender's core also does all that the server's device makes of them, so a frame's cost is
the sender's share (the same for all) and the defence's.
"""
import re
import statistics
import time

import defences
import lab
from result import Aim, Chart, Result, Table, by_turns, spread

TITLE = "Flood capacity"
ROUNDS, SECONDS = 9, 0.5  # many short ones: aims within a few per cent, on a machine that is not alone
DEFENCES = {**defences.FLOORS, **defences.TAP, **defences.PEERS}
CLOSE = {**defences.FLOORS, **defences.TAP}  # these differ by a few per cent, which takes more rounds
CLOSE_ROUNDS = 4  # for each round of all
REST = 0.2  # seconds for the kernel to be done with the maps and programs of whoever was up before

AIMS = (  # of these two the first is to dispose of so many times as much as the second
	("sealed", "parse", 0.95),
	("sealed", "drop", 0.88),
	("open", "parse", 0.85),
	("open", "drop", 0.78),
	("sealed", "netdev", 2.2),
	("sealed", "cookies2", 14),
	("sealed", "cookies1", 14),
)

NOTES = (
	"A frame counts when the attacked device's receive counter has it: veth counts what it takes out of "
	"its ring and hands to XDP or the stack. \"Lost in the ring\" is what was sent and not received, and "
	"is in no figure. \"Own count\" is what the defence itself says it saw, of the frames received; of "
	"SYN cookies, the cookies sent.",
	"The sender (BPF_PROG_RUN, live frames, XDP_TX) shares the core, and its share is in every figure: "
	"it brings the ratios closer to 1 than the defences' own costs are. Those alone: Cost of one packet.",
	"The windows are random, so one SYN in 65 has a mark of the realm and gets as far as being collected; "
	"with open marks all do.",
	"Where SYNs are answered the answers are made on this core too, and die at the attacker.",
	"nftables and iptables have one rule, which drops what is not from the client's address; xdp-filter "
	"drops the port on the attacked device; fwknopd's drop stands in the INPUT chain, behind conntrack, "
	"as its manual has it. Backlogs are the defaults: tcp_max_syn_backlog {backlog}, somaxconn "
	"{somaxconn}, nginx's listen backlog 1024.",
)


def _flood(seconds):
	"""Frames sent, and how many seconds that took."""
	words = lab.flood(seconds)
	with lab.spawn("attacker", *words, cpu=lab.FLOOD_CPU, fifo=True) as process:
		out, _ = process.communicate(timeout=600)
	found = re.search(r"sent (\d+) seconds ([\d.]+)", out)
	if not found:
		raise RuntimeError(f"flood: {out.strip()}")
	return int(found.group(1)), float(found.group(2))


def _measure(defence, seconds):
	with defence.up() as standing:
		time.sleep(REST)
		seen = standing.seen() if standing.seen else 0
		received = lab.received("server", "eth1")
		sent, took = _flood(seconds)
		time.sleep(0.02)  # what is left in the ring
		received = lab.received("server", "eth1") - received
		return {
			"rate": received / took,
			"received": received,
			"lost": max(0, 1 - received / sent),
			"own_count": (standing.seen() - seen) / received if standing.seen else None,
		}


def _round(found, among, seconds):
	"""Adds a round of those defences, each in turn; another one begins each time."""
	found.append({name: _measure(among[name], seconds) for name in by_turns(among, len(found))})


def _rounds(bench):
	"""[{defence: measurement} for each round]; some rounds are of the close ones only."""
	found = []
	rounds, seconds, close = (1, 0.2, 0) if bench.quick else (ROUNDS, SECONDS, CLOSE_ROUNDS)
	for i in range(rounds):
		bench.progress(f"round {i + 1} of {rounds}")
		_round(found, DEFENCES, seconds)
		for _ in range(close):
			_round(found, CLOSE, seconds / 2)
	return found


def _of(found, name):
	return [measured[name] for measured in found if name in measured]


def _ratios(found, one, other):
	"""Of each round that has both."""
	return [measured[one]["rate"] / measured[other]["rate"] for measured in found
		if one in measured and other in measured]


def _own_count(measured):
	shares = [m["own_count"] for m in measured if m["own_count"] is not None]
	return f"{100 * statistics.median(shares):.2f} %" if shares else ""


def _row(found, name):
	measured = _of(found, name)
	return [
		DEFENCES[name].name,
		spread(_ratios(found, name, "parse")),
		spread(_ratios(found, "sealed", name)),
		spread([m["rate"] / 1e6 for m in measured]),
		f"{100 * statistics.median(m['lost'] for m in measured):.2f} %",
		_own_count(measured),
	]


def _table(found):
	columns = ["", "times parse, count, drop", "TAP (sealed) disposes of times as much",
		   "million SYNs a second", "lost in the ring", "own count"]
	return Table("SYNs that one core disposes of, sender included; median (least..most) of the rounds",
		     columns, [_row(found, name) for name in DEFENCES])


def _sysctl(name):
	return lab.run("server", "sysctl", "-n", name).strip()


def run(bench):
	with lab.off_flood():
		found = _rounds(bench)
	aims = [Aim(f"{DEFENCES[one].name}, against {DEFENCES[other].name}",
		    statistics.median(_ratios(found, one, other)), bound, unit="times")
		for one, other, bound in AIMS]
	bars = [(defence.name, statistics.median(m["rate"] for m in _of(found, name)) / 1e6)
		for name, defence in DEFENCES.items()]
	chart = Chart("capacity", "SYNs that one core disposes of, sender included", "",
		      "million SYNs a second", {"capacity": bars}, kind="bars")
	notes = [note.format(backlog=_sysctl("net.ipv4.tcp_max_syn_backlog"),
			     somaxconn=_sysctl("net.core.somaxconn")) for note in NOTES]
	return Result([_table(found)], aims, [chart], notes, {"rounds": found})
