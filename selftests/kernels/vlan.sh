#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Curl with a key and without, over IPv4, IPv6 and a VLAN. The splitter is on the VLAN and on the
# Ethernet device below it, which one SYN passes in turn: it is split once, exactly four leave.
#
#  +-------- client --------+       +-------- server --------+
#  |            10.9.0.2    |       |    10.9.0.1            |
#  |       2001:db8:9::2  eth0 --- eth0  2001:db8:9::1       |  nginx: 80
#  |            10.9.5.2  eth0.5   eth0.5  10.9.5.1          |
#  |      2001:db8:95::2    |       |      2001:db8:95::1    |
#  +------------------------+       +------------------------+
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns server
lab_link client eth0 server eth0
for host in client server; do
	must lab_in $host ip link add link eth0 name eth0.5 type vlan id 5
	must lab_in $host ip link set eth0.5 up
done
lab_addr client eth0 10.9.0.2/24 2001:db8:9::2/64
lab_addr server eth0 10.9.0.1/24 2001:db8:9::1/64
lab_addr client eth0.5 10.9.5.2/24 2001:db8:95::2/64
lab_addr server eth0.5 10.9.5.1/24 2001:db8:95::1/64
lab_nginx server
tap_keys
must tap server server load -i eth0 --realm-key "$LAB/keys/realm"
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"

check "without a key, IPv4: nothing comes" no_page client http://10.9.0.1/
check "without a key, IPv6: nothing comes" no_page client 'http://[2001:db8:9::1]/'
check "without a key, IPv4 on the VLAN: nothing comes" no_page client http://10.9.5.1/
check "without a key, IPv6 on the VLAN: nothing comes" no_page client 'http://[2001:db8:95::1]/'

no_service_for() {
	! tap server service add 80 --dev "$1" 2>"$LAB/refused" && grep -q "$2" "$LAB/refused"
}
check "no service for the VLAN, where the gate never sees a packet" no_service_for eth0.5 \
	'eth0.5 would never match: eth0.5 stands on eth0, .*--dev eth0'

check "the splitter loads on VLAN and Ethernet" tap client client load -i eth0,eth0.5
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80

on_clsact() {
	lab_in client tc filter show dev "$1" egress | grep tap_split
}

if [[ $(uname -r) =~ ^6\.[0-5]\. ]]; then # TCX came with 6.6
	check "it took clsact on the Ethernet device" on_clsact eth0
	check "it took clsact on the VLAN" on_clsact eth0.5
fi

# four HOST: the page, and how many SYNs to port 80 leave through the Ethernet device for it.
four() {
	local before sent

	before=$(tap client -j stats | lab_json client.split) sent=$(syns client)
	capture client eth0 "$LAB/four.pcap" 20 "$SYNS or (vlan and ($SYNS))"
	page client "http://$1/" || return
	sent=$(($(syns client) - sent))
	lab_until 10 heard $((4 * sent))
	sleep 0.3 # for what must not come
	lab_kill "$CAPTURE"
	equal "SYNs on the wire" $((4 * sent)) "$(tcpdump -n -r "$LAB/four.pcap" 2>/dev/null | wc -l)" &&
		equal split $sent $(($(tap client -j stats | lab_json client.split) - before))
}

heard() {
	[ "$(tcpdump -n -r "$LAB/four.pcap" 2>/dev/null | wc -l)" -ge "$1" ]
}

# ip6[53]: the flags of a TCP header that follows the IPv6 header at once.
SYNS="(ip and tcp dst port 80 and $SYN) or (ip6 and tcp dst port 80 and ip6[53] == 2)"

for txvlan in on off; do
	must lab_in client ethtool -K eth0 txvlan $txvlan
	with="tags $([ $txvlan = on ] && echo beside || echo in) the frames"
	check "$with: IPv4, four SYNs leave" four 10.9.0.1
	check "$with: IPv6, four SYNs leave" four '[2001:db8:9::1]'
	check "$with: IPv4 on the VLAN, four SYNs leave" four 10.9.5.1
	check "$with: IPv6 on the VLAN, four SYNs leave" four '[2001:db8:95::1]'
done
check "a hundred at once on the VLAN" equal pages 100 "$(lab_fetches client http://10.9.5.1/ 100)"
check "every judged segment has one reason" one_each
done_testing
