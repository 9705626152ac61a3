# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Where the benchmark runs, with nothing loaded yet. To be sourced after lab.sh and tap.sh.
#
#   client                        server                          attacker
#  +---------+              +-----------------+               +---------------+
#  |    eth0 |--------------| eth0       eth1 |---------------| eth0          |
#  +---------+              +-----------------+               +---------------+
#   192.0.2.2            192.0.2.1        203.0.113.1     203.0.113.66
#                              nginx: 80, 8080
#
# Two CPUs: the flood has CPU 0, and with it what the server's device makes of each frame of it; the
# web server and those who have a key have CPU 1.

bench_world() {
	lab_ns server
	lab_ns client
	lab_ns attacker
	lab_link client eth0 server eth0
	lab_link attacker eth0 server eth1
	lab_addr client eth0 192.0.2.2/24
	lab_addr server eth0 192.0.2.1/24
	lab_addr server eth1 203.0.113.1/24
	lab_addr attacker eth0 203.0.113.66/24
	# Where a flood's invented addresses are: answers to them go there and die.
	lab_in server ip route add default via 203.0.113.66
	lab_in attacker ip route add default via 203.0.113.1
	lab_in client ip route add default via 192.0.2.1
	lab_nginx server
	taskset -acp 1 "$LAB_PID" >/dev/null
	tap_keys
}
