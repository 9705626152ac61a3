# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel holds for TAP: programs, maps, links, pins and memory. Others' are left out: ours
are the maps pinned here, the programs that use them, and what these hang on to."""
import json
import os
import subprocess
import time

import lab

SIDES = ("server", "teleworker", "colleague", "roamer")
KINDS = ("prog", "map", "link")
GROWING = ("tap_key_names", "tap_gate_device", "tap_split_devic")  # with what tapctl puts there


def bpftool(*argv):
    done = subprocess.run(("bpftool", "-j", *argv), capture_output=True, text=True, timeout=600)
    return json.loads(done.stdout or "[]")


def pinned_maps():
    """ID by path, of all maps pinned in the run's own bpffs."""
    found = {}
    for side in SIDES:
        if not os.path.isdir(lab.pins(side)):
            continue
        for name in os.listdir(lab.pins(side)):
            if name.startswith("tap_"):
                path = f"{lab.pins(side)}/{name}"
                found[path] = bpftool("map", "show", "pinned", path)["id"]
    return found


def published(path):
    """The ID of the rule set in force."""
    value = bpftool("map", "dump", "pinned", path)[0]["value"]
    return int.from_bytes(bytes(int(b, 16) for b in value), "little") if isinstance(value, list) else None


class Holdings:
    """What is ours at one moment."""

    def __init__(self):
        pinned = pinned_maps()
        own = set(pinned.values())
        programs = [p for p in bpftool("prog", "show") if own & set(p.get("map_ids", ()))]
        maps = own | {m for p in programs for m in p["map_ids"]}
        maps |= {published(path) for path in pinned
                 if path.endswith(("/tap_services", "/tap_rules"))} - {None}
        ids = {p["id"] for p in programs}
        self.links = {l["id"] for l in bpftool("link", "show") if l.get("prog_id") in ids}
        self.programs, self.maps = ids, maps
        self.names = sorted(p["name"] for p in programs)
        self.memory = sum(m["bytes_memlock"] for m in bpftool("map", "show")
                          if m["id"] in maps and m.get("name") not in GROWING)
        self.pins = sorted(f"{side}/{name}" for side in SIDES if os.path.isdir(lab.pins(side))
                           for name in os.listdir(lab.pins(side)))

    def __str__(self):
        return (f"{len(self.programs)} programs {self.names}, {len(self.maps)} maps of {self.memory} "
                f"bytes, {len(self.links)} links, {len(self.pins)} pins")


class Leaks:
    def __init__(self, report):
        self.report = report
        self.seen = {kind: set() for kind in KINDS}
        self.first = self.memory_most = None

    def look(self, n_tcx):
        """At rest, all loaded: as many of each as there have to be, and nothing from before left."""
        end = time.monotonic() + 60
        while True:
            now = Holdings()
            left = self._left(now)
            sizes = (now.names, len(now.maps), len(now.links) - n_tcx, now.memory)
            self.first = self.first or sizes
            if (sizes == self.first and not left) or time.monotonic() > end:
                break
            time.sleep(0.3)  # the kernel frees when nobody can be reading any more
        self.report.note(f"holds {now}")
        self.report.check("programs, maps, links and memory as at first", sizes == self.first,
                          f"now {sizes}, first {self.first}; {now}")
        self.report.check("nothing replaced is left in the kernel", not left, f"left: {left}")
        self._see(now)
        return now

    def _see(self, now):
        for kind, ids in zip(KINDS, (now.programs, now.maps, now.links)):
            self.seen[kind] |= ids

    def _left(self, now):
        gone = {kind: self.seen[kind] - ids
                for kind, ids in zip(KINDS, (now.programs, now.maps, now.links))}
        return {kind: sorted(ids & {o["id"] for o in bpftool(kind, "show")})
                for kind, ids in gone.items() if ids & {o["id"] for o in bpftool(kind, "show")}}

    def nothing_left(self):
        """After the last unload."""
        end = time.monotonic() + 60
        while True:
            now = Holdings()
            left = self._left(now)
            if not (now.pins or now.programs or left) or time.monotonic() > end:
                break
            time.sleep(0.3)
        self.report.check("nothing is left after unload", not (now.pins or now.programs or left),
                          f"{now}: {now.pins}; of earlier ones {left}")
