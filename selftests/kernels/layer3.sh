#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tunnels, whose frames start at the IP header: WireGuard, IP in IP, GRE, IPv6 in IPv4. The gate is on
# the tunnel's device; outside it there is only Ethernet that it does not look at.
#
#  +------ client ------+          +---- server ----+
#  |  tunnel0  10.9.1.2 |==========| tunnel0        |  nginx: 80
#  |           eth0     |----------| eth0  10.9.0.1 |  10.9.1.1, 2001:db8:91::1 in the tunnel
#  +--------------------+          +----------------+
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns server
lab_link client eth0 server eth0
lab_addr client eth0 10.9.0.2/24
lab_addr server eth0 10.9.0.1/24
lab_nginx server
tap_keys

# tunnel_ends TYPE: tunnel0 at both ends.
tunnel_ends() {
	local host

	if [ "$1" = wireguard ]; then
		wireguard_ends
		return
	fi
	must lab_in client ip link add tunnel0 type "$1" local 10.9.0.2 remote 10.9.0.1
	must lab_in server ip link add tunnel0 type "$1" local 10.9.0.1 remote 10.9.0.2
}

wireguard_ends() {
	local host

	for host in client server; do
		must lab_in $host ip link add tunnel0 type wireguard
		(umask 077 && wg genkey >"$LAB/wg-$host")
		wg pubkey <"$LAB/wg-$host" >"$LAB/wg-$host.pub"
	done
	must lab_in server wg set tunnel0 listen-port 51820 private-key "$LAB/wg-server" \
		peer "$(cat "$LAB/wg-client.pub")" allowed-ips 10.9.1.2/32,2001:db8:91::2/128
	must lab_in client wg set tunnel0 private-key "$LAB/wg-client" \
		peer "$(cat "$LAB/wg-server.pub")" endpoint 10.9.0.1:51820 allowed-ips 0.0.0.0/0,::/0
}

# only_with_key TYPE FAMILY URL
only_with_key() {
	must page client "$3"
	must tap server server load -i tunnel0 --realm-key "$LAB/keys/realm"
	must tap server service add 80
	must tap server key add 7 --user-key "$LAB/keys/a"
	check "$1, $2: without a key, nothing" no_page client "$3"
	must tap client client load -i tunnel0
	must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
	must tap client rule add --peer office --port 80
	check "$1, $2: with a key, the page" counts admitted 1 page client "$3"
	check "$1, $2: 10 at once" equal pages 10 "$(lab_fetches client "$3" 10)"
	check "$1, $2: every judged segment has one reason" one_each
	must tap client client unload
	must tap server server unload
}

for type in wireguard ipip gre sit; do
	tunnel_ends $type
	must lab_in client ip link set tunnel0 up
	must lab_in server ip link set tunnel0 up
	[ $type = sit ] || lab_addr client tunnel0 10.9.1.2/24
	[ $type = sit ] || lab_addr server tunnel0 10.9.1.1/24
	[ $type = ipip ] || lab_addr client tunnel0 2001:db8:91::2/64
	[ $type = ipip ] || lab_addr server tunnel0 2001:db8:91::1/64
	[ $type = sit ] || only_with_key $type IPv4 http://10.9.1.1/
	[ $type = ipip ] || only_with_key $type IPv6 'http://[2001:db8:91::1]/'
	must lab_in client ip link del tunnel0
	must lab_in server ip link del tunnel0
done
done_testing
