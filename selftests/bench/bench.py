# SPDX-License-Identifier: GPL-2.0-only
"""
The benchmark: runs the experiments one after the other in the world that tools/bench has made, and
writes what they found. An aim that is not reached is a finding, no failure.
"""
import argparse
import importlib
import os
import sys
import time
import traceback

import machine
import report

EXPERIMENTS = ("cost", "capacity", "fig8", "fig9", "fig10", "calm", "memory", "loss")


class Bench:
	def __init__(self, quick):
		self.quick = quick
		self.rounds = 1 if quick else 5

	def progress(self, text):
		print(f"  {text}", file=sys.stderr, flush=True)


def run(bench, experiment):
	"""Its result. A machine that stopped for a moment gets a second chance."""
	try:
		return experiment.run(bench)
	except Exception as error:
		traceback.print_exc()
		bench.progress("that failed; once more")
		result = experiment.run(bench)
		result.notes = [*result.notes, f"Run twice: the first time it did not get to the end ({error})."]
		return result


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("--quick", action="store_true")
	parser.add_argument("--out", required=True)
	parser.add_argument("names", nargs="*", default=[])
	args = parser.parse_args()
	bench = Bench(args.quick)
	facts = machine.facts(args.quick)
	results, failed = {}, False
	for name in args.names or EXPERIMENTS:
		experiment = importlib.import_module(name)
		print(f"bench: {name}: {experiment.TITLE}", file=sys.stderr, flush=True)
		began = time.monotonic()
		try:
			results[name] = (experiment.TITLE, run(bench, experiment))
			print(f"ok {name}: {time.monotonic() - began:.0f} s", flush=True)
		except Exception as error:  # the others are still worth having
			traceback.print_exc()
			print(f"not ok {name}: {error}", flush=True)
			failed = True
	report.write(args.out, facts, results)
	print(report.summary(results), file=sys.stderr)
	print(f"bench: written to {os.path.relpath(args.out)}", file=sys.stderr)
	sys.exit(failed)


if __name__ == "__main__":
	main()
