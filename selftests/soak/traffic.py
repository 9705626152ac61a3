# SPDX-License-Identifier: GPL-2.0-only
"""Connections: of key holders and of strangers, short ones that are judged by the model, and long
ones that nothing may cut."""
import os
import random
import select
import socket
import subprocess
import time

import lab
from model import CORE, SPARE

PATIENCE = 60  # s after which an owner hangs: the kernel gives up before, after six SYNs (world.sh)
CURIOSITY = 1.2  # s after which somebody who is not to get in gives up
SILENCE_MAX = 120  # s that an open connection may be without progress when the network is whole
PORTS = CORE + SPARE
BLOCK = os.urandom(4096)


def connect(family, port, seconds):
    sock = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    sock.settimeout(seconds)
    try:
        sock.connect((lab.SERVER[family], port))
    except OSError:
        sock.close()
        raise
    return sock


def echo(family, port, seconds):
    """A connection to echo.py, and a few bytes there and back."""
    try:
        with connect(family, port, seconds) as sock:
            sock.settimeout(PATIENCE)
            sock.sendall(b"hello")
            return sock.recv(5) == b"hello", ""
    except OSError as error:
        return False, str(error)


def command(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    return done.returncode == 0, f"{argv[0]}: {done.returncode} {done.stderr.strip()}"


def page(family, port, seconds):
    host = lab.SERVER[family] if family == 4 else f"[{lab.SERVER[family]}]"
    return command("curl", "-sSfg", "-o", "/dev/null", "--connect-timeout", str(seconds), "-m", "300",
                   f"http://{host}:{port}/")


def ssh(family, seconds, *words):
    return ("ssh", "-F", "none", "-i", f"{lab.LAB}/ssh/id", "-o", "BatchMode=yes", "-o",
            f"ConnectTimeout={max(1, round(seconds))}", "-o", "StrictHostKeyChecking=no", "-o",
            "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-l", "root", lab.SERVER[family],
            *words)


def login(family, port, seconds):
    return command(*ssh(family, seconds, "true"))


KINDS = {22: login, 80: page, 8080: page, 9000: echo, 9001: echo}


class Traffic:
    def __init__(self, model, report, crowd, seed):
        self.model, self.report, self.crowd, self.seed = model, report, crowd, seed
        self.streams = []

    def visitor(self, name, number, weights, pause):
        """Tries to get in, again and again."""
        lab.enter(name)
        rng = random.Random(f"{self.seed} {name} {number}")
        while True:
            with self.crowd:
                self.attempt(name, rng.choice((4, 6)), rng.choices(PORTS, weights)[0])
            self.report.stop.wait(rng.uniform(0, pause))

    def attempt(self, name, family, port):
        where = (name, family, port)
        hopeful = self.model.now(where) == "in"
        start = time.monotonic()
        good, words = KINDS[port](family, port, PATIENCE if hopeful else CURIOSITY)
        end = time.monotonic()
        expected = self.model.expected(where, start, end)
        self.report.count("connections" if good else "refused")
        if expected == "in" and (hopeful or good):
            self.report.check("who may gets in", good,
                              f"{name} to port {port}, IPv{family}, {end - start:.1f} s: {words}")
        elif expected == "out":
            self.report.check("who may not stays out", not good,
                              f"{name} got in to port {port}, IPv{family}")
        else:
            self.report.count("not judged")
        if not good and hopeful:
            self.report.note(f"{where} failed after {end - start:.2f} s, {expected}: {words}")

    # --- Long ones

    def long_lived(self, name, number, opened, seconds):
        """One connection after the other, each open for so long (None: to the end)."""
        lab.enter(name)
        rng = random.Random(f"{self.seed} {name} long {number}")
        while not self.report.stop.is_set():
            family = rng.choice((4, 6))
            length = rng.uniform(*seconds) if seconds else 1e9
            stream = opened(name, family, self.report)
            with self.crowd:
                is_open = stream.open()
            if not is_open:
                self.report.stop.wait(1)
                continue
            self.streams.append(stream)
            stream.live(time.monotonic() + length)
            self.streams.remove(stream)
            stream.close()


class Stream:
    """A connection on which bytes must go on coming."""

    def __init__(self, name, family, report):
        self.name, self.family, self.report = name, family, report
        self.bytes, self.progress = 0, time.monotonic()

    def __str__(self):
        return f"{type(self).__name__} of {self.name}, IPv{self.family}"

    def went_on(self, n):
        self.bytes += n
        self.progress = time.monotonic()
        self.report.count("bulk bytes", n)

    def live(self, end):
        while time.monotonic() < end and not self.report.stop.is_set():
            try:
                self.step()
            except OSError as error:
                self.report.check("open connections live on", self.report.stop.is_set(),
                                  f"{self}, after {self.bytes} bytes: {error}")
                return
            self.report.stop.wait(0.05)
        self.report.check("open connections live on", True, "")


class Echo(Stream):
    """What goes in comes back, through echo.py."""

    def open(self):
        try:
            self.sock = connect(self.family, 9000, PATIENCE)
        except OSError:
            return False
        self.sock.settimeout(SILENCE_MAX)
        return True

    def step(self):
        self.sock.sendall(BLOCK)
        back = b""
        while len(back) < len(BLOCK):
            data = self.sock.recv(len(BLOCK) - len(back))
            if not data:
                raise OSError("closed by the server")
            back += data
        if back != BLOCK:
            raise OSError("other bytes came back")
        self.went_on(len(back))

    def close(self):
        self.sock.close()


class Program(Stream):
    """The output of a program that goes on without end; read slowly, so that it has to wait."""

    def open(self):
        self.process = subprocess.Popen(self.argv(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0, start_new_session=True)
        try:
            self.feed()
            if select.select([self.process.stdout], [], [], PATIENCE)[0] and self.process.stdout.read(1):
                return True
        except OSError:
            pass  # it has given up already
        self.close()
        return False

    def feed(self):
        pass

    def step(self):
        self.feed()
        if select.select([self.process.stdout], [], [], 0.2)[0]:
            data = self.process.stdout.read(65536)
            if not data:
                raise OSError(f"ended: {self.process.stderr.read().decode().strip()}")
            self.went_on(len(data))

    def close(self):
        self.process.kill()
        self.process.communicate()


class Download(Program):
    def argv(self):
        host = lab.SERVER[self.family] if self.family == 4 else f"[{lab.SERVER[self.family]}]"
        return ("curl", "-sSfgN", "--connect-timeout", "4",
                f"http://{host}/endless")


class Session(Program):
    def argv(self):
        return ssh(self.family, 4, "cat")

    def feed(self):
        self.process.stdin.write(b"more\n")
