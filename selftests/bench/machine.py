# SPDX-License-Identifier: GPL-2.0-only
"""What the figures were taken on."""
import datetime
import os
import platform
import re
import subprocess

from inside import ROOT


def _read(path, pattern):
	with open(path, encoding="ascii", errors="replace") as file:
		found = re.search(pattern, file.read(), re.MULTILINE)
	return found.group(1).strip() if found else "unknown"


def _commit():
	"""The tree's commit; "+ changes" if it has others."""
	git = ["git", "-c", f"safe.directory={ROOT}", "-C", ROOT]
	try:
		head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True,
				      check=True).stdout.strip()
		changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True,
					 check=True).stdout.strip()
	except (OSError, subprocess.CalledProcessError):
		return "unknown"
	return head + (" + changes" if changed else "")


def facts(quick):
	kib = _read("/proc/meminfo", r"^MemTotal:\s*(\d+)")
	return {
		"commit": _commit(),
		"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
		"command": "sudo ./tools/bench" + (" --quick" if quick else ""),
		"kernel": platform.release(),
		"processor": _read("/proc/cpuinfo", r"^model name\s*:\s*(.*)$"),
		"cpus": os.cpu_count(),
		"memory": f"{round(int(kib) / 1048576)} GiB",
	}
