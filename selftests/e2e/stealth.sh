#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A stealth service: no scan tells its port from one where a host drops everything, not even by what
# is no SYN, and connections go on, those under SYN cookies too. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/../scan.sh"
tap_internet

must tap server service del 1
must tap server service del 1
open_session
lab_in server nft -f - <<-END
	table inet dropping {
		chain early {
			type filter hook prerouting priority raw;
			tcp dport 81 drop
		}
	}
END
must tap server service add 22 --stealth on
must tap server service add 80 --stealth on

# transfers URL: 20 MB in each direction, in one connection.
transfers() {
	head -c 20000000 /dev/zero | lab_in teleworker curl -sf -g -m "$LAB_PATIENCE" -o /dev/null -T - -X GET "$1"
}

pages() {
	local i

	for ((i = 0; i < $1; i++)); do
		page teleworker "$2" || return
	done
}

check "an ssh session opened before goes on" session_answers "still here"
check "a page, IPv4" page teleworker "$URL4"
check "a page, IPv6" page teleworker "$URL6"
check "a login" says teleworker $LAB_SERVER4
check "an upload" transfers "$URL4"
for cookies in 0 2 1; do
	must lab_in server sysctl -qw net.ipv4.tcp_syncookies=$cookies
	check "tcp_syncookies=$cookies: ten pages, IPv4" pages 10 "$URL4"
	check "tcp_syncookies=$cookies: ten pages, IPv6" pages 10 "$URL6"
done
check "not one of their segments was a stray" equal stray 0 "$(reason stray)"

lab_spawn attacker timeout 1800 tcpdump -Z root -U --immediate-mode -n -i eth0 -w "$LAB/heard.pcap" \
	'(src host '$LAB_SERVER4' or src host '$LAB_SERVER6') and src port 80' 2>"$LAB/tcpdump.log"
listener=$LAB_PID
lab_until 5 grep -q 'listening on' "$LAB/tcpdump.log" || lab_die "tcpdump does not start"
scan_like 80 81 "" $LAB_SERVER4 "${SCANS[@]}" "${FRAGMENTED[@]}"
scan_like 80 81 -6 $LAB_SERVER6 "${SCANS[@]}"
lab_kill "$listener"
heard=$(tcpdump -n -r "$LAB/heard.pcap" 2>/dev/null | wc -l)
check "nothing at all came from port 80" equal packets 0 "$heard"
check "strays were counted" test "$(reason stray)" -gt 20

check "the session still answers" session_answers "after the scans"
check "a page after the scans" page teleworker "$URL4"
must tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm"
check "after a reload, too" session_answers "after the reload"

# Without stealth a scan sees the difference, or all this would prove nothing.
must tap server service del 2
must tap server service add 80
lab_in attacker nmap -Pn -n -sA -p 80,81 -oX "$LAB/scan.0" $LAB_SERVER4 >/dev/null 2>&1
check "without stealth an ACK scan tells" not seen_alike "$LAB/scan.0" 80 81
done_testing
