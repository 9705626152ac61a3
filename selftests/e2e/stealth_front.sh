#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A stealth service on a host behind the gate's: connections go on where the gate has no socket for
# them, on a router and on a bridge, and strays end at the gate.
#
#     client eth0 ---- out gate in ---- eth0 inner     nginx on 80, 8080; "hold" keeps a connection
. "$(dirname "$0")/../tap.sh"

INNER=10.8.2.2

# front bridge|router: the picture; page 80 is protected with stealth at the gate.
front() {
	lab_ns "client$1"
	lab_ns "gate$1"
	lab_ns "inner$1"
	lab_link "client$1" eth0 "gate$1" out
	lab_link "gate$1" in "inner$1" eth0
	lab_addr "inner$1" eth0 $INNER/24
	if [ "$1" = bridge ]; then
		lab_addr "client$1" eth0 10.8.2.1/24
		lab_in "gate$1" ip link add br0 type bridge
		lab_in "gate$1" ip link set out master br0
		lab_in "gate$1" ip link set in master br0
		lab_in "gate$1" ip link set br0 up
	else
		lab_addr "client$1" eth0 10.8.1.2/24
		lab_addr "gate$1" out 10.8.1.1/24
		lab_addr "gate$1" in 10.8.2.1/24
		lab_in "gate$1" sysctl -qw net.ipv4.ip_forward=1
		lab_in "client$1" ip route add default via 10.8.1.1
		lab_in "inner$1" ip route add default via 10.8.2.1
	fi
	lab_nginx "inner$1"
}

protect() {
	must tap "gate$1" server load -i out --realm-key "$LAB/keys/realm"
	must tap "gate$1" key add 7 --user-key "$LAB/keys/a"
	must tap "gate$1" service add 80 --stealth on
	must tap "client$1" client load -i eth0
	must tap "client$1" peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
	must tap "client$1" rule add --peer office --port 80 --dst $INNER
}

# scanned NAME OPTION STATE: what nmap says of port 80.
scanned() {
	lab_in "$1" nmap -Pn -n "$2" -p 80 --max-retries 1 $INNER | grep -q "^80/tcp *$3 "
}

# A request that is finished only when told to: held NAME opens it, answered finishes it.
held() {
	exec 7<>"$LAB/hold" || return
	lab_in "$1" python3 -c 'import socket, sys
s = socket.create_connection(("'$INNER'", 80), 60)
print("open", flush=True)
sys.stdin.readline()
s.settimeout(60)
s.sendall(b"GET / HTTP/1.0\r\n\r\n")
print(s.recv(15).decode(), flush=True)' <"$LAB/hold" >"$LAB/held" 2>&1 &
	LAB_PIDS+=($!)
	lab_until 5 grep -q open "$LAB/held"
}

answered() {
	echo >&7
	lab_until 5 grep -q 'HTTP/1.1 200' "$LAB/held"
}

lab_start
tap_keys
mkfifo "$LAB/hold"
for kind in router bridge; do
	front $kind
	check "$kind: without the gate an ACK scan tells" scanned client$kind -sA unfiltered
	protect $kind
	check "$kind: a page" page client$kind http://$INNER/
	check "$kind: a connection" held client$kind
	check "$kind: ... goes on" answered
	check "$kind: an ACK scan" scanned client$kind -sA filtered
	check "$kind: a FIN scan" scanned client$kind -sF 'open|filtered'
	check "$kind: only the scans were strays" equal stray 4 \
		"$(tap gate$kind -j stats | lab_json server.reasons.stray)"
done

# Conntrack: what it has seen goes on, though it began before the gate.
kind=router
must tap gate$kind server unload
must tap client$kind rule del 1
must lab_in gate$kind nft add table ip tracking
must lab_in gate$kind nft 'add chain ip tracking f { type filter hook forward priority filter; ct state invalid counter; }'
check "$kind: a connection before the gate" held client$kind
must tap gate$kind server load -i out --realm-key "$LAB/keys/realm"
must tap gate$kind service add 80 --stealth on
grep -q 'this host forwards: .* connection tracking' "$LAB/must.log"
check "$kind: the administrator was told" equal status 0 $?
check "$kind: tracked, so it goes on" answered
check "$kind: an ACK scan, with conntrack" scanned client$kind -sA filtered
done_testing
