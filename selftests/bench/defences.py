# SPDX-License-Identifier: GPL-2.0-only
"""
What the port can be defended with: nothing, what Linux and Debian offer, TAP, and the floors, which
drop everything. Each is set up in the server's namespace as its manual shows it, for port 80, and gone
without a trace when its block ends. The client's address is known to those that go by addresses.
"""
import contextlib
import dataclasses
import json
from typing import Callable

import fwknop
import lab

ANYONE, ADDRESS, DEVICE, KNOCK, KEY, NOBODY = (
	"anyone", "address known in advance", "comes by another device", "after a knock", "key", "nobody")


@dataclasses.dataclass(frozen=True)
class Standing:
	"""A defence that is up."""
	seen: Callable = None  # how many frames it has disposed of by its own count, if it has one
	knock: Callable = None  # lets the client in; returns how many seconds that took


@dataclasses.dataclass(frozen=True)
class Defence:
	name: str
	admits: str  # whom, or how
	up: Callable  # a context manager, which yields a Standing


def _counter(name):
	"""One of the kernel's counters of the server."""
	for line in lab.run("server", "nstat", "-asz", name).splitlines():
		if line.startswith(name):
			return int(line.split()[1])
	raise RuntimeError(f"no counter {name}")


@contextlib.contextmanager
def _unprotected(cookies):
	"""The stack alone. Backlogs are as the kernel and nginx have them."""
	before = lab.run("server", "sysctl", "-n", "net.ipv4.tcp_syncookies").strip()
	lab.run("server", "sysctl", "-qw", f"net.ipv4.tcp_syncookies={cookies}")
	try:
		yield Standing(seen=(lambda: _counter("TcpExtSyncookiesSent")) if cookies else None)
	finally:
		lab.run("server", "sysctl", "-qw", f"net.ipv4.tcp_syncookies={before}")
		lab.forget()


@contextlib.contextmanager
def _nft(table, rules, seen=None):
	lab.run("server", "nft", f"table {table} {{ {rules}\n}}")
	try:
		yield Standing(seen=seen)
	finally:
		lab.run("server", "nft", "delete", "table", table)


def _netdev_drop():
	return _nft("netdev bench", f"""
		chain ingress {{
			type filter hook ingress device eth1 priority -500; policy accept;
			ip saddr != {lab.CLIENT} tcp dport {lab.PORT} drop
		}}""")


def _synproxies():
	"""SYNs that the proxies of all CPUs received."""
	lines = lab.run("server", "cat", "/proc/net/stat/synproxy").splitlines()[1:]
	return sum(int(line.split()[1], 16) for line in lines)


def _synproxy():
	lab.run("server", "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0")
	return _nft("ip bench", f"""
		chain raw {{
			type filter hook prerouting priority raw; policy accept;
			tcp dport {lab.PORT} tcp flags syn notrack
		}}
		chain proxy {{
			type filter hook input priority filter; policy accept;
			tcp dport {lab.PORT} ct state {{ invalid, untracked }} \
				synproxy mss 1460 wscale 7 timestamp sack-perm
			ct state invalid drop
		}}""", seen=_synproxies)


@contextlib.contextmanager
def _raw_drop():
	rule = ("PREROUTING", "-p", "tcp", "--dport", str(lab.PORT), "!", "-s", lab.CLIENT, "-j", "DROP")

	def seen():
		listed = lab.run("server", "iptables", "-t", "raw", "-nvxL", "PREROUTING").splitlines()
		return int(listed[2].split()[0])

	lab.run("server", "iptables", "-t", "raw", "-A", *rule)
	try:
		yield Standing(seen=seen)
	finally:
		lab.run("server", "iptables", "-t", "raw", "-D", *rule)


@contextlib.contextmanager
def _xdp_filter():
	# It pins its maps below /sys/fs/bpf: in a mount namespace that ends with the command, so that the
	# machine's own stays as it is. The program stays on the device.
	lab.run("server", "unshare", "--mount", "sh", "-c",
		"mount -t bpf bpf /sys/fs/bpf && xdp-filter load -m native -f tcp,ipv4 eth1 && "
		f"xdp-filter port -p tcp -m dst {lab.PORT}")
	try:
		yield Standing()
	finally:
		lab.run("server", "ip", "link", "set", "dev", "eth1", "xdp", "off")


@contextlib.contextmanager
def _fwknopd():
	with fwknop.running() as knock:
		yield Standing(knock=knock)


@contextlib.contextmanager
def _tap(marks):
	def seen():
		return sum(lab.tap_json("server", "stats")["server"]["reasons"].values())

	with lab.protected("--mark", marks):
		yield Standing(seen=seen)


@contextlib.contextmanager
def _floor(program):
	"""One of the floor programs (selftests/flood/floor.bpf.c) on the attacked device."""
	pins = f"{lab.LAB}/bpf/floor"

	def bpftool(*words):
		return json.loads(lab.run("server", "bpftool", "-j", *words))

	def seen():
		number = bpftool("prog", "show", "pinned", f"{pins}/{program}")["map_ids"][0]
		return sum(cpu["value"] for entry in bpftool("map", "dump", "id", str(number))
			   for cpu in entry["formatted"]["values"])

	lab.run("server", "mkdir", pins)
	try:
		lab.run("server", "bpftool", "prog", "loadall", f"{lab.BUILD}/floor.bpf.o", pins, "type", "xdp")
		lab.run("server", "bpftool", "net", "attach", "xdpdrv", "pinned", f"{pins}/{program}",
			"dev", "eth1")
		yield Standing(seen=seen)
	finally:
		lab.run("server", "ip", "link", "set", "dev", "eth1", "xdp", "off")
		lab.run("server", "rm", "-r", pins)


def _named(*entries):
	return {short: Defence(name, admits, up) for short, name, admits, up in entries}


FLOORS = _named(
	("drop", "floor: count, drop", NOBODY, lambda: _floor("floor_drop")),
	("parse", "floor: parse, count, drop", NOBODY, lambda: _floor("floor_parse")),
)
TAP = _named(
	("sealed", "TAP, sealed marks", KEY, lambda: _tap("sealed")),
	("open", "TAP, open marks", KEY, lambda: _tap("open")),
)
PEERS = _named(
	("xdp-filter", "xdp-filter", DEVICE, _xdp_filter),
	("netdev", "nftables netdev drop", ADDRESS, _netdev_drop),
	("raw", "iptables raw drop", ADDRESS, _raw_drop),
	("fwknop", "fwknopd, iptables", KNOCK, _fwknopd),
	("synproxy", "nftables synproxy", ANYONE, _synproxy),
	("cookies2", "SYN cookies 2 (always)", ANYONE, lambda: _unprotected(2)),
	("cookies1", "SYN cookies 1 (if need be)", ANYONE, lambda: _unprotected(1)),
	("cookies0", "SYN cookies 0 (never)", ANYONE, lambda: _unprotected(0)),
)
