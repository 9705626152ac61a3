# SPDX-License-Identifier: GPL-2.0-only
"""The laboratory as tools/soak built it: its namespaces and programs; and the run's own report.

A thread enters a namespace and stays there; what it starts is there too. tapctl and ip are run
through nsenter, from any thread.
"""
import collections
import ctypes
import os
import threading
import time

from inside import LAB, PREFIX, ROOT, TAPCTL, inside, key, namespace, pins, run, tap, tap_argv, tap_good, tap_json

FLOOD = os.environ["FLOOD"]
REPLAY = os.environ["REPLAY"]
SERVER = {4: os.environ["LAB_SERVER4"], 6: os.environ["LAB_SERVER6"]}
DEVICES = ("eth0", "eth1", "eth2")

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def enter(name):
    """The calling thread goes to that namespace."""
    fd = os.open(namespace(name), os.O_RDONLY | os.O_CLOEXEC)
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)


class Report:
    """What happened: counts, a journal on disk, and the violations."""

    def __init__(self, seed, directory):
        self.seed = seed
        self.directory = directory
        self.counts = collections.Counter()
        self.checks = collections.Counter()
        self.violations = []
        self.stop = threading.Event()
        self.start = time.monotonic()
        self.lock = threading.Lock()
        self.journal = open(f"{directory}/journal", "w", buffering=1)

    def age(self):
        return time.monotonic() - self.start

    def note(self, text):
        with self.lock:
            self.journal.write(f"{self.age():8.3f} {text}\n")

    def violated(self, what):
        self.note(f"VIOLATION {what}")
        with self.lock:
            self.violations.append((self.age(), what))
            first = len(self.violations) == 1
        if first:
            print(f"VIOLATION at {self.age():.1f} s, seed {self.seed}: {what}", flush=True)
        self.stop.set()

    def check(self, name, holds, what):
        """One more time an invariant was looked at."""
        with self.lock:
            self.checks[name] += 1
        if not holds:
            self.violated(f"{name}: {what() if callable(what) else what}")
        return holds

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] += n


class Stopped(Exception):
    """The run is over."""


class Crowd:
    """All who make traffic. Each does one thing at a time, and all can be made to rest."""

    def __init__(self, report):
        self.report = report
        self.cond = threading.Condition()
        self.resting = False
        self.busy = 0
        self.threads = []

    def __enter__(self):
        with self.cond:
            while self.resting and not self.report.stop.is_set():
                self.cond.wait(0.5)
            if self.report.stop.is_set():
                raise Stopped
            self.busy += 1

    def __exit__(self, *error):
        with self.cond:
            self.busy -= 1
            self.cond.notify_all()

    def rest(self, seconds=400):
        """Waits until all have stopped; whether they did."""
        with self.cond:
            self.resting = True
            return self.cond.wait_for(lambda: not self.busy, seconds)

    def go_on(self):
        with self.cond:
            self.resting = False
            self.cond.notify_all()

    def start(self, target, *arguments):
        thread = threading.Thread(target=self._live, args=(target, arguments), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _live(self, target, arguments):
        try:
            target(*arguments)
        except Stopped:
            pass
        except Exception as error:  # a broken test must not pass for a good one
            if not self.report.stop.is_set():
                self.report.violated(f"the soak itself: {target.__qualname__}: {error!r}")

    def join(self):
        for thread in self.threads:
            thread.join(100)
        return [t for t in self.threads if t.is_alive()]
