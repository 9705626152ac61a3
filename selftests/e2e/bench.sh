#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The benchmark runs through, each experiment for a short time, and writes what it promises. No figure
# of it is judged: a busy machine must not fail a test.
here=$(dirname "$0")/../..
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT

"$here/tools/bench" --quick --out "$out" || exit 1
python3 - "$out" <<-'END'
	import json
	import os
	import re
	import sys

	out = sys.argv[1]
	with open(f"{out}/results.json", encoding="utf-8") as file:
	    results = json.load(file)
	with open(f"{out}/results.md", encoding="utf-8") as file:
	    text = file.read()
	pictures = re.findall(r"\]\(([^)]*\.svg)\)", text)
	lost = [name for name in pictures if not os.path.getsize(f"{out}/{name}")]
	empty = [name for name, result in results["experiments"].items() if not result["tables"]]
	good = results["machine"]["commit"] and pictures and not lost and not empty
	print("ok" if good else f"not ok lost {lost}, empty {empty}:", "report:", len(results["experiments"]),
	      "experiments,", len(pictures), "charts")
END
