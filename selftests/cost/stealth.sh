#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What --stealth on costs an open connection: throughput with it and without it, turn and turn about,
# to the server (every segment is looked at) and from it (only acknowledgements are). Prints medians
# and their ratio. Topology: ../lab.sh
#
#   stealth.sh [ROUNDS]   default 7, of four seconds each
. "$(dirname "$0")/../tap.sh"
rounds=${1:-7}

# rate PORT OPTION...: Mbit/s of one connection in one second.
rate() {
	local port=$1

	shift
	lab_in teleworker iperf3 -c $LAB_SERVER4 -p "$port" -t 1 -J "$@" |
		python3 -c 'import json, sys
print(round(json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e6))'
}

median() {
	sort -n | sed -n "$((rounds / 2 + 1))p"
}

tap_internet
must tap server service del 1
must tap server service del 1
must tap server service add 5201
must tap server service add 5202 --stealth on
must tap teleworker rule add --peer office --port 5201-5202 --dst $LAB_SERVER4
for port in 5201 5202; do
	lab_spawn server iperf3 -s -p $port >/dev/null 2>&1
	lab_until 5 lab_in server sh -c "ss -Hltn sport = :$port | grep -q ." || lab_die "iperf3 does not start"
done
for direction in "to the server|" "from the server|-R"; do
	for ((i = 0; i < rounds; i++)); do
		# shellcheck disable=SC2086 # an option or none
		rate 5201 ${direction#*|} >>"$LAB/off" && rate 5202 ${direction#*|} >>"$LAB/on"
	done
	off=$(median <"$LAB/off") on=$(median <"$LAB/on")
	rm "$LAB/off" "$LAB/on"
	[ "${off:-0}" -gt 0 ] && [ "${on:-0}" -gt 0 ] || lab_die "no throughput to measure"
	echo "# stealth: one connection ${direction%|*}: $on Mbit/s, without $off: $((on * 100 / off)) %"
done
