# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A client and a server with a switch between them, for tests that need no more. The switch matters:
# what the splitter's clones carry from one end of a veth straight to the other, generic XDP
# passes by. To be sourced by bash; brings tap.sh and lab.sh with it.
#
#  +------- client -------+        +-- switch --+        +------- server -------+
#  |                 eth0 |--------| p1 br0  p2 |--------| eth0                 |  nginx: 80, 8080
#  +----------------------+        +------------+        +----------------------+
#   10.9.0.2  2001:db8:9::2                               10.9.0.1  2001:db8:9::1

# shellcheck source=selftests/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"

URL4=http://10.9.0.1/
URL6=http://[2001:db8:9::1]/

# pair_start: the picture, and keys; no gate and no splitter yet.
pair_start() {
	lab_start
	lab_ns client
	lab_ns switch
	lab_ns server
	lab_link client eth0 switch p1
	lab_link switch p2 server eth0
	lab_in switch ip link add name br0 type bridge
	lab_in switch ip link set p1 master br0
	lab_in switch ip link set p2 master br0
	lab_in switch ip link set br0 up
	lab_addr client eth0 10.9.0.2/24 2001:db8:9::2/64
	lab_addr server eth0 10.9.0.1/24 2001:db8:9::1/64
	lab_nginx server
	tap_keys
}

# pair_gate [OPTION...]: the gate on the server, port 80 protected, key 7 = a.
pair_gate() {
	must tap server server load -i eth0 --realm-key "$LAB/keys/realm" "$@"
	must tap server service add 80
	must tap server key add 7 --user-key "$LAB/keys/a"
}

# pair_splitter [OPTION...]: the splitter on the client with key a as 7 for port 80.
pair_splitter() {
	must tap client client load -i eth0
	must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" \
		--key-id 7 "$@"
	must tap client rule add --peer office --port 80
}
