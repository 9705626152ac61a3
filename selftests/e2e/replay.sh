#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A captured group sent again is refused, whatever address it comes from. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
SKEW=$(long_skew)
tap_internet --skew $SKEW

# again LABEL NAME DEV MAC [OPTION...]: sends the capture; one group more with LABEL, none admitted,
# and no SYN-ACK leaves the server.
again() {
	local label=$1 name=$2 dev=$3 mac=$4 admitted before

	shift 4
	admitted=$(reason admitted)
	before=$(reason "$label")
	capture server any "$LAB/answer.pcap" 1 "$SYN_ACK"
	lab_in "$name" "$REPLAY" --dev "$dev" --dst-mac "$mac" "$@" "$LAB/group.pcap" || return
	lab_until 10 reason_is "$label" $((before + 1))
	sleep 0.5 # for what must not come
	lab_kill "$CAPTURE"
	equal "$label" 1 $(($(reason "$label") - before)) &&
		equal "admitted since" 0 $(($(reason admitted) - admitted)) &&
		equal "SYN-ACKs" 0 "$(tcpdump -r "$LAB/answer.pcap" 2>/dev/null | wc -l)"
}

eth0=$(lab_mac server eth0)
eth1=$(lab_mac server eth1)

capture router wan "$LAB/group.pcap" 4 "$SYN" and tcp dst port 80
check "a fetch is captured" page teleworker "$URL4"
captured
check "four SYNs were captured" equal SYNs 4 "$(tcpdump -r "$LAB/group.pcap" 2>/dev/null | wc -l)"
check "again from the same address" again replay router wan "$eth0"
check "again from another address" again replay attacker eth0 "$eth1" --src $LAB_ATTACKER4
check "and again" again replay router wan "$eth0"
check "a reload forgets nothing" tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm" \
	--skew $SKEW
check "again after the reload" again replay router wan "$eth0"

capture router wan "$LAB/group.pcap" 4 ip6 and 'ip6[53] == 2' and tcp dst port 80
check "a fetch over IPv6 is captured" page teleworker "$URL6"
captured
check "again, IPv6, same address" again replay router wan "$eth0"
check "again, IPv6, another address" again replay attacker eth0 "$eth1" --src $LAB_ATTACKER6
must tap server server unload
tap_server --skew $SKEW
check "again at a gate that lost its records" again replay_window router wan "$eth0"

# Taken away behind tapctl's back: what it admitted last is not known, so nobody gets in for a while.
rm "$LAB/bpf/server/"*
tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm" --skew 5 >"$LAB/loaded" 2>&1
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
check "a gate after one whose pins were removed waits, and says so" \
	grep -q 'admits nobody before .* went without `server unload`' "$LAB/loaded"
check "... and admits when its skew is over" lab_until 15 page teleworker "$URL4"
must tap server server unload
tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm" >"$LAB/loaded" 2>&1
check "after an unload it need not" not grep -q 'went without' "$LAB/loaded"
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
check "... and admits" lab_until 15 page teleworker "$URL4"
check "every judged segment has one reason" one_each
done_testing
