#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The soak itself, run by tools/soak in a world that it built: rounds of some seconds in which
everything happens at once, and between them a rest in which the accounts are made up."""
import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import lab
from attacks import Attacks, Overheard
from changes import Changes
from command import Commands, Op
from leaks import Leaks
from model import CLIENTS, Model, STRANGERS
from rest import Accounts, Tally
from traffic import Download, Echo, Session, Traffic
from turns import Turns
from watch import Watch
from weather import Weather

ROUND = (6, 11)  # seconds
TELL = 10  # a line so often
BAD_WORDS = re.compile(r"WARNING:|BUG:|Oops|rcu.*stall|general protection|blocked for more than|"
                       r"KASAN|UBSAN|soft lockup|refcount_t|kernel panic")


class Kernel:
    """What the kernel complains of."""

    def __init__(self, report):
        self.report = report
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)

    def look(self):
        while True:
            try:
                line = os.read(self.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                break
            except BrokenPipeError:
                continue  # overwritten before it was read
            self.report.check("the kernel complains of nothing", not BAD_WORDS.search(line), line.strip())
        self.report.check("the kernel complains of nothing", True, "")


class Soak:
    def __init__(self, seconds, seed, report):
        self.seconds, self.report = seconds, report
        self.random = random.Random(f"{seed} rounds")
        self.kernel, self.leaks = Kernel(report), Leaks(report)
        self.model, self.crowd = Model(), lab.Crowd(report)
        self.overheard = Overheard()
        self.tally = Tally(report, self.overheard)
        self.commands = Commands(self.model, report, seed)
        self.changes = Changes(self.model, self.commands, report, seed)
        self.weather = Weather(self.model, report, self.crowd, seed)
        self.attacks = Attacks(self.model, report, self.crowd, self.overheard, seed)
        self.traffic = Traffic(self.model, report, self.crowd, seed)
        self.turns = Turns(self.model, self.changes, self.attacks, self.weather, self.tally,
                           report, seed)
        self.accounts = Accounts(self.model, report, self.tally, self.attacks, self.weather, self.changes)

    def watch(self):
        self.watches = [Watch("server", self.report, self.tally.at_server),
                        Watch("lodger", self.report, self.tally.at_lodger)]
        self.watches += [Watch(name, self.report, self.tally.at_sender(name))
                         for name in ("router", "isp", "attacker")]
        self.tally.watches = self.watches

    def populate(self):
        start = self.crowd.start
        for name in CLIENTS:
            # By port: 22, 80, 9000, 8080, 9001.
            start(self.traffic.visitor, name, 1, (1, 4, 4, 4, 4), 0.8)
            start(self.traffic.visitor, name, 2, (0, 1, 6, 1, 6), 0.4)
            start(self.traffic.long_lived, name, 1, Echo, None)
            start(self.traffic.long_lived, name, 2, Echo, (5, 40))
            start(self.traffic.long_lived, name, 3, Download, (10, 60))
        start(self.traffic.long_lived, "teleworker", 4, Session, None)
        start(self.traffic.long_lived, "roamer", 4, Session, (10, 60))
        for name in STRANGERS:
            start(self.traffic.visitor, name, 1, (0, 1, 4, 2, 4), 0.6)
        start(self.attacks.live)
        start(self.weather.live)
        start(self.tell)

    def over(self):
        return self.report.stop.is_set() or self.report.age() >= self.seconds

    def tell(self):
        while not self.report.stop.wait(TELL):
            self.line()

    def line(self):
        c = self.report.counts
        print(f"{self.report.age():4.0f} s, seed {self.report.seed}: {c['connections']} connections, "
              f"{c['refused']} refused, {c['changes']} changes, {c['rotations']} rotations, "
              f"{c['reloads']} reloads, {c['floods']} floods, {c['replays']} replays, {c['kills']} kills, "
              f"{len(self.report.violations)} violations", flush=True)

    def round(self):
        self.accounts.begin()
        self.crowd.go_on()
        left = max(ROUND[0], self.seconds - self.report.age())
        end = time.monotonic() + min(left, self.random.uniform(*ROUND))
        while time.monotonic() < end and not self.report.stop.is_set():
            self.changes.one()
            self.report.stop.wait(self.random.uniform(0, 0.3))

    def rest(self):
        start = time.monotonic()
        quiet = self.crowd.rest()
        self.report.note(f"rest, after {time.monotonic() - start:.1f} s")
        if self.report.stop.is_set():
            return
        self.report.check("everybody can rest", quiet, "somebody hangs")
        self.accounts.make_up()
        self.accounts.lists()
        self.accounts.streams(self.traffic.streams)
        status = [lab.tap_json(name, "status")["client"]["interfaces"][0]["hook"] for name in CLIENTS]
        self.leaks.look(status.count("tcx"))
        self.kernel.look()
        self.report.count("rounds")

    def run(self):
        self.watch()
        self.changes.first()
        self.crowd.rest()
        self.populate()
        while not self.over():
            self.round()
            self.rest()
            if not self.over() and self.random.random() < 0.7:
                self.turns.one()
        self.end()

    def end(self):
        violated = bool(self.report.violations)
        self.report.stop.set()
        for thread in self.crowd.join():
            self.report.note(f"hangs: {thread}")
        lost = sum(watch.end() for watch in self.watches)
        self.report.note(f"tcpdump lost {lost} frames")
        if violated:
            return
        self.report.check("tcpdump lost nothing", lost == 0, f"{lost} frames")
        for name in ("server",) + CLIENTS:
            self.changes.run(Op(name, "server" if name == "server" else "client", "unload", atomic=False),
                             kill=0)
        self.leaks.nothing_left()
        self.kernel.look()


def keep_logs(report):
    """What somebody needs who looks into it."""
    with open(f"{report.directory}/stats", "w") as file:
        for command in (("-j", "status"), ("-j", "stats"), ("-j", "service", "list"),
                        ("-j", "key", "list"), ("-j", "events")):
            subprocess.run(lab.tap_argv("server", *command), stdout=file, stderr=file)
    with open(f"{report.directory}/dmesg", "w") as file:
        subprocess.run(("dmesg",), stdout=file)
    print(f"logs: {report.directory}")


def summary(report):
    c, checks = report.counts, report.checks
    print(f"{report.age():.0f} s, {c['rounds']} rounds, seed {report.seed}: {c['connections']} connections "
          f"({c['streams']} long ones at once, {c['bulk bytes'] >> 20} MiB through them), {c['refused']} "
          f"refused, {c['not judged']} not judged because something was changing")
    print(f"{c['tapctl']} tapctl and {c['kills']} killed; {c['changes']} changes: {c['rotations']} rotations, "
          f"{c['revocations']} revocations, {c['reloads']} reloads, {c['client loads']} client loads; "
          f"{c['turns']} unloads and new devices; {c['links down']} links down, {c['MTUs']} MTUs")
    print(f"{c['floods']} floods of {c['flood SYNs']} SYNs, {c['replays']} replays, {c['scans']} scans; "
          f"at most {c['records, at most']} replay records")
    for name in sorted(checks):
        print(f"{checks[name]:8d} x {name}")
    print(f"{len(checks)} invariants checked {sum(checks.values())} times, "
          f"{len(report.violations)} violations")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=float)
    parser.add_argument("seed")
    arguments = parser.parse_args()
    report = lab.Report(arguments.seed, tempfile.mkdtemp(prefix="tap-soak.", dir="/tmp"))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: report.stop.set())
    soak = Soak(arguments.seconds, arguments.seed, report)
    try:
        soak.run()
    except lab.Stopped:
        pass
    except Exception as error:
        report.violated(f"the soak itself: {error!r}")
        import traceback
        report.note(traceback.format_exc())
    summary(report)
    if not report.violations:
        shutil.rmtree(report.directory)
        return 0
    keep_logs(report)
    return 1


sys.exit(main())
