# SPDX-License-Identifier: GPL-2.0-only
"""What one packet costs in the gate and in the splitter, in the kernel's program test runner."""
import json
import subprocess

from lab import BUILD, FLOOD_CPU
from result import Aim, Chart, Result, Table, figure

TITLE = "Cost of one packet"
SETS = {
	"floors": "The floors, and what the runner itself takes",
	"flood": "A stranger's SYN, each from another address",
	"services": "The same (sealed, no mark) with many services",
	"passing": "Segments that pass, and strays",
}
FLOORS = {"times_drop": "× count-and-drop", "times_parse": "× parse-count-and-drop",
	  "times_parser": "× the gate's own parser"}
CHARTED = ("floors", "flood")
NOTES = (
	"Method: a program of ours goes first in each run, writes the next prepared frame over the packet and "
	"tail-calls the program that is measured, so what a run did to the packet is gone in the next one. Its "
	"own cost is told by an empty program behind it, in the same round, and taken off. What is left includes "
	"the test runner's own share, the first line of the first table, in the floors as in the gate.",
	"Each round measures the floors and the gate with the same frames, one after the other; the ratios are "
	"of one round. Caches are warm, as they are in a flood.",
	"Groups: of 1,024 groups from as many addresses all first segments are run and timed, then all second "
	"ones, and so on; each round has new groups. So each segment finds its bucket as cold as 1,024 other "
	"clients left it. All outcomes are checked by the gate's counters.",
	"Splitter: on a device that throws away what it sends (ifb), with the splitter attached, so the price of "
	"a split includes three clones, their way through the device's queue, and the splitter knowing "
	"them again. It stands beside an empty program of its own kind.",
)


def measure(bench):
	effort = ["-q", "-r", "2"] if bench.quick else ["-r", "15"]
	done = subprocess.run(["taskset", "-c", str(FLOOD_CPU), f"{BUILD}/cost/cost", "-j", *effort],
			      capture_output=True, text=True, timeout=1800)
	if done.returncode:
		raise RuntimeError(f"cost: {done.stderr.strip()}")
	return json.loads(done.stdout)


def spread(value):
	return f"{figure(value['median'])} ({figure(value['min'])}..{figure(value['max'])})"


def single(figures):
	rows = [[f["name"], *(spread(f[times]) for times in FLOORS), spread(f["ns"])] for f in figures]
	return ["segment", *FLOORS.values(), "ns"], rows


def groups(figures):
	"""A row for each group, a column for each of its SYNs."""
	rows = {}
	for f in figures:
		name = f["name"].split(": SYN")[0]
		rows.setdefault(name, [name]).append(
			f"{figure(f['times_parse']['median'])} ({figure(f['ns']['median'])} ns)")
	return ["group", *(f"SYN {n}" for n in range(1, 5))], list(rows.values())


def splitter(figures):
	empty = {f["name"].rsplit(": ")[-1]: f["ns"]["median"] for f in figures if "empty" in f["name"]}
	rows = [[f["name"], f["ns"]["median"] / empty[f["name"].rsplit(": ")[-1]], spread(f["ns"])]
		for f in figures]
	return ["SYN", "× empty program", "ns"], rows


def run(bench):
	bench.progress("the gate and the splitter in the test runner")
	figures = measure(bench)
	of = lambda name: [f for f in figures if f["set"] == name]
	result = Result(notes=list(NOTES), data={"figures": figures})
	for name, caption in SETS.items():
		result.tables.append(Table(caption, *single(of(name))))
	result.tables.append(Table("Each SYN of a group, × parse-count-and-drop", *groups(of("groups"))))
	if of("splitter"):
		result.tables.append(Table("A SYN in the splitter", *splitter(of("splitter"))))
	else:
		result.notes.append("The splitter was not measured: this kernel has no ifb device.")
	result.aims = [Aim(f"{f['name']}: × the gate's own parser, count, drop", f["times_parser"]["median"],
			   f["aim"], at_least=False) for f in figures if f["aim"]]
	bars = [(f["name"], f["ns"]["median"]) for f in figures if f["set"] in CHARTED]
	result.charts.append(Chart("cost", "A stranger's SYN in the test runner", "", "ns",
				   {"ns": bars}, kind="bars"))
	return result
