#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# During a flood key holders get in, all of them: a hundred at once. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
LAB_SYN_RETRIES=6
tap_internet
SYNS=1000000

# under_flood NAME RATE OPTION...: a hundred fetches at once, again and again until the server has taken
# in so many SYNs meanwhile, however long that takes.
under_flood() {
	local name=$1 rate=$2 before judged taken=0 start pages=0 tried=0

	shift 2
	judged=$(reasons)
	lab_flood 80 "$rate" "$@"
	start=$(date +%s%N) before=$(lab_received server eth1)
	while [ $taken -lt $SYNS ] && kill -0 "$LAB_PID"; do
		pages=$((pages + $(lab_fetches teleworker "$URL4" 100)))
		tried=$((tried + 100))
		taken=$(($(lab_received server eth1) - before))
	done
	echo "# $name: $tried fetches, $taken SYNs meanwhile, $((taken * 1000 / (($(date +%s%N) - start) / 1000000)))/s"
	check "$name: every fetch of 100 at once, during $SYNS SYNs" equal pages $tried "$pages"
	check "$name: the flood lasted throughout" kill -0 "$LAB_PID"
	lab_kill "$LAB_PID"
	# Not all frames of that device are SYNs: there is address resolution, too.
	check "$name: each SYN of it was judged" test $(($(reasons) - judged)) -ge $((taken - 50))
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
check "strangers and their groups were counted" test "$(reason no_mark)" -gt $SYNS
done_testing
