#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Bonds: the gate on the bond or on its two devices, in every mode that has XDP; a device that joins
# later, one that fails; VLANs on a bond; services for a device.
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
must tap client client unload

# --- a service for a device: in the bond's driver the gate sees the bond's devices, else the bond
serves() {
	tap server service add 80 --dev "$1"
}

not_for() {
	! serves "$1" 2>"$LAB/refused" && grep -qE "$1 would never match: .*$2" "$LAB/refused" || {
		tail -n 1 "$LAB/refused"
		return 1
	}
}

warns() {
	tap server status 2>/dev/null | grep "^warning: [a-z_]*: service" >"$LAB/warnings"
	grep -qE "$1" "$LAB/warnings" || {
		cat "$LAB/warnings"
		return 1
	}
}

load_as() {
	tap server server load -i bond0 --realm-key "$LAB/keys/realm" --mode "$1" >"$LAB/said" 2>&1 &&
		equal mode "$1" "$(mode_of)"
}

bonds mode balance-rr
must load_as native
must tap server key add 7 --user-key "$LAB/keys/a"
check "native: none for the bond" not_for bond0 'in the driver of bond0.* on eth0, eth1: leave --dev out'
check "native: none for a VLAN on it" not_for bond0.5 'bond0.5 stands on eth0, eth1, where the gate is'
check "native: one for each of its devices" serves eth0
must serves eth1
check "native: they shut" no_page client http://10.9.0.1/
check "native: status has nothing to say of devices" not warns .
splitter bond0
check "native: who has the key gets in" page client http://10.9.0.1/
must tap client client unload
must tap server server unload -i bond0
check "generic" load_as generic
check "generic: services for its devices match nothing: status says so" \
	warns 'service 1: the gate is on bond0, which stands on eth0.*--dev bond0'
check "generic: as is true" page client http://10.9.0.1/
check "generic: none for one of its devices" not_for eth0 'on bond0, which stands on eth0'
check "generic: one for the bond" serves bond0
check "generic: it shuts" no_page client http://10.9.0.1/
splitter bond0
check "generic: who has the key gets in" page client http://10.9.0.1/
must tap client client unload
must tap server service del 1
must tap server service del 1
must tap server server unload -i bond0
must load_as native
check "generic, then native: the load says that the service matches nothing" \
	grep -q 'service 1: the gate is in the driver of bond0' "$LAB/said"
check "generic, then native: so does status" warns 'service 1: the gate is in the driver of bond0'
check "generic, then native: as is true" page client http://10.9.0.1/
must tap server server unload

check "unloaded: open to everybody" sh -c "exit $(page client http://10.9.0.1/; echo $?)"
done_testing
