#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every form of group that client and server can be set to: frame, mark, ports, tag, with and without
# TCP timestamps, and each grouping. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
lab_start
lab_internet
tap_keys
tap_server --frame both
tap_client

# Four SYNs from one port are one connection to a NAT, which will not believe their sequence numbers
# unless told to. Who uses shared ports must have such a path.
must lab_in router sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1

timestamps() {
	lab_in teleworker sysctl -qw net.ipv4.tcp_timestamps="$1"
}

service() {
	must tap server service del 2
	must tap server service add 80 "$@"
}

for mark in sealed open; do
	must tap server server load -i eth0 --realm-key "$LAB/keys/realm" --mark $mark
	for frame in veiled classic; do
		for ports in distinct shared; do
			must tap teleworker peer update office --frame $frame --mark $mark --ports $ports
			service --tag long
			timestamps 1
			check "$mark $frame $ports, long tag" page teleworker "$URL4"
			check "$mark $frame $ports, long tag, IPv6" page teleworker "$URL6"
			service --tag short
			timestamps 0
			check "$mark $frame $ports, short tag" page teleworker "$URL4"
			check "$mark $frame $ports, short tag, IPv6" page teleworker "$URL6"
		done
	done
done

service --tag long
check "a short tag where a long one is wanted" counts tag_short 1 no_page teleworker "$URL4"
service --tag auto
check "a short tag in quiet times" page teleworker "$URL4"
timestamps 1
for by in mark,ts mark ts; do
	must tap server server load -i eth0 --realm-key "$LAB/keys/realm" --group-by $by
	check "grouped by $by" page teleworker "$URL4"
	check "grouped by $by, 50 at once" equal pages 50 "$(lab_fetches teleworker "$URL4" 50)"
done
must tap server server load -i eth0 --realm-key "$LAB/keys/realm" --group-by mark,ts --frame veiled
must tap teleworker peer update office --frame classic
check "a classic group where only veiled ones are taken" no_page teleworker "$URL4"
must tap server server load -i eth0 --realm-key "$LAB/keys/realm" --frame classic
check "and where classic ones are" page teleworker "$URL4"
done_testing
