#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Clients that ask their kernel for odd connections (IP options, extension headers, Fast Open, MPTCP,
# small segments, no timestamps, ECN...) get through splitter and gate, at the first try, over Ethernet
# and over devices without Ethernet header.
#
#  +-- client --+                          +-- server --+
#  |       eth0 |--------------------------| eth0       |  10.9.0.1  fd09::1
#  |       tun0 |---- a process's two -----| tun0       |  10.9.1.1  fd19::1
#  +------------+     descriptors          +------------+
. "$(dirname "$0")/../tap.sh"
SHAPES=$LAB_ROOT/selftests/shapes
lab_start
[ -c /dev/net/tun ] || {
	echo "skip odd_clients: no /dev/net/tun here"
	exit 0
}
lab_ns client
lab_ns server
lab_link client eth0 server eth0
"$SHAPES/carry" "/run/netns/$LAB_PREFIX-client" "/run/netns/$LAB_PREFIX-server" &
LAB_PIDS+=($!)
for name in client server; do
	lab_until 5 lab_in $name ip link set tun0 up || lab_die "no tun device"
	# Fast Open both ways, without a cookie, for every listener.
	lab_in $name sysctl -qw net.ipv4.tcp_fastopen=0x607
done
lab_addr client eth0 10.9.0.2/24 fd09::2/64
lab_addr server eth0 10.9.0.1/24 fd09::1/64
lab_addr client tun0 10.9.1.2/24 fd19::2/64
lab_addr server tun0 10.9.1.1/24 fd19::1/64
lab_nginx server
tap_keys
must tap server server load -i eth0,tun0 --realm-key "$LAB/keys/realm"
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
must tap client client load -i eth0,tun0
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80

# fetched IPV4 IPV6: all of them bring the page, each SYN by an admitted group, and nothing is refused.
fetched() {
	local before wanted sent

	before=$(reason admitted) sent=$(syns client)
	lab_in client "$SHAPES/clients" "$1" "$2" 80 >"$LAB/fetched"
	wanted=$(wc -l <"$LAB/fetched")
	if grep : "$LAB/fetched" || [ "$wanted" -lt 30 ]; then
		return 1
	fi
	sent=$(($(syns client) - sent))
	[ $sent -ge "$wanted" ] && equal admitted $sent $(($(reason admitted) - before)) &&
		equal "all that was judged" $((4 * $(reason admitted))) "$(reasons)"
}

# fast_opened: SYNs whose data the server took.
fast_opened() {
	lab_in server nstat -asz TcpExtTCPFastOpenPassive | awk '/FastOpen/ { print $2 }'
}

# each NAME: over both links. The server forgets the connections that it closed: their timestamps were
# others, and a new connection from a port of theirs would have to be begun a second time.
each() {
	lab_in server ss -KHtn state time-wait >/dev/null
	check "$1, over Ethernet: every odd client gets the page at once" fetched 10.9.0.1 fd09::1
	check "$1, over tun: every odd client gets the page at once" fetched 10.9.1.1 fd19::1
}

each "as it comes"
check "Fast Open's data arrived in the SYN each time" equal SYNs 4 "$(fast_opened)"
must lab_in client sysctl -w net.ipv4.tcp_timestamps=0
each "no timestamps"
must lab_in client sysctl -w net.ipv4.tcp_timestamps=2 net.ipv4.tcp_sack=0 \
	net.ipv4.tcp_window_scaling=0 net.ipv4.tcp_ecn=1
each "ECN, timestamps as they are, no SACK, no window scale"
must tap server server load -i eth0,tun0 --realm-key "$LAB/keys/realm" --encoding classic
must tap client peer update office --ports shared --encoding classic
each "classic encoding from one port"
done_testing
