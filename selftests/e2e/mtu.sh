#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Links from 68 bytes, the least that IPv4 allows, to 9000, with the gate native and generic; and a
# path with a narrow link in it, whose ICMP messages must come through gate and splitter.
#
#  +-- client ---+      +--------- router ---------+      +-- server ---+
#  |        eth0 |------| lan                  wan |------| eth0        |
#  +-------------+      +--------------------------+      +-------------+
#  10.9.0.2          10.9.0.1                  10.9.1.2          10.9.1.1
#  2001:db8:9::2     2001:db8:9::1       2001:db8:91::2    2001:db8:91::1
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns router
lab_ns server
lab_link client eth0 router lan
lab_link router wan server eth0

SERVER4=10.9.1.1
SERVER6=2001:db8:91::1

# mtu LAN WAN. The kernel takes IPv6 off a link that is too narrow for it, so addresses are set anew.
mtu() {
	must lab_in client ip link set eth0 mtu "$1"
	must lab_in router ip link set lan mtu "$1"
	must lab_in router ip link set wan mtu "$2"
	must lab_in server ip link set eth0 mtu "$2"
	lab_in client ip addr flush dev eth0 scope global
	lab_in router ip addr flush dev lan scope global
	lab_in router ip addr flush dev wan scope global
	lab_in server ip addr flush dev eth0 scope global
	ipv6=
	[ "$1" -ge 1280 ] && [ "$2" -ge 1280 ] && ipv6=6
	lab_addr client eth0 10.9.0.2/24 ${ipv6:+2001:db8:9::2/64}
	lab_addr router lan 10.9.0.1/24 ${ipv6:+2001:db8:9::1/64}
	lab_addr router wan 10.9.1.2/24 ${ipv6:+2001:db8:91::2/64}
	lab_addr server eth0 $SERVER4/24 ${ipv6:+$SERVER6/64}
	must lab_in client ip route replace default via 10.9.0.1
	must lab_in server ip route replace default via 10.9.1.2
	lab_in router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	[ -n "$ipv6" ] || return
	must lab_in client ip route replace default via 2001:db8:9::1
	must lab_in server ip route replace default via 2001:db8:91::2
}

# gate MODE [OPTION...]: the options are the service's.
gate() {
	local mode=$1

	shift
	must tap server server load -i eth0 --realm-key "$LAB/keys/realm" --mode "$mode"
	must tap server service add 81 "$@"
	must tap server key add 7 --user-key "$LAB/keys/a"
}

# talks ADDRESS BYTES: each SYN is admitted, and all bytes come back.
talks() {
	local before sent

	before=$(reason admitted) sent=$(syns client)
	lab_in client "$LAB_ROOT/selftests/talk.py" send "$1" 81 "$2" || return
	equal "admitted" $(($(syns client) - sent)) $(($(reason admitted) - before))
}

mtu 1500 1500
lab_spawn server "$LAB_ROOT/selftests/talk.py" serve 81
must lab_until 5 lab_in server "$LAB_ROOT/selftests/talk.py" send 127.0.0.1 81 10
tap_keys
must tap client client load -i eth0
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 81

# at MODE SIZE BYTES [OPTION...]: a link of that size, and so many bytes there and back.
at() {
	local mode=$1 size=$2 bytes=$3

	shift 3
	mtu "$size" "$size"
	gate "$mode" "$@"
	check "$mode, MTU $size${*:+, $*}" talks $SERVER4 "$bytes"
	[ -z "$ipv6" ] || check "$mode, MTU $size${*:+, $*}, IPv6" talks $SERVER6 "$bytes"
	must tap server server unload
}

# narrow MTU: the router sends nothing larger, both ways, and says so by ICMP.
narrow() {
	must lab_in router ip route change 10.9.1.0/24 dev wan mtu "$1"
	must lab_in router ip route change 10.9.0.0/24 dev lan mtu "$1"
	must lab_in router ip -6 route replace 2001:db8:91::/64 dev wan metric 256 mtu "$1"
	must lab_in router ip -6 route replace 2001:db8:9::/64 dev lan metric 256 mtu "$1"
}

# learned NAME ADDRESS MTU: the host took the router's word for what fits.
learned() {
	lab_in "$1" ip route get "$2" | grep "mtu $3"
}

for mode in native generic; do
	at $mode 68 5000 # in fragments of 48 bytes: the kernel's TCP has no segments that small
	for size in 576 1280 1500 3498 9000; do
		at $mode $size 500000
	done
	at $mode 9000 500000 --stealth on # every segment of several buffers is looked at
done

# Another width in each mode, so that what was learned before does not count.
for mode in native generic; do
	width=1300
	[ $mode = native ] || width=1400
	mtu 1500 1500
	gate $mode
	narrow $width
	check "$mode, narrow path" talks $SERVER4 500000
	check "$mode, narrow path: the server learned of it" learned server 10.9.0.2 $width
	check "$mode, narrow path: the client learned of it" learned client $SERVER4 $width
	check "$mode, narrow path, IPv6" talks $SERVER6 500000
	check "$mode, narrow path, IPv6: the server learned of it" learned server 2001:db8:9::2 $width
	check "$mode, narrow path, IPv6: the client learned of it" learned client $SERVER6 $width
	must tap server server unload
	lab_in server ip route flush cache
	lab_in client ip route flush cache
	lab_in server ip -6 route flush cache
	lab_in client ip -6 route flush cache
done
done_testing
