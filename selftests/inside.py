# SPDX-License-Identifier: GPL-2.0-only
"""The laboratory of lab.sh for programs in Python: its names, and commands in its namespaces."""
import json
import os
import subprocess

ROOT = os.environ["LAB_ROOT"]
LAB = os.environ["LAB"]
PREFIX = os.environ["LAB_PREFIX"]
TAPCTL = os.environ["TAPCTL"]


def namespace(name):
	return f"/run/netns/{PREFIX}-{name}"


def inside(name, *argv):
	"""The words that run a command there."""
	return ("nsenter", f"--net={namespace(name)}", "--", *argv)


def run(name, *argv, seconds=600, good=(0,)):
	"""Runs a command there, which must end with one of these; returns what it prints."""
	done = subprocess.run(inside(name, *argv), capture_output=True, text=True, timeout=seconds)
	if done.returncode not in good:
		raise RuntimeError(f"{name}: {' '.join(argv)}: {(done.stderr or done.stdout).strip()}")
	return done.stdout


def pins(name):
	return f"{LAB}/bpf/{name}"


def key(name):
	return f"{LAB}/keys/{name}"


def tap_argv(name, *argv):
	return inside(name, TAPCTL, "--pin-dir", pins(name), *argv)


def tap(name, *argv):
	return run(name, TAPCTL, "--pin-dir", pins(name), *argv)


def tap_good(*argv):
	"""How tapctl ends that did as it was told: status with 3 where it has warnings."""
	return (0, 3) if "status" in argv else (0,)


def tap_json(name, *argv):
	return json.loads(run(name, TAPCTL, "--pin-dir", pins(name), "-j", *argv, good=tap_good(*argv)))
