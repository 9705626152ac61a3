#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A stealth service in front of other hosts, where the gate's own host has no sockets to look up: a
# connection goes on if the gate let it in, or if connection tracking knows it. Probes that are no SYN are
# strays all the same. Topology: ../containers.sh; connection tracking runs on the host, because it
# translates addresses.
. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/../containers.sh"
containers_start
tap_keys

# gate NAME DEV PORT,... [OPTION...]: the gate that lets() looks at.
gate() {
	local port

	GATE=$1
	must tap "$1" server load -i eth0 --realm-key "$LAB/keys/realm" "${@:4}"
	must tap "$1" key add 7 --user-key "$LAB/keys/a"
	for port in ${3//,/ }; do
		must tap "$1" service add "$port"
	done
}

TALK=$LAB_ROOT/selftests/talk.py
for name in box far side; do
	lab_spawn $name "$TALK" serve 81
done
must tap client client load -i eth0
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80,81

stray() {
	tap "$GATE" -j stats | lab_json server.reasons.stray
}

# survives ADDRESS SECONDS: a conversation that began before the gate came goes on behind it; SECONDS of
# silence end it.
survives() {
	local conversation

	rm -f "$LAB/go"
	lab_in client "$TALK" send --until "$LAB/go" --timeout "$2" "$1" 81 200000 >"$LAB/talk.log" 2>&1 &
	conversation=$!
	lab_until 5 connected "$1" && tap host server load -i eth0 --realm-key "$LAB/keys/realm" &&
		tap host service add 81 --stealth on
	: >"$LAB/go"
	wait $conversation || {
		cat "$LAB/talk.log"
		return 1
	}
}

connected() {
	lab_in client ss -Htn state established "dst = $1:81" | grep :81
}

# probed ADDRESS: an ACK, a FIN and a Xmas probe are strays, and nobody answers.
probed() {
	local before scan ipv6=

	[[ $1 != *:* ]] || ipv6=-6
	before=$(stray)
	for scan in -sA -sF -sX; do
		lab_in client nmap $ipv6 -Pn -n $scan -p 80 --max-retries 0 --host-timeout 60 "$1" -oG - 2>&1
	done >"$LAB/nmap.log"
	grep -E 'unfiltered|/closed' "$LAB/nmap.log" && return 1
	[ $(($(stray) - before)) -ge 3 ]
}

# stealthy WHAT ADDRESS
stealthy() {
	local before

	before=$(stray)
	check "$1: a conversation" lab_in client "$TALK" send "$2" 81 300000
	check "$1: none of it was a stray" equal stray "$before" "$(stray)"
	check "$1: probes are" probed "$2"
}

gate host eth0 80,81
must tap host service add 80-81 --stealth on --at 1
stealthy "routed container" 10.8.0.2
stealthy "macvlan" 10.9.0.9
stealthy "routed container, IPv6" 2001:db8:17::2
must tap host server unload
check "a connection opened before the gate goes on where it is tracked" survives 10.8.0.2 "$LAB_PATIENCE"
must tap host server unload
check "and ends where it is not: bridged or beside the host's stack" not survives 10.9.0.9 5
check "its segments were strays" test "$(stray)" -gt 0
done_testing
