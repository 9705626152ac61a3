# SPDX-License-Identifier: GPL-2.0-only
"""Prints which share of the branches in bpf/ a run has taken.

coverage.py EXPORT TREE PERCENT: EXPORT is what `llvm-cov export` made of all fuzz targets together.
The code in the headers is compiled once for each target, so a branch is looked for in all of them:
each way out of it that any target took counts, and each that none took is missing. Exits 1 where
less than PERCENT of all were taken.
"""
import json
import os
import sys


def branches(export):
    """Yields (file, place, taken, not taken) of every branch in every compilation."""
    for data in export["data"]:
        for function in data["functions"]:
            names = function["filenames"]
            for branch in function.get("branches", []):
                line, column, last_line, last_column, taken, not_taken, file = branch[:7]
                yield names[file], (line, column, last_line, last_column), taken, not_taken


def main():
    path, tree, least = sys.argv[1], sys.argv[2], float(sys.argv[3])
    with open(path, encoding="utf-8") as file:
        export = json.load(file)
    found = {}
    for name, place, taken, not_taken in branches(export):
        name = os.path.relpath(os.path.join(tree, name), tree)
        if not name.startswith("bpf/"):
            continue
        counts = found.setdefault(name, {}).setdefault(place, [0, 0])
        counts[0] += taken
        counts[1] += not_taken
    total = hit = 0
    for name in sorted(found):
        ways = [count for counts in found[name].values() for count in counts]
        taken = sum(1 for count in ways if count)
        print(f"   {name:<22} {taken:4} of {len(ways):4} branches {100 * taken / len(ways):6.1f} %")
        total += len(ways)
        hit += taken
        if os.environ.get("MISSING"):
            for place in sorted(found[name]):
                for count, way in zip(found[name][place], ("true", "false")):
                    if not count:
                        print(f"      {name}:{place[0]}:{place[1]}: never {way}")
    percent = 100 * hit / total if total else 0
    word = "ok" if percent >= least else "not ok"
    print(f"{word} fuzz/coverage: {hit} of {total} branches of bpf/ taken, {percent:.1f} %"
          f" (at least {least:.0f} %)")
    return word != "ok"


sys.exit(main())
