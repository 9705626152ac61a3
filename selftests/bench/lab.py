# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark's laboratory (world.sh): addresses, and programs that run beside others."""
import contextlib
import json
import os
import subprocess
import time

from inside import LAB, ROOT, inside, key, pins, run, tap, tap_json

BUILD = f"{ROOT}/build/selftests"
FLOOD = f"{BUILD}/flood"
GROUPS = f"{BUILD}/groups"
SERVER = "192.0.2.1"  # to the client
CLIENT = "192.0.2.2"
ATTACKED = "203.0.113.1"  # the server, to the attacker
ATTACKER = "203.0.113.66"
PORT, OTHER_PORT = 80, 8080  # the protected one, and one that never is
KEY_ID = 7  # the client's key is "a"
FLOOD_CPU, REST_CPU = 0, 1


@contextlib.contextmanager
def spawn(name, *argv, cpu=None, fifo=False):
	"""A program there, while the block lasts; on one CPU, or even before all others on it."""
	words = list(argv)
	if fifo:
		words = ["chrt", "-f", "10", *words]
	if cpu is not None:
		words = ["taskset", "-c", str(cpu), *words]
	process = subprocess.Popen(inside(name, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
				   text=True)
	try:
		yield process
	finally:
		process.terminate()
		process.communicate()


@contextlib.contextmanager
def off_flood():
	"""This program and what it runs keep off the flood's CPU, which would not let them go on."""
	before = os.sched_getaffinity(0)
	os.sched_setaffinity(0, {REST_CPU})
	try:
		yield
	finally:
		os.sched_setaffinity(0, before)


def mac(name, device):
	return json.loads(run(name, "ip", "-j", "link", "show", device))[0]["address"]


def received(name, device):
	"""Frames that the device took in, whatever became of them."""
	link = json.loads(run(name, "ip", "-j", "-s", "link", "show", device))[0]
	return link["stats64"]["rx"]["packets"]


def flood(seconds, *options, port=PORT, program=FLOOD):
	"""The words of a flood of SYNs to the port, to be run by the attacker on the flood's CPU."""
	return (program, "--dev", "eth0", "--dst-mac", mac("server", "eth1"), "--dst", ATTACKED,
		"--dport", str(port), "--seconds", str(seconds), *options)


def fetch(*options, seconds=600):
	"""What the client's fetches found (fetch.c)."""
	return json.loads(run("client", "taskset", "-c", str(REST_CPU), f"{BUILD}/bench/fetch", *options, SERVER,
			      str(PORT), seconds=seconds))


def connects(give_up=0.02):
	"""Whether the client gets in, at once."""
	return fetch("--count", "1", "--give-up", str(give_up))["successes"] == 1


def let_in():
	"""
	Waits until the client gets in. A gate that is loaded again has no records of what it admitted
	before, so it refuses what was made in the second of the last admission.
	"""
	end, give_up = time.monotonic() + 60, 0.02
	while not connects(give_up):
		give_up = min(2 * give_up, 1)  # on a slow machine "at once" is later
		if time.monotonic() > end:
			raise RuntimeError("the client does not get in without a flood")


def forget():
	"""
	The server forgets half-open connections, which a flood left, and closed ones: a SYN for one of
	these is taken however full the queue is.
	"""
	run("server", "ss", "-KHtn", "state", "syn-recv", "state", "time-wait")


def gate(*options, devices="eth0,eth1", ports=str(PORT)):
	"""The server's side of TAP: port 80 protected on both devices, one key."""
	tap("server", "server", "load", "-i", devices, "--realm-key", key("realm"), *options)
	tap("server", "service", "add", ports)
	tap("server", "key", "add", str(KEY_ID), "--user-key", key("a"), "--rate", "0")


def splitter(device="eth0", ports=str(PORT)):
	"""The client's."""
	tap("client", "client", "load", "-i", device)
	tap("client", "peer", "add", "server", "--realm-key", key("realm"), "--user-key", key("a"),
	    "--key-id", str(KEY_ID))
	tap("client", "rule", "add", "--peer", "server", "--port", ports)


@contextlib.contextmanager
def protected(*options):
	"""TAP on both sides while the block lasts. The options are the gate's."""
	gate(*options)
	try:
		splitter()
		try:
			yield
		finally:
			tap("client", "client", "unload")
	finally:
		tap("server", "server", "unload")
