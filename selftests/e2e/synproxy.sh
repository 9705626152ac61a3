#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# SYN cookies and a SYN proxy (nftables) behind the gate, where they see no SYNs but those that were let
# in, and no ACK with a good cookie but for those; and a SYN proxy before the gate, which ends what the
# splitter begins, so that nothing can pass.
#
#  +-- client ---+      +--------- router ---------+      +-- server ---+
#  |        eth0 |------| lan                  wan |------| eth0        |  nginx: 80, 8080
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
lab_addr client eth0 10.9.0.2/24 2001:db8:9::2/64
lab_addr router lan 10.9.0.1/24 2001:db8:9::1/64
lab_addr router wan 10.9.1.2/24 2001:db8:91::2/64
lab_addr server eth0 10.9.1.1/24 2001:db8:91::1/64
for route in 'client 10.9.0.1' 'client 2001:db8:9::1' 'server 10.9.1.2' 'server 2001:db8:91::2'; do
	must lab_in "${route% *}" ip route add default via "${route#* }"
done
lab_in router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
lab_nginx server
tap_keys
tap_stranger router wan server eth0 10.9.1.77 2001:db8:91::77
LAB_SERVER4=10.9.1.1
LAB_SERVER6=2001:db8:91::1
URL4=http://10.9.1.1/
URL6=http://[2001:db8:91::1]/
must tap client client load -i eth0
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80

gate() {
	must tap server server load -i eth0 --realm-key "$LAB/keys/realm" "$@"
	must tap server service add 80
	must tap server key add 7 --user-key "$LAB/keys/a"
}

# cookies MODE: 0 never, 1 when the queue is full, 2 always.
cookies() {
	must lab_in server sysctl -qw net.ipv4.tcp_syncookies="$1"
}

counter() {
	lab_in server nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

# by_cookie URL: through a cookie, which the stack sent (for each SYN) and took back.
by_cookie() {
	local syns sent taken

	syns=$(syns client)
	sent=$(counter TcpExtSyncookiesSent)
	taken=$(counter TcpExtSyncookiesRecv)
	page client "$1" || return
	equal "cookies sent" $(($(syns client) - syns)) $(($(counter TcpExtSyncookiesSent) - sent)) &&
		equal "cookies taken" 1 $(($(counter TcpExtSyncookiesRecv) - taken))
}

# --- cookies
for mode in native generic; do
	gate --mode $mode
	cookies 2
	# A gate that is loaded anew refuses what may be of the last second of the one before.
	must page client "$URL4"
	check "cookies always, $mode" by_cookie "$URL4"
	check "cookies always, $mode, IPv6" by_cookie "$URL6"
	check "cookies always, $mode: 20 at once" equal pages 20 "$(lab_fetches client "$URL4" 20)"
	must tap server server unload
done

# --- a queue of eight and a flood: of the flood the stack behind the gate knows nothing
must lab_in server sysctl -qw net.ipv4.tcp_max_syn_backlog=8 net.core.somaxconn=8
flood() {
	lab_spawn router "$FLOOD" --dev wan --dst-mac "$(lab_mac server eth0)" --dst 10.9.1.1 \
		--dport "$1" --rate 20000 --seconds 600 >"$LAB/flood.log"
	lab_until 5 flood_came "$(lab_received server eth0)"
}

flood_came() {
	[ $(($(lab_received server eth0) - $1)) -gt 1000 ]
}

gate
for mode in 0 1 2; do
	cookies $mode
	flood 80
	before=$(counter TcpExtListenDrops)
	check "flood, short queue, cookies $mode" page client "$URL4"
	check "flood, short queue, cookies $mode, IPv6" page client "$URL6"
	check "flood, short queue, cookies $mode: nothing dropped behind the gate" equal ListenDrops \
		"$before" "$(counter TcpExtListenDrops)"
	lab_kill "$LAB_PID"
done
# The same on a port that is not protected, to see that it is a flood.
cookies 0
flood 8080
many_drops() {
	[ "$(counter TcpExtListenDrops)" -gt 1000 ]
}
check "without a gate the flood fills the queue" lab_until 5 many_drops
lab_kill "$LAB_PID"

fetches_at_once() {
	equal pages 20 "$(lab_fetches client "$URL4" 20)"
}

# --- a SYN proxy, as nft(8) shows it
# synproxy NAME HOOK
synproxy() {
	must lab_in "$1" sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	must lab_in "$1" nft -f - <<-END
		table inet proxy {
			chain raw {
				type filter hook prerouting priority raw; policy accept;
				tcp dport 80 tcp flags syn notrack
			}
			chain proxy {
				type filter hook $2 priority filter; policy accept;
				tcp dport 80 ct state { invalid, untracked } synproxy mss 1460 wscale 7 timestamp sack-perm
				ct state invalid drop
			}
		}
	END
}

# proxied URL: through one cookie of the proxy.
proxied() {
	local before

	before=$(valid_cookies)
	page client "$1" && equal "valid cookies" 1 $(($(valid_cookies) - before))
}

# The fourth column, a line for each CPU.
valid_cookies() {
	local line sum=0

	while read -r -a line; do
		[[ ${line[3]} =~ ^[0-9a-f]+$ ]] && sum=$((sum + 0x${line[3]}))
	done < <(lab_in server cat /proc/net/stat/synproxy)
	echo $sum
}

cookies 1
reload() {
	must tap server server load -i eth0 --realm-key "$LAB/keys/realm"
}
reload
check "without a SYN proxy: no warning" warned_of_cookies no
synproxy server input
check "a SYN proxy since the load: a warning" warned_of_cookies yes
check "a SYN proxy since the load: a good cookie opens" cookie 4 80
reload
check "reload: no warning" warned_of_cookies no
for family in 4 6; do
	check "behind a SYN proxy: a good cookie, IPv$family" no_cookie $family 80
	# For nftables' proxy whatever has the flag SYN is a SYN, and else whatever has ACK is an ACK.
	check "behind a SYN proxy: a good cookie with RST, IPv$family" no_cookie $family 80 --first rst
	check "behind a SYN proxy: a cookie that SYN with ACK got, IPv$family" \
		no_cookie $family 80 --first syn
done
check "behind a SYN proxy" no_stray proxied "$URL4"
check "behind a SYN proxy, IPv6" no_stray proxied "$URL6"
check "behind a SYN proxy: 20 at once" no_stray fetches_at_once
LAB_TIMEOUT=0.4 check "behind a SYN proxy: no key, no page" no_page router "$URL4"
must tap server service del 1
must tap server service add 80 --stealth on
check "behind a SYN proxy, stealth" no_stray proxied "$URL4"
check "behind a SYN proxy, stealth: a good cookie" no_cookie 4 80
check "behind a SYN proxy, stealth: no answer to SYN with ACK" no_cookie 4 80 --first syn
must lab_in server nft delete table inet proxy

# The client's kernel believes itself connected; what the proxy then sends to the gate is a stranger's SYN.
opens_nowhere() {
	local before

	before=$(reason admitted)
	lab_in client curl -s -g -o /dev/null -m 2 "$URL4"
	equal "curl's exit status (28: time-out)" 28 $? && equal "admitted" "$before" "$(reason admitted)"
}
synproxy router forward
check "before the gate a SYN proxy opens what leads nowhere" opens_nowhere
must lab_in router nft delete table inet proxy
check "and without it all is well" page client "$URL4"
done_testing
