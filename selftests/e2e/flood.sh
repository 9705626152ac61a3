#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# During a flood key holders get in, all of them: a hundred at once. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet

# under_flood NAME RATE OPTION...: a hundred fetches while it lasts, and what the flood was meanwhile.
under_flood() {
	local name=$1 rate=$2 start end before after pages

	shift 2
	lab_flood 80 "$rate" 8 "$@"
	sleep 1
	start=$(date +%s%N) before=$(lab_received server eth1)
	pages=$(lab_fetches teleworker "$URL4" 100 5)
	end=$(date +%s%N) after=$(lab_received server eth1)
	lab_kill "$LAB_PID"
	echo "# $name: $(((after - before) * 1000 / ((end - start) / 1000000))) SYN/s during the fetches"
	check "$name: 100 of 100 fetches" equal pages 100 "$pages"
	check "$name: the flood was there" test $(((after - before) * 1000 / ((end - start) / 1000000))) \
		-gt $((rate * 8 / 10))
}

under_flood "random windows" 1200000
under_flood "random windows, IPv6" 1200000 -6 --dst $LAB_SERVER6
check "a fetch over IPv6 meanwhile" page teleworker "$URL6"
# The worst a stranger without the realm key can do is to find out a mark and send nothing else.
capture router wan "$LAB/group.pcap" 1 "$SYN" and tcp dst port 80
page teleworker "$URL4"
captured
mark=$(tcpdump -n -v -r "$LAB/group.pcap" 2>/dev/null | sed -n 's/.*win \([0-9]*\).*/\1/p')
under_flood "a mark that was found out" 1000000 --window "$mark"
check "strangers and their groups were counted" test "$(reason no_mark)" -gt 1000000
done_testing
