# SPDX-License-Identifier: GPL-2.0-only
"""
Makes one system call of a program fail, or kills the program there, by strace's fault injection.
"""
import os
import re
import tempfile

import probes

# The first call that main() makes; what comes before is the C library's loader.
MAIN = "prctl(PR_SET_DUMPABLE"
# Made by the C library for itself, or without an effect that could be missed.
LEFT_OUT = {"exit_group", "execve", "prctl", "munmap", "madvise", "mprotect", "brk", "mmap", "munlock",
	    "geteuid", "uname", "getpid", "getppid", "capget", "rt_sigaction", "clock_nanosleep"}
ERRORS = ["ENOSPC", "EMFILE", "EPERM", "EBUSY", "ENOMEM", "EEXIST", "ENOENT", "EINVAL", "ENODEV", "EIO",
	  "EACCES"]
# Where these calls say this they answer a question, and a wrong answer is no fault: it cannot be told
# from a true one.
ANSWERS = {"ENOENT": {"access", "faccessat2", "newfstatat", "stat", "lstat", "unlink", "BPF_MAP_GET_NEXT_KEY",
		      "BPF_MAP_LOOKUP_ELEM", "BPF_MAP_DELETE_ELEM"},
	   "EEXIST": {"recvmsg"}}  # netlink: there is another one already
CHANGES = {"BPF_MAP_CREATE", "BPF_MAP_UPDATE_ELEM", "BPF_MAP_DELETE_ELEM", "BPF_MAP_UPDATE_BATCH",
	   "BPF_OBJ_PIN", "BPF_LINK_CREATE", "BPF_LINK_UPDATE", "BPF_LINK_DETACH", "BPF_PROG_LOAD",
	   "unlink", "unlinkat", "rename", "renameat2", "mkdir", "rmdir", "sendto", "sendmsg", "write",
	   "fsync"}
# What libbpf only tries the kernel with.
PROBE = re.compile(r"insn_cnt=[0-9],|map_name=\"libbpf_|BPF_BTF_LOAD")
LINE = re.compile(r"^(?:\d+ +)?(\w+)\(")


class Call:
	"""One system call: the NTH of its name in the program's life."""

	def __init__(self, name, nth, line):
		self.name, self.nth = name, nth
		self.kind = re.search(r"BPF_\w+", line)[0] if name == "bpf" else name
		self.probe = bool(PROBE.search(line))

	def __str__(self):
		return f"{self.kind} ({self.name} {self.nth})"

	@property
	def changes(self):
		return self.kind in CHANGES and not self.probe

	def errors(self):
		return [e for e in ERRORS if self.kind not in ANSWERS.get(e, ())]


def strace(netns, argv, *options):
	"""Runs argv under strace: exit status, outputs, and strace's lines."""
	with tempfile.NamedTemporaryFile("r", prefix="tap-strace.") as log:
		status, out, err = probes.run(netns, ["strace", "-f", "-o", log.name, *options, *argv])
		return status, out, err, log.read().splitlines()


def listed(netns, argv):
	"""The calls that the program makes between the start of main() and its end."""
	status, _, err, lines = strace(netns, argv, "-s", "80")
	if status:
		raise RuntimeError(f"{argv}: {err}")
	found, numbers, in_main = [], {}, False
	for line in lines:
		match = LINE.match(line)
		if not match:
			continue
		name = match[1]
		numbers[name] = numbers.get(name, 0) + 1
		in_main |= MAIN in line
		if in_main and name not in LEFT_OUT:
			found.append(Call(name, numbers[name], line))
	return thinned(found)


def thinned(found):
	"""Of a loop's many calls of one kind in a row the first and the last three."""
	kept, row = [], []
	for call in [*found, None]:
		if row and (call is None or call.kind != row[-1].kind):
			kept += row if len(row) <= 6 else row[:3] + row[-3:]
			row = []
		row.append(call)
	return kept


def failing(netns, argv, call, error):
	"""Runs it with that call failing: exit status, outputs, and whether it came to the call."""
	status, out, err, lines = strace(netns, argv, "--seccomp-bpf", "-e", f"trace={call.name}", "-e",
					 f"inject={call.name}:error={error}:when={call.nth}")
	return status, out, err, any("(INJECTED)" in line for line in lines)


def killed(netns, argv, call):
	"""Runs it until that call, and kills it before the kernel carries the call out."""
	status, out, err, lines = strace(netns, argv, "-e", f"trace={call.name}", "-e",
					 f"inject={call.name}:signal=KILL:when={call.nth}")
	return status, out, err, any("killed by SIGKILL" in line for line in lines)
