# SPDX-License-Identifier: GPL-2.0-only
"""
fwknopd as its manual shows it: iptables drops what begins a connection to the port, and a knock (one
encrypted UDP packet) makes fwknopd insert a rule for the client's address.
"""
import base64
import contextlib
import os
import time

import lab

HOME = f"{lab.LAB}/fwknop"
GIVE_UP = 10  # seconds after which a knock has failed
OPEN_FOR = 60  # seconds a rule stays

RULES = (
	("-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT"),
	("-j", "DROP"),
)


def _write(name, text):
	with open(os.open(f"{HOME}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
		  encoding="ascii") as file:
		file.write(text)


def _configure():
	keys = (f"KEY_BASE64 {base64.b64encode(os.urandom(32)).decode()}\n"
		f"HMAC_KEY_BASE64 {base64.b64encode(os.urandom(64)).decode()}\n")
	os.makedirs(HOME, exist_ok=True)
	_write("fwknopd.conf", "PCAP_INTF eth0;\nFIREWALL_EXE /usr/sbin/iptables;\n")
	_write("access.conf", f"SOURCE ANY\n{keys}OPEN_PORTS tcp/{lab.PORT}\nREQUIRE_SOURCE_ADDRESS Y\n"
	       f"FW_ACCESS_TIMEOUT {OPEN_FOR}\n")
	_write("fwknoprc", f"[server]\n{keys}USE_HMAC Y\nSPA_SERVER {lab.SERVER}\nACCESS tcp/{lab.PORT}\n"
	       f"ALLOW_IP {lab.CLIENT}\n")


def knock():
	"""Closes what is open, and knocks; seconds from then until the client gets in, None: it does not."""
	lab.run("server", "iptables", "-F", "FWKNOP_INPUT")
	began = time.monotonic()
	lab.run("client", "fwknop", "--no-save-args", "--rc-file", f"{HOME}/fwknoprc", "-n", "server")
	while time.monotonic() - began < GIVE_UP:
		if lab.connects():
			return time.monotonic() - began
	return None


def _iptables(action):
	for rule in RULES:
		lab.run("server", "iptables", action, "INPUT", "-p", "tcp", "--dport", str(lab.PORT), *rule)


def _ready(process):
	said = ""
	for line in process.stdout:
		said += line
		if "main event loop" in line:
			return
	raise RuntimeError(f"fwknopd does not start: {said.strip()}")


@contextlib.contextmanager
def running():
	"""fwknopd and its rules while the block lasts; yields knock."""
	_configure()
	_iptables("-A")
	try:
		with lab.spawn("server", "fwknopd", "-f", "-c", f"{HOME}/fwknopd.conf",
			       "-a", f"{HOME}/access.conf", "-r", HOME, "-p", f"{HOME}/pid",
			       cpu=lab.REST_CPU) as process:
			_ready(process)
			yield knock
	finally:
		_iptables("-D")
