# SPDX-License-Identifier: GPL-2.0-only
"""Listens on the ports named and never accepts: the kernel opens connections without anybody's help."""
import signal
import socket
import sys

BACKLOG = 4096

listeners = []
for port in sys.argv[1:]:
	listener = socket.socket()
	listener.bind(("0.0.0.0", int(port)))
	listener.listen(BACKLOG)
	listeners.append(listener)
print("ready", flush=True)
signal.pause()
