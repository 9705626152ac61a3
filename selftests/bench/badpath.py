# SPDX-License-Identifier: GPL-2.0-only
"""The client's other way to the server: a path that loses, doubles, spaces and delays (see
selftests/path/), and many connections over it."""
import contextlib
import json
import os
import subprocess

import lab

ADDRESS = "198.18.0.1"  # the server's, over the path
PROTECTED = range(9000, 9100)  # ports of services; nobody protects the others
OPEN = range(9100, 9200)
PATIENCE = 30  # seconds, for programs that should have ended


@contextlib.contextmanager
def protected(*options):
	"""TAP at both ends of the path, and on the attacker's link."""
	ports = f"{PROTECTED[0]}-{PROTECTED[-1]}"
	lab.gate(*options, devices="eth1,eth2", ports=ports)
	try:
		lab.splitter("eth1", ports)
		try:
			yield
		finally:
			lab.tap("client", "client", "unload")
	finally:
		lab.tap("server", "server", "unload")


def _wait_ready(process):
	line = process.stdout.readline()
	if line != "ready\n":
		raise RuntimeError((line + process.stdout.read()).strip())


class Path:
	"""The path while it stands. `rules` are {port: the words for it in selftests/path/path.c}."""

	def __init__(self, process):
		self.process = process
		self.ports = {}  # when it has ended: what happened to the frames of each port

	def end(self):
		self.process.terminate()
		said = self.process.stdout.read()
		if self.process.wait(PATIENCE):
			raise RuntimeError(said.strip())
		self.ports = {int(port): counts for port, counts in json.loads(said).items()}


@contextlib.contextmanager
def path(rules, cpu=None):
	listen = ["python3", f"{lab.ROOT}/selftests/bench/listen.py", *map(str, rules)]
	words = [f"{lab.BUILD}/path/path", "near", "far", *(f"{port}:{text}" for port, text in rules.items())]
	with lab.spawn("server", *listen) as server, lab.spawn("path", *words, cpu=cpu) as process:
		_wait_ready(server)
		_wait_ready(process)
		standing = Path(process)
		yield standing
		standing.end()


@contextlib.contextmanager
def sooner():
	"""A control group whose connections send their SYN again after 200 ms, or None where there can be
	none: the directory."""
	with open("/proc/mounts", encoding="ascii") as file:
		mounts = [line.split()[1] for line in file if line.split()[2] == "cgroup2"]
	if not mounts:
		yield None
		return
	group, pin = f"{mounts[0]}/{os.path.basename(lab.LAB)}", f"{lab.LAB}/bpf/sooner"
	os.mkdir(group)
	try:
		for words in (["prog", "load", f"{lab.BUILD}/bench/sooner.bpf.o", pin],
			      ["cgroup", "attach", group, "sock_ops", "pinned", pin]):
			subprocess.run(["/usr/sbin/bpftool", *words], check=True, capture_output=True)
		yield group
	finally:
		os.rmdir(group)
		if os.path.exists(pin):
			os.unlink(pin)


class Dial:
	"""Connections to each of the ports, under way: `count` each, begun in the course of `span`
	seconds, given up after `patience`."""

	def __init__(self, ports, count, span, patience, group=None):
		words = ["taskset", "-c", str(lab.REST_CPU), f"{lab.BUILD}/bench/dial", ADDRESS,
			 *map(str, (count, span, patience, *ports))]
		if group:
			words = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', group, *words]
		self.seconds = span + patience + PATIENCE
		self.process = subprocess.Popen(lab.inside("client", *words), stdout=subprocess.PIPE,
						stderr=subprocess.PIPE, text=True)

	def times(self):
		"""{port: milliseconds that each connection took}, when all is over."""
		out, err = self.process.communicate(timeout=10 * self.seconds)
		if self.process.returncode:
			raise RuntimeError(err.strip())
		return {int(port): times for port, times in json.loads(out).items()}
