# SPDX-License-Identifier: GPL-2.0-only
"""What TAP costs when nobody attacks: connections a second, throughput, time to open a connection."""
import collections
import contextlib
import json
import re
import statistics

import lab
from result import Aim, Chart, Result, Table, spread

TITLE = "No attack"
ROUNDS = 8
PAGE = "1k"
BULK_PORT, BULK_OTHER_PORT = 5201, 5202  # the protected one, and one that is not
WITH, BESIDE, EMPTY = "protected port", "other port, TAP loaded", "an empty XDP program"
WITHOUT = "nothing loaded"
WAYS = (WITH, BESIDE, EMPTY, WITHOUT)
# The server has a CPU to itself, or shares it with the client. What the server's device does, gate
# included, is always done by the client's CPU, as a veth pair has it.
APART, TOGETHER = "a CPU each", "one CPU for both"
CPUS = {APART: lab.FLOOD_CPU, TOGETHER: lab.REST_CPU}
PASS = f"{lab.BUILD}/bench/pass.bpf.o"
UNITS = {"ab": "connections/s", "wrk": "connections/s", "to the server": "Gbit/s", "from the server": "Gbit/s"}
NOTES = (
	"ab and wrk ask for a page of 1 KB on ten connections at a time, a new connection for each request "
	"(HTTP/1.0, or Connection: close). iperf3 sends one stream.",
	f"\"{APART}\": web server (or iperf3 -s) and client have a processor each, as client and server mostly "
	f"have. The gate then runs on the client's processor, which a veth pair lends it. \"{TOGETHER}\": every "
	"microsecond of splitter, four SYNs and gate is taken from the same processor that makes the requests and "
	"answers them: the sharpest measure.",
	"Each round measures the protected port; another port of the same server, with the same gate and splitter "
	"loaded; the first port with no more than an XDP program that passes all at the server, which is what "
	"a veth pair takes for any XDP program (it copies each packet for it, and a network card does not; so it "
	"is that column that says what TAP itself takes of the throughput); and the same with nothing loaded. "
	"Ratios are of one round, against nothing loaded.",
)


def on_cpu(cpu, *argv):
	return lab.run("client", "taskset", "-c", str(cpu), *argv)


def number(pattern, text):
	return float(re.search(pattern, text).group(1))


def ab(bench, cpu, port):
	said = on_cpu(cpu, "ab", "-q", "-c", "10", "-n", str(1000 if bench.quick else 8000),
		      f"http://{lab.SERVER}:{port}/{PAGE}")
	if "Failed requests:        0" not in said:
		raise RuntimeError("ab: requests failed")
	return number(r"Requests per second: *([0-9.]+)", said)


def wrk(bench, cpu, port):
	said = on_cpu(cpu, "wrk", "-t", "1", "-c", "10", "-d", "1s", "-H", "Connection: close",
		      f"http://{lab.SERVER}:{port}/{PAGE}")
	return number(r"Requests/sec: *([0-9.]+)", said)


def bulk(bench, cpu, port, *options):
	size = ("-n", "200M") if bench.quick else ("-t", "1")
	said = on_cpu(cpu, "iperf3", "-c", lab.SERVER, "-p", str(port), *size, "-J", *options)
	return json.loads(said)["end"]["sum_received"]["bits_per_second"] / 1e9


def opening(bench, port, other):
	said = on_cpu(lab.REST_CPU, f"{lab.BUILD}/bench/opening", lab.SERVER, str(port), str(other),
		      str(200 if bench.quick else 2000))
	return json.loads(said)


def once(bench, port, bulk_port):
	"""{(what, where): figure} of one way to get to the server."""
	found = {}
	measures = [("ab", ab, APART), ("wrk", wrk, APART)]
	if not bench.quick:
		measures.append(("wrk", wrk, TOGETHER))
	for what, measure, where in measures:
		lab.forget()
		found[what, where] = measure(bench, CPUS[where], port)
	found["to the server", APART] = bulk(bench, CPUS[APART], bulk_port)
	found["from the server", APART] = bulk(bench, CPUS[APART], bulk_port, "-R")
	lab.forget()
	return found


def protect_bulk():
	lab.tap("server", "service", "add", str(BULK_PORT))
	lab.tap("client", "rule", "add", "--peer", "server", "--port", str(BULK_PORT))


@contextlib.contextmanager
def empty_program():
	lab.run("server", "ip", "link", "set", "eth0", "xdpdrv", "obj", PASS, "section", "xdp.frags")
	try:
		yield
	finally:
		lab.run("server", "ip", "link", "set", "eth0", "xdpdrv", "off")


def one_round(bench):
	figures, times = {}, {}
	with lab.protected():
		protect_bulk()
		figures[WITH] = once(bench, lab.PORT, BULK_PORT)
		figures[BESIDE] = once(bench, lab.OTHER_PORT, BULK_OTHER_PORT)
		both = opening(bench, lab.PORT, lab.OTHER_PORT)
		times[WITH], times[BESIDE] = both[str(lab.PORT)], both[str(lab.OTHER_PORT)]
	with empty_program():
		figures[EMPTY] = once(bench, lab.PORT, BULK_PORT)
		times[EMPTY] = opening(bench, lab.PORT, lab.OTHER_PORT)[str(lab.PORT)]
	figures[WITHOUT] = once(bench, lab.PORT, BULK_PORT)
	times[WITHOUT] = opening(bench, lab.PORT, lab.OTHER_PORT)[str(lab.PORT)]
	return figures, times


def rates(rounds):
	"""{(what, where): {way: [figures]}}, the same as ratios to nothing loaded."""
	absolute = collections.defaultdict(lambda: collections.defaultdict(list))
	ratios = collections.defaultdict(lambda: collections.defaultdict(list))
	for figures, _ in rounds:
		for way, found in figures.items():
			for what, value in found.items():
				absolute[what][way].append(value)
				ratios[what][way].append(value / figures[WITHOUT][what])
	return absolute, ratios


def tables(absolute, ratios, times):
	relative = [[what, where, *(spread(ratios[what, where][way]) for way in WAYS[:-1])]
		    for what, where in ratios]
	rates = [[what, where, *(spread(absolute[what, where][way]) for way in WAYS), UNITS[what]]
		 for what, where in absolute]
	opened = [[way, spread([t[way]["median"] for t in times]), spread([t[way]["p99"] for t in times])]
		  for way in WAYS]
	return [Table(f"Rates, × {WITHOUT}", ["", "", *WAYS[:-1]], relative),
		Table("Rates", ["", "", *WAYS, ""], rates),
		Table("To open a connection, µs", ["", "median", "p99"], opened)]


def aims(ratios, times):
	middle = lambda what: statistics.median(ratios[what, APART][WITH])
	beside_empty = lambda what: statistics.median(
		a / b for a, b in zip(ratios[what, APART][WITH], ratios[what, APART][EMPTY]))
	added = [t[WITH]["median"] - t[WITHOUT]["median"] for t in times]
	return [
		Aim("connections/s by ab, with : without", middle("ab"), 0.98),
		Aim("connections/s by wrk, with : without", middle("wrk"), 0.98),
		Aim("throughput to the server, with : without", middle("to the server"), 0.99),
		Aim("throughput from the server, with : without", middle("from the server"), 0.99),
		Aim("throughput to the server, with TAP : with an empty XDP program", beside_empty("to the server"),
		    0.99),
		Aim("throughput from the server, with TAP : with an empty XDP program",
		    beside_empty("from the server"), 0.99),
		Aim("added to the opening of a connection", statistics.median(added), 30, at_least=False,
		    unit="µs"),
	]


def run(bench):
	with open(f"{lab.LAB}/www/{PAGE}", "w", encoding="ascii") as page:
		page.write("." * 1024)
	rounds = []
	with lab.spawn("server", "iperf3", "-s", "-p", str(BULK_PORT), cpu=lab.REST_CPU), \
	     lab.spawn("server", "iperf3", "-s", "-p", str(BULK_OTHER_PORT), cpu=lab.REST_CPU):
		count = 1 if bench.quick else ROUNDS
		for i in range(count):
			bench.progress(f"round {i + 1} of {count}")
			rounds.append(one_round(bench))
	absolute, ratios = rates(rounds)
	times = [times for _, times in rounds]
	bars = {way: [(f"{what}, {where}", statistics.median(ratios[what, where][way])) for what, where in ratios]
		for way in WAYS[:-1]}
	raw = {f"{what}, {where}": dict(ways) for (what, where), ways in absolute.items()}
	return Result(tables=tables(absolute, ratios, times), aims=aims(ratios, times), notes=list(NOTES),
		      charts=[Chart("calm", "Rates with TAP loaded, to those without", "", "ratio", bars,
				    kind="bars")],
		      data={"rates": raw, "opening": times})
