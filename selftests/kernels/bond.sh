#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Bonds: the gate on the bond or on its two devices, in every mode that has XDP; a device that joins
# later, one that fails; VLANs on a bond.
#
#  +-------- client --------+         +-------- server --------+
#  |             /-- eth0   |---------|   eth0 --\             |
#  |  bond0 ----<           |         |           >---- bond0  |  nginx: 80
#  |             \-- eth1   |---------|   eth1 --/             |
#  +------------------------+         +------------------------+
#   10.9.0.2  2001:db8:9::2            10.9.0.1  2001:db8:9::1
#   bond0.5: 10.9.5.2                  bond0.5: 10.9.5.1
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns server
lab_link client eth0 server eth0
lab_link client eth1 server eth1
lab_link client eth2 server eth2

# join HOST DEV: to the host's bond.
join() {
	lab_in "$1" ip link set "$2" down
	lab_in "$1" ip link set "$2" master bond0
	lab_in "$1" ip link set "$2" up
}

# bonds OPTION...: new ones at both ends.
bonds() {
	local host

	for host in client server; do
		lab_in $host ip link del bond0 2>/dev/null
		must lab_in $host ip link add bond0 type bond miimon 50 "$@"
		join $host eth0
		join $host eth1
		must lab_in $host ip link set bond0 up
		must lab_in $host ip link add link bond0 name bond0.5 type vlan id 5
		must lab_in $host ip link set bond0.5 up
	done
	lab_addr client bond0 10.9.0.2/24 2001:db8:9::2/64
	lab_addr server bond0 10.9.0.1/24 2001:db8:9::1/64
	lab_addr client bond0.5 10.9.5.2/24
	lab_addr server bond0.5 10.9.5.1/24
	must lab_until 10 page client http://10.9.0.1/
}

# gate DEV,DEV...: there, and nowhere else.
gate() {
	tap server server unload 2>/dev/null
	tap server server load -i "$1" --realm-key "$LAB/keys/realm" &&
		tap server service add 80 && tap server key add 7 --user-key "$LAB/keys/a"
}

splitter() {
	must tap client client load -i "$1"
	must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
	must tap client rule add --peer office --port 80
}

# lets_in WHERE: only who has the key.
lets_in() {
	local where=$1

	check "$where: without a key, nothing" no_page client http://10.9.0.1/
	check "$where: without a key, nothing on the VLAN" no_page client http://10.9.5.1/
	splitter bond0,bond0.5
	check "$where: IPv4" page client http://10.9.0.1/
	check "$where: IPv6" page client 'http://[2001:db8:9::1]/'
	check "$where: on the VLAN" counts admitted 1 page client http://10.9.5.1/
	check "$where: 20 at once" equal pages 20 "$(lab_fetches client http://10.9.0.1/ 20)"
	check "$where: every judged segment has one reason" one_each
	must tap client client unload
}

mode_of() {
	tap server -j status | lab_json server.interfaces.0.hook
}

refused() {
	! tap server server load -i "$1" --realm-key "$LAB/keys/realm" 2>"$LAB/refused" &&
		grep -q "$2" "$LAB/refused" || {
		tail -n 1 "$LAB/refused"
		return 1
	}
}

lab_nginx server
tap_keys
for mode in active-backup balance-rr balance-xor '802.3ad lacp_rate fast'; do
	# shellcheck disable=SC2086 # words
	bonds mode $mode
	must gate bond0
	lets_in "$mode"
	must tap server server unload
done

# The rest on one that uses its devices in turn: of a group, two SYNs come through each.
bonds mode balance-rr
must gate bond0
check "the gate is in the driver" equal mode native "$(mode_of)"
check "not on the bond's devices besides" refused eth0 'stand on each other'
splitter bond0
join client eth2
join server eth2
check "a device that joins later has the gate: 20 at once" equal pages 20 \
	"$(lab_fetches client http://10.9.0.1/ 20)"
must tap client client unload
for dev in eth0 eth1; do
	must lab_in client ip link set $dev nomaster
	must lab_in server ip link set $dev nomaster
done
check "and alone in the bond it still lets in nobody without a key" no_page client http://10.9.0.1/
must tap server server unload

bonds mode balance-rr
check "the gate on the bond's two devices" gate eth0,eth1
check "and then not on the bond besides" refused bond0 'stand on each other'
lets_in "on the two devices"
splitter eth0,eth1
check "the splitter on the client's two devices" page client http://10.9.0.1/
must tap client client unload
must tap server server unload

bonds mode active-backup
must gate bond0
splitter bond0
must lab_in client ip link set eth0 down
check "one device fails: the other" page client http://10.9.0.1/
must lab_in client ip link set eth0 up
must lab_in server ip link set eth1 down
check "and the other way round" page client http://10.9.0.1/
must tap server server unload
check "unloaded: open to everybody" sh -c "exit $(page client http://10.9.0.1/; echo $?)"
done_testing
