#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A good SYN cookie opens nothing: an ACK of no connection that the gate let begin does not reach a
# stealth service, nor any tap service while the kernel or a SYN proxy takes cookies. Key holders, whose
# handshakes are by cookie then, get in. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet

tap_stranger attacker eth0 server eth1 203.0.113.77 2001:db8:66::77
must tap server service del 1
must tap server service del 1

# checked yes|no: what status says.
checked() {
	local -A words=([yes]=checked [no]=unchecked)

	equal cookie_acks "${words[$1]}" "$(tap server -j status | lab_json server.cookie_acks)"
}

by_cookie() {
	local before

	before=$(counter TcpExtSyncookiesRecv)
	page teleworker "$1" && equal "cookies taken" 1 $(($(counter TcpExtSyncookiesRecv) - before))
}

counter() {
	lab_in server nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

fetches_at_once() {
	equal pages 20 "$(lab_fetches teleworker "$URL4" 20)"
}

syncookies() {
	must lab_in server sysctl -qw net.ipv4.tcp_syncookies="$1"
}

# overflow 4|6 MODE: a SYN under tcp_syncookies=2, and the sockets that it came to take cookies for two
# minutes; then that mode.
overflow() {
	syncookies 2
	if [ "$1" = 4 ]; then
		page teleworker "$URL4" && page attacker http://$LAB_SERVER4:8080/
	else
		page teleworker "$URL6" && page attacker "http://[$LAB_SERVER6]:8080/"
	fi && syncookies "$2"
}

# opens_nothing 4|6 MODE [OPTION...]: not at port 80, and such a cookie does at a port that is not protected.
opens_nothing() {
	local family=$1 mode=$2

	shift 2
	overflow "$family" "$mode" && no_cookie "$family" 80 "$@" && cookie "$family" 8080 "$@"
}

opens() {
	overflow "$1" "$2" && cookie "$1" 80
}

reload() {
	must tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm" "$@"
}

# --- stealth
must tap server service add 80 --stealth on
check "at first no cookie is taken" not cookie 4 8080
for family in 4 6; do
	check "stealth, cookies always, IPv$family" opens_nothing $family 2
	check "stealth, after an overflow, IPv$family" opens_nothing $family 1
done
syncookies 2
check "stealth, cookies always: a key holder" no_stray by_cookie "$URL4"
check "stealth, cookies always: a key holder, IPv6" no_stray by_cookie "$URL6"
check "stealth: no warning" warned_of_cookies no

# --- no stealth
must tap server service del 1
must tap server service add 80
syncookies 1
check "no stealth: status" checked no
check "no stealth, no cookies: no warning" warned_of_cookies no
check "no stealth, after an overflow: nobody looks" opens 4 1
syncookies 2
check "cookies since the load: status" checked no
check "cookies since the load: a warning" warned_of_cookies yes
syncookies 1
check "cookies no longer: no warning" warned_of_cookies no
syncookies 2
reload
check "reload: status" checked yes
check "reload: no warning" warned_of_cookies no
for family in 4 6; do
	check "no stealth, cookies always, IPv$family" opens_nothing $family 2
	check "no stealth, cookies always, with FIN, IPv$family" opens_nothing $family 2 --flags fin
done
check "no stealth, cookies always: a key holder" no_stray by_cookie "$URL4"
check "no stealth, cookies always: a key holder, IPv6" no_stray by_cookie "$URL6"
check "no stealth, cookies always: 20 key holders at once" no_stray fetches_at_once
must tap server service add 80 --src 203.0.113.77 --action pass --at 1
check "the stranger may pass" opens 4 2
must tap server service del 1
check "the stranger may not any more" opens_nothing 4 2
syncookies 1
reload
check "reload without cookies: status" checked no

# --- each way to set up a SYN proxy is seen, and that it is gone
# seen NAME ADD DELETE: shell commands at the server.
seen() {
	must lab_in server sh -c "$2"
	check "$1: a warning" warned_of_cookies yes
	must lab_in server sh -c "$3"
	check "$1, gone: no warning" warned_of_cookies no
}

proxy='synproxy mss 1460 wscale 7 timestamp sack-perm'
target='-p tcp --dport 80 -j SYNPROXY --mss 1460 --wscale 7 --timestamp --sack-perm'
must lab_in server nft 'add table inet other; add chain inet other in { type filter hook input priority 0; };
	add rule inet other in tcp dport 81 counter accept; add counter inet other seen'
check "other rules and objects: no warning" warned_of_cookies no
seen "nft, a statement" "nft add rule inet other in tcp dport 80 $proxy" 'nft flush chain inet other in'
seen "nft, an object" 'nft "add synproxy inet other p { mss 1460; wscale 7; }"' 'nft delete synproxy inet other p'
seen "iptables-nft" "iptables-nft -A INPUT $target" 'iptables-nft -F INPUT'
seen "ip6tables-nft" "ip6tables-nft -A FORWARD $target" 'ip6tables-nft -F FORWARD'
must lab_in server iptables-legacy -A INPUT -p tcp --dport 81 -m comment --comment SYNPROXY -j ACCEPT
check "other rules of iptables: no warning" warned_of_cookies no
seen "iptables-legacy" "iptables-legacy -A INPUT $target" 'iptables-legacy -D INPUT 2'
seen "ip6tables-legacy, another table" "ip6tables-legacy -t mangle -A FORWARD $target" \
	'ip6tables-legacy -t mangle -F'
must lab_in attacker nft 'add table ip p; add chain ip p in { type filter hook input priority 0; };
	add rule ip p in tcp dport 80 synproxy mss 1460 wscale 7'
check "another namespace's SYN proxy: no warning" warned_of_cookies no
done_testing
