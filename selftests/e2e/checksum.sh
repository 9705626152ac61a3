#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Checksums are right where the NIC finishes them and where the kernel does, in native and in generic
# XDP; and a real SYN that is not to be touched arrives byte for byte. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet

offload() {
	must lab_in teleworker ethtool -K eth0 tx "$1"
	must lab_in router ethtool -K wan tx "$1"
}

# right_sums: the four SYNs of a fetch, as they are on the router's wire, have right checksums.
right_sums() {
	capture router lan "$LAB/sums.pcap" 4 "$SYN" and tcp dst port 80
	page teleworker "$URL4" || return
	captured
	equal "right checksums" 4 "$(tcpdump -vv -n -r "$LAB/sums.pcap" 2>/dev/null | grep -c '(correct)')"
}

csum_errors() {
	lab_in server nstat -asz TcpInCsumErrors | awk '/Csum/ {print $2}'
}

for mode in native generic; do
	for tx in on off; do
		offload $tx
		check "$mode, tx $tx, IPv4" page teleworker "$URL4"
		check "$mode, tx $tx, IPv6" page teleworker "$URL6"
	done
	check "$mode: the four SYNs' checksums on the wire" right_sums
	[ $mode = generic ] && break
	must tap server server unload
	tap_server --mode generic
done
check "no segment was dropped for its checksum" equal TcpInCsumErrors 0 "$(csum_errors)"
done_testing
