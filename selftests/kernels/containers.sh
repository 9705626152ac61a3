#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Containers on ipvlan devices, and VRFs, which not every kernel has.
#
#  +-- client ---+      +---------- host ----------+
#  |   red: eth0 |------| eth0: red                |  nginx: 80, 8080
#  |        eth1 |------| eth1 -- iv0 in namespace |  side, nginx: 80, 8080
#  +-------------+      +--------------------------+
#   10.9.0.2, 10.9.1.2    10.9.0.1, 10.9.1.1; side: 10.9.1.9
. "$(dirname "$0")/../tap.sh"
lab_start
for name in client switch host side; do
	lab_ns $name
done
for n in 0 1; do # a switch between, for the sake of generic XDP: see ../pair.sh
	lab_link client eth$n switch c$n
	lab_link switch h$n host eth$n
	must lab_in switch ip link add name br$n type bridge
	must lab_in switch ip link set c$n master br$n
	must lab_in switch ip link set h$n master br$n
	must lab_in switch ip link set br$n up
done
for name in client host; do
	must lab_in $name ip link add name red type vrf table 10
	must lab_in $name ip link set red up
	must lab_in $name ip link set eth0 master red
	lab_in $name sysctl -qw net.ipv4.tcp_l3mdev_accept=1
done
lab_addr client eth0 10.9.0.2/24 2001:db8:9::2/64
lab_addr host eth0 10.9.0.1/24 2001:db8:9::1/64
lab_addr client eth1 10.9.1.2/24
lab_addr host eth1 10.9.1.1/24
lab_nginx host
tap_keys

must tap client client load -i eth0,eth1
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7

gate() {
	GATE=$1
	must tap "$1" server load -i "$2" --realm-key "$LAB/keys/realm" "${@:3}"
	must tap "$1" service add 80
	must tap "$1" key add 7 --user-key "$LAB/keys/a"
}

admitted() {
	tap "$GATE" -j stats | grep -o '"admitted": *[0-9]*' | tr -dc 0-9 # no Python: it is slow here
}

fetch() {
	lab_curl client "$@" | grep -q 'the page behind the gate'
}

# works URL [OPTION...]: nothing without a key; with it the page, through one admission. The options are
# curl's.
works() {
	local before status sent

	lab_in client curl -s -g -o /dev/null -m 1 "$@"
	equal "curl's exit status without a key" 28 $? || return
	tap client rule add --peer office --port 80 || return
	before=$(admitted) sent=$(syns client)
	fetch "$@"
	status=$?
	tap client rule del 1
	[ $status = 0 ] || return
	equal admitted $(($(syns client) - sent)) $(($(admitted) - before))
}

for mode in native generic; do
	gate host eth0 --mode $mode
	check "VRF, $mode gate on its device" works http://10.9.0.1/ --interface red
	check "VRF, $mode gate on its device, IPv6" works 'http://[2001:db8:9::1]/' --interface red
	check "no gate on a VRF and its device" not tap host server load -i red --realm-key "$LAB/keys/realm"
	must tap host server unload
done
for ivmode in l2 l3s; do
	must lab_in host ip link add name iv0 link eth1 netns "$LAB_PREFIX-side" type ipvlan mode $ivmode
	lab_in side ip link set iv0 up
	lab_addr side iv0 10.9.1.9/24
	[ -d "$LAB/side" ] || { mkdir "$LAB/side" && LAB=$LAB/side lab_nginx side; }
	gate host eth1
	check "ipvlan $ivmode, gate below it" works http://10.9.1.9/
	must tap host server unload
	gate side iv0
	if [ $ivmode = l2 ]; then
		check "ipvlan $ivmode, gate in the container" works http://10.9.1.9/
	else
		check "ipvlan $ivmode, a gate in the container sees nothing" fetch http://10.9.1.9/
	fi
	must tap side server unload
	must lab_in side ip link del iv0
done
gate host red
check "a gate on the VRF itself sees nothing" fetch http://10.9.0.1/ --interface red
done_testing
