#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What network devices do for the kernel, on and off at both ends: checksums (tx, rx), gathering (sg),
# segmentation (tso, gso), joining (gro); in native and in generic XDP. With rx off the server checks
# every checksum that is finished. Eight runs in which any two settings meet in every way; with the
# argument "all", every setting of the seven. Topology: ../pair.sh
. "$(dirname "$0")/../pair.sh"
pair_start
lab_spawn server "$LAB_ROOT/selftests/talk.py" serve 81
must lab_until 5 lab_in server "$LAB_ROOT/selftests/talk.py" send 127.0.0.1 81 10
must tap client client load -i eth0
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80,81

features=(tx rx sg tso gso gro)

# bit ROW COLUMN: the column's setting in that row: the parity of the bits that both have.
bit() {
	local both=$(($1 & $2))

	echo $(((both ^ both >> 1 ^ both >> 2) & 1))
}

# settings ROW [all]: for ethtool. Settings that cannot be, as tso without tx, the kernel leaves off.
settings() {
	local column

	for column in "${!features[@]}"; do
		echo "${features[column]}"
		if [ "${2:-}" = all ]; then
			echo $(($1 >> column & 1))
		else
			bit "$1" $((column + 1))
		fi
	done | sed 's/^0$/off/; s/^1$/on/' | tr '\n' ' '
}

# offload ROW ROW [all]: the client's link, the server's link.
# shellcheck disable=SC2046 # a list of words
offload() {
	lab_in client ethtool -K eth0 $(settings "$1" "$3") >/dev/null 2>&1
	lab_in switch ethtool -K p2 $(settings "$1" "$3") >/dev/null 2>&1
	lab_in switch ethtool -K p1 $(settings "$2" "$3") >/dev/null 2>&1
	lab_in server ethtool -K eth0 $(settings "$2" "$3") >/dev/null 2>&1
}

csum_errors() {
	lab_in server nstat -asz TcpInCsumErrors | awk '/Csum/ { print $2 }'
}

# right_sums FILE: how many of the frames have a right TCP checksum. With tx off, all must.
right_sums() {
	tcpdump -vv -n -r "$1" 2>/dev/null | grep -c '(correct)'
}

conversation() {
	local address tx before sent

	tx=$(lab_in client ethtool -k eth0 | awk '/^tx-checksumming/ { print $2 }')
	capture switch p1 "$LAB/wire.pcap" 4 "$SYN" and tcp dst port 81
	for address in 10.9.0.1 2001:db8:9::1; do
		before=$(reason admitted) sent=$(syns client)
		lab_in client "$LAB_ROOT/selftests/talk.py" send $address 81 10000000 || return
		equal "admitted" $(($(syns client) - sent)) $(($(reason admitted) - before)) || return
	done
	captured
	[ "$tx" = on ] || equal "right checksums on the wire" 4 "$(right_sums "$LAB/wire.pcap")" || return
	equal "wrong checksums at the server" 0 "$(csum_errors)"
}

# rows MODE ROWS [all]
rows() {
	local mode=$1 rows=$2 row

	must tap server server load -i eth0 --realm-key "$LAB/keys/realm" --mode "$mode"
	must tap server service add 80-81
	must tap server key add 7 --user-key "$LAB/keys/a"
	for row in $rows; do
		offload "$row" $((row ^ 5)) "$3"
		check "$mode: $(settings "$row" "$3")" conversation
	done
	check "$mode: every judged segment has one reason" one_each
	must tap server server unload
}

if [ "${1:-}" = all ]; then
	rows native "$(seq 0 63)" all
	rows generic "$(seq 0 63)" all
else
	rows native '0 3 5 6' # rows in which the seventh column is 0
	rows generic '1 2 4 7'
fi
done_testing
