# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Where the benchmark runs, with nothing loaded yet. To be sourced after lab.sh and tap.sh.
#
#   client                        server                          attacker
#  +---------+              +-----------------+               +---------------+
#  |    eth0 |--------------| eth0       eth1 |---------------| eth0          |
#  |    eth1 |--+        +--| eth2            |               +---------------+
#  +---------+  |        |  +-----------------+
#   192.0.2.2   |        |  192.0.2.1       203.0.113.1     203.0.113.66
#   198.18.0.2  |        |  198.18.0.1
#         +--- near -- far ---+  nginx: 80, 8080
#         |       path        |
#         +-------------------+
#
# The path carries nothing until selftests/path/ hands frames from one of its devices to the other.
#
# Two CPUs: the flood has CPU 0, and with it what the server's device makes of each frame of it; the
# web server and those who have a key have CPU 1.

bench_world() {
	lab_ns server
	lab_ns client
	lab_ns attacker
	lab_link client eth0 server eth0
	lab_link attacker eth0 server eth1
	lab_ns path
	lab_link client eth1 path near
	lab_link path far server eth2
	# Frames that a program reads must be whole: no segments to be cut, no checksum to be finished.
	lab_in client ethtool -K eth1 tx off >/dev/null
	lab_in server ethtool -K eth2 tx off >/dev/null
	lab_addr client eth0 192.0.2.2/24
	lab_addr server eth0 192.0.2.1/24
	lab_addr server eth1 203.0.113.1/24
	lab_addr attacker eth0 203.0.113.66/24
	lab_addr client eth1 198.18.0.2/24
	lab_addr server eth2 198.18.0.1/24
	# Where a flood's invented addresses are: answers to them go there and die.
	lab_in server ip route add default via 203.0.113.66
	lab_in attacker ip route add default via 203.0.113.1
	lab_in client ip route add default via 192.0.2.1
	lab_nginx server
	taskset -acp 1 "$LAB_PID" >/dev/null
	tap_keys
}
