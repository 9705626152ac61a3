# SPDX-License-Identifier: GPL-2.0-only
"""
Watches the laboratory from outside while tapctl is treated badly: a stranger who never stops
knocking, a key's owner who connects when asked, and a connection of his that stays open.
"""
import ctypes
import os
import select
import socket
import subprocess
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
KNOCKS_PER_SECOND = 100
KNOCK_LIFE = 0.25  # seconds after which a knock without answer is given up
PATIENCE = 60  # seconds after which something hangs


class Broken(Exception):
	"""What a fault broke, in words."""


def expect(true, *words):
	if not true:
		raise Broken(" ".join(str(word) for word in words))


def enter(netns):
	"""Moves the calling thread, or a child before exec, to a network namespace."""
	with open(f"/run/netns/{netns}") as file:
		if LIBC.setns(file.fileno(), CLONE_NEWNET):
			raise OSError(ctypes.get_errno(), "setns")


class Stranger(threading.Thread):
	"""
	Sends SYNs to a port without a key, a hundred a second, from a thread that lives in NETNS.
	`answers` counts what came back, SYN-ACK or RST, and `knocks` what was asked.
	"""

	def __init__(self, netns, host, port):
		super().__init__(daemon=True)
		self.netns, self.host, self.port = netns, host, port
		self.answers = self.knocks = 0
		self.forgetting = threading.Event()
		self.start()

	def knock(self, poll, waiting):
		sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
		sock.connect_ex((self.host, self.port))
		waiting[sock.fileno()] = (sock, time.monotonic() + KNOCK_LIFE)
		poll.register(sock, select.EPOLLOUT | select.EPOLLERR)
		self.knocks += 1

	@staticmethod
	def forget(poll, waiting, fd):
		# A child that was just forked may still hold it, and events would go on.
		poll.unregister(fd)
		waiting.pop(fd)[0].close()

	def run(self):
		enter(self.netns)
		poll, waiting, due = select.epoll(), {}, time.monotonic()
		while True:
			if self.forgetting.is_set():
				for fd in list(waiting):
					self.forget(poll, waiting, fd)
				self.forgetting.clear()
			for fd, _ in poll.poll(max(0, due - time.monotonic())):
				self.answers += 1
				self.forget(poll, waiting, fd)
			now = time.monotonic()
			if now < due:
				continue
			self.knock(poll, waiting)
			due = max(due + 1 / KNOCKS_PER_SECOND, now)
			for fd in [fd for fd, (_, end) in waiting.items() if end < now]:
				self.forget(poll, waiting, fd)

	def wait_for(self, true):
		end = time.monotonic() + PATIENCE
		while not true():
			if not self.is_alive() or time.monotonic() > end:
				raise RuntimeError("the stranger is gone")
			time.sleep(0.005)

	def knocked(self, since):
		"""Waits until more knocks than that were made."""
		self.wait_for(lambda: self.knocks > since)

	def forget_all(self):
		"""Whatever is answered from now on was asked from now on."""
		self.forgetting.set()
		self.wait_for(lambda: not self.forgetting.is_set())


class Owner:
	"""Whoever has a key: connects to an echo service from NETNS, by the kernel's own connect()."""

	def __init__(self, netns, host, port):
		self.netns, self.host, self.port = netns, host, port
		self.session = None

	def connect(self, timeout=PATIENCE):
		"""A new connection that answers, or None: the kernel gives up first (LAB_SYN_RETRIES)."""
		made = []

		def dial():
			enter(self.netns)
			try:
				made.append(socket.create_connection((self.host, self.port), timeout))
			except OSError:
				pass  # silence or a refusal: nobody got in

		thread = threading.Thread(target=dial)
		thread.start()
		thread.join()
		return made[0] if made and self.echoes(made[0]) else None

	@staticmethod
	def echoes(sock):
		word = os.urandom(4).hex().encode()
		try:
			sock.settimeout(PATIENCE)
			sock.sendall(word)
			return sock.recv(64) == word
		except OSError:
			return False

	def gets_in(self):
		sock = self.connect()
		if sock:
			sock.close()
		return sock is not None

	def open_session(self):
		self.session = self.connect()
		return self.session is not None

	def session_lives(self):
		return self.echoes(self.session)


def echo_service(netns, port):
	"""Answers what it is told, for many at once, in a thread in NETNS."""

	def serve(listener):
		poll, socks = select.epoll(), {}
		poll.register(listener, select.EPOLLIN)
		while True:
			for fd, _ in poll.poll():
				if fd == listener.fileno():
					sock = listener.accept()[0]
					socks[sock.fileno()] = sock
					poll.register(sock, select.EPOLLIN)
					continue
				try:
					data = socks[fd].recv(64)
					socks[fd].sendall(data)
				except OSError:
					data = b""
				if not data:
					poll.unregister(fd)
					socks.pop(fd).close()

	ready = threading.Event()

	def run():
		enter(netns)
		listener = socket.create_server(("", port), backlog=256)
		ready.set()
		serve(listener)

	threading.Thread(target=run, daemon=True).start()
	if not ready.wait(PATIENCE):
		raise RuntimeError("the echo service does not start")


def run(netns, argv, timeout=600, stdin=subprocess.DEVNULL):
	"""Runs a program in a namespace; its exit status (negative: a signal) and both outputs."""
	argv = ["nsenter", f"--net=/run/netns/{netns}", "--", *argv]
	done = subprocess.run(argv, stdin=stdin, capture_output=True, timeout=timeout, errors="replace")
	return done.returncode, done.stdout, done.stderr
