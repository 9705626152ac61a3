#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The splitter on two devices that one SYN passes in turn splits it once: exactly four leave. The gate
# is refused on two devices that one SYN passes in turn: the second would undo what the first does.
#
#  +------ client ------+         +---- server ----+
#  |  mv0 (macvlan) --\ |         |                |
#  |  10.9.0.2         eth0 ------- eth0  10.9.0.1 |
#  |  br0 (bridge) -- eth1 ------- eth1  10.9.1.1  |
#  |  10.9.1.2          |         |                |
#  +--------------------+         +----------------+
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns server
lab_link client eth0 server eth0
lab_link client eth1 server eth1
lab_in client ip link add name mv0 link eth0 type macvlan
lab_in client ip link add name br0 type bridge
lab_in client ip link set eth1 master br0
lab_in client ip link set mv0 up
lab_in client ip link set br0 up
lab_addr client mv0 10.9.0.2/24
lab_addr client br0 10.9.1.2/24
lab_addr server eth0 10.9.0.1/24
lab_addr server eth1 10.9.1.1/24
lab_nginx server
tap_keys
tap_server
must tap client client load -i eth0,eth1,mv0,br0
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80

# four DEV ADDRESS: a fetch through both devices, and what of it leaves through the lower one. (The
# server would not show what the gate drops.)
four() {
	local before sent

	before=$(tap client -j stats | lab_json client.split) sent=$(syns client)
	capture client "$1" "$LAB/four.pcap" 20 "$SYN" and tcp dst port 80
	page client "http://$2/" || return
	sent=$(($(syns client) - sent))
	lab_until 10 heard $((4 * sent))
	sleep 0.3 # for what must not come
	lab_kill "$CAPTURE"
	equal "SYNs on the wire" $((4 * sent)) "$(tcpdump -n -r "$LAB/four.pcap" 2>/dev/null | wc -l)" &&
		equal "split" $sent $(($(tap client -j stats | lab_json client.split) - before))
}

heard() {
	[ "$(tcpdump -n -r "$LAB/four.pcap" 2>/dev/null | wc -l)" -ge "$1" ]
}

check "a SYN on a bridge and its port is split once" four eth1 10.9.1.1
check "a SYN on a macvlan and below is split once" four eth0 10.9.0.1
check "a hundred through the bridge" equal pages 100 "$(lab_fetches client http://10.9.1.1/ 100)"
check "a hundred through the macvlan" equal pages 100 "$(lab_fetches client http://10.9.0.1/ 100)"
check "every judged segment has one reason" one_each

# gate_on DEV,DEV: at the client's end, where devices stand on each other.
gate_on() {
	tap client server load -i "$1" --realm-key "$LAB/keys/realm"
}

# refused DEV,DEV: for that reason and no other.
refused() {
	! gate_on "$1" 2>"$LAB/refused.log" && grep -q 'stand on each other' "$LAB/refused.log"
}

check "no gate on a bridge and its port" refused eth1,br0
check "no gate on a macvlan and below" refused mv0,eth0
check "a gate on devices beside each other" gate_on eth0,eth1
check "and none on top of one of them later" refused br0
check "the others have it still" equal interfaces 2 "$(tap client -j status |
	python3 -c 'import json, sys; print(len(json.load(sys.stdin)["server"]["interfaces"]))')"
done_testing
