# SPDX-License-Identifier: GPL-2.0-only
"""The memory of TAP's maps, the time to load and to set up, and admissions into a full record."""
import base64
import contextlib
import json
import os
import statistics
import subprocess
import time

import lab
from result import Aim, Result, Table, figure, spread

TITLE = "Memory and load time"
KEYS = (1, 1000, 65535)
MANY = 256  # services, and client rules
REPLAY = (16384, 131072, 1048576)  # the middle one is the default
RECORDS, RECORDS_QUICK = 1000000, 31000
MIB = 1 << 20
NOTES = (
	"Memory: bytes_memlock, as the kernel counts it, of all maps, rule sets in force included. Keys have names "
	"here, and a name takes memory when it is there; all else is allocated in the beginning.",
	"Times are of tapctl as a whole, from start to end; loads and unloads wait for the kernel to be done with "
	"the old programs.",
	"Admissions: all records were made by the gate itself, from whole groups (build/selftests/cost/fill). "
	"Figures are of the fourth SYN in the test runner, 1,024 groups at a time, less an empty program's; each "
	"round with few records (at most 1,024) and one with many, one after the other. \"Full\": each admission "
	"pushes an older record out.",
)


def bpftool(*argv):
	done = subprocess.run(["bpftool", "-j", *argv], capture_output=True, text=True, check=True)
	return json.loads(done.stdout)


def pinned(side, maps):
	"""What is pinned there: the maps, or the links."""
	return [f"{lab.pins(side)}/{name}" for name in os.listdir(lab.pins(side)) if name.startswith("tap_") == maps]


def with_inner(number):
	"""A map, and what it points to, if it is one of maps."""
	shown = bpftool("map", "show", "id", str(number))
	if shown["type"] != "array_of_maps":
		return [shown]
	inner = [entry["value"] for entry in bpftool("map", "dump", "id", str(number)) if "value" in entry]
	numbers = [int.from_bytes(bytes(int(b, 16) for b in value), "little") for value in inner]
	return [shown, *(bpftool("map", "show", "id", str(n)) for n in numbers if n)]


def memory(side):
	"""MiB of all maps of that side: those that its programs use, and those that only tapctl does."""
	programs = {bpftool("link", "show", "pinned", link)["prog_id"] for link in pinned(side, maps=False)}
	used = [bpftool("prog", "show", "id", str(program))["map_ids"] for program in programs]
	shown = [m for numbers in used for number in numbers for m in with_inner(number)]
	shown += [bpftool("map", "show", "pinned", pin) for pin in pinned(side, maps=True)]
	return sum({m["id"]: m["bytes_memlock"] for m in shown}.values()) / MIB


def timed(into, what, *argv):
	"""Runs tapctl; how long it took goes to the list of that name."""
	began = time.monotonic()
	lab.tap(*argv)
	into.setdefault(what, []).append(time.monotonic() - began)


class Files:
	"""What is imported: keys, services and rules, so many that there are `count` with the first one."""

	def __init__(self, directory):
		self.directory = directory

	def write(self, name, lines):
		path = f"{self.directory}/{name}"
		with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
			file.writelines(line + "\n" for line in lines)
		return path

	def keys(self, count):
		others = (i for i in range(1, 65536) if i != lab.KEY_ID)
		return self.write(f"keys-{count}", (f"{i} {base64.b64encode(os.urandom(32)).decode()} name=user{i}"
						    for i, _ in zip(others, range(count - 1))))

	def services(self, count):
		return self.write("services", (f"{20000 + i} --src 198.18.{i}.0/24" for i in range(count - 1)))

	def rules(self, count):
		return self.write("rules", (f"--peer server --port {20000 + i} --dst 198.18.{i}.0/24"
					    for i in range(count - 1)))


@contextlib.contextmanager
def loaded(times, *options):
	"""As lab.protected(), with its loads and unloads timed."""
	timed(times, "load the gate", "server", "server", "load", "-i", "eth0,eth1", "--realm-key",
	      lab.key("realm"), *options)
	try:
		timed(times, "load the splitter", "client", "client", "load", "-i", "eth0")
		try:
			yield
		finally:
			timed(times, "unload the splitter", "client", "client", "unload")
	finally:
		timed(times, "unload the gate", "server", "server", "unload")


def set_up():
	"""One key, one service, one rule."""
	lab.tap("server", "service", "add", str(lab.PORT))
	lab.tap("server", "key", "add", str(lab.KEY_ID), "--user-key", lab.key("a"), "--rate", "0")
	lab.tap("client", "peer", "add", "server", "--realm-key", lab.key("realm"), "--user-key", lab.key("a"),
		"--key-id", str(lab.KEY_ID))
	lab.tap("client", "rule", "add", "--peer", "server", "--port", str(lab.PORT))


def with_keys(files, times, count):
	"""Memory with so many keys; with the last number of them also with many services and rules."""
	sizes = {}
	with loaded(times):
		set_up()
		timed(times, "reload the gate", "server", "server", "load", "-i", "eth0,eth1", "--realm-key",
		      lab.key("realm"), "--skew", "29")
		if count > 1:
			timed(times, f"import {count - 1:,} keys", "server", "key", "import", files.keys(count))
		sizes[f"server, keys: {count:,}, services: 1"] = memory("server")
		if count == KEYS[0]:
			sizes["client, rules: 1"] = memory("client")
		if count != KEYS[-1]:
			return sizes
		timed(times, f"import {MANY - 1} services", "server", "service", "import", files.services(MANY))
		timed(times, f"import {MANY - 1} client rules", "client", "rule", "import", files.rules(MANY))
		sizes[f"server, keys: {count:,}, services: {MANY}"] = memory("server")
		sizes[f"client, rules: {MANY}"] = memory("client")
	return sizes


def with_records(times, size):
	with loaded(times, "--replay-size", str(size)):
		lab.tap("server", "service", "add", str(lab.PORT))
		return {f"server, replay size: {size:,}": memory("server")}


def fill(bench):
	"""What fill.c found."""
	done = subprocess.run(["taskset", "-c", str(lab.FLOOD_CPU), f"{lab.BUILD}/cost/fill",
			       str(RECORDS_QUICK if bench.quick else RECORDS)],
			      capture_output=True, text=True, timeout=1800)
	if done.returncode:
		raise RuntimeError(f"fill: {done.stderr.strip()}")
	return json.loads(done.stdout)


def admissions(filled, records):
	"""The table of admissions, against the number of records."""
	said = lambda name: "{} ({}..{})".format(*(figure(filled[name][key]) for key in ("median", "min", "max")))
	return Table("An admission (the fourth SYN), against the groups on record",
		     ["on record", "× few on record", "ns", "few on record, ns"],
		     [[f"{records:,}", said("many : few"), said("many"), said("few")],
		      [f"{records:,}, full", said("full : few"), said("full"), said("few again")]])


def aims(sizes, times, filled):
	at_most = lambda text, value, bound, unit: Aim(text, value, bound, at_least=False, unit=unit)
	slowest = max(statistics.median(values) for what, values in times.items() if what.startswith("import"))
	return [
		at_most("memory at the server, all keys and services", sizes[f"server, keys: {KEYS[-1]:,}, services: {MANY}"],
			64, "MiB"),
		at_most("memory at the client, all rules", sizes[f"client, rules: {MANY}"], 4, "MiB"),
		at_most("the slowest import", slowest, 2, "s"),
		at_most("groups admitted a second time, with the record full", filled["admitted twice"], 0, ""),
	]


def run(bench):
	times, sizes = {}, {}
	files = Files(lab.LAB)
	for i in range(1 if bench.quick else 3):
		bench.progress(f"loads, imports and unloads, round {i + 1}")
		for count in KEYS:
			sizes |= with_keys(files, times, count)
	for size in REPLAY[-1:] if bench.quick else REPLAY:
		sizes |= with_records({}, size)
	records = RECORDS_QUICK if bench.quick else RECORDS
	bench.progress(f"{records:,} admissions")
	filled = fill(bench)
	result = Result(aims=aims(sizes, times, filled), notes=list(NOTES),
			data={"MiB": sizes, "seconds": times, "fill": filled})
	result.tables = [
		Table("Memory of the maps", ["", "MiB"], [[name, size] for name, size in sizes.items()]),
		Table("Time of tapctl's commands", ["", "s"], [[what, spread(values)] for what, values in times.items()]),
		admissions(filled, records),
	]
	result.notes.append(f"{filled['replayed']:,} of the groups, spread over all, were sent again: "
			    f"{filled['on record']:,} were on record, {filled['too old']:,} too old to be sure, "
			    f"{filled['admitted twice']:,} admitted.")
	return result
