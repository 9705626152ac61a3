#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every form of group that client and server can be set to: encoding, mark, ports, with and without
# TCP timestamps, and each grouping; the gate's encoding, and a service's own. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
lab_start
lab_internet
tap_keys
tap_server
tap_client

# Four SYNs from one port are one connection to a NAT, which will not believe their sequence numbers
# unless told to. Who uses shared ports must have such a path.
must lab_in router sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1

timestamps() {
	lab_in teleworker sysctl -qw net.ipv4.tcp_timestamps="$1"
}

load() {
	must tap server server load -i eth0 --realm-key "$LAB/keys/realm" "$@"
}

service() {
	must tap server service del 2
	must tap server service add 80 "$@"
}

peer() {
	must tap teleworker peer update office "$@"
}

for mark in sealed open; do
	for encoding in veiled classic; do
		load --mark $mark --encoding $encoding
		for ports in distinct shared; do
			peer --encoding $encoding --mark $mark --ports $ports
			for stamps in 1 0; do
				timestamps $stamps
				what="$mark $encoding $ports, timestamps $stamps"
				check "$what" page teleworker "$URL4"
				check "$what, IPv6" page teleworker "$URL6"
			done
		done
	done
done

timestamps 1
peer --encoding veiled --mark open
load --mark open --encoding veiled
many=$(few 50)
for by in mark,ts mark ts; do
	load --group-by $by
	check "grouped by $by" page teleworker "$URL4"
	check "grouped by $by, many at once" equal pages "$many" "$(lab_fetches teleworker "$URL4" "$many")"
done
load --group-by mark,ts --mark sealed
peer --mark sealed

# --- each service takes one encoding, never both
# To the other encoding a group is noise: unreadable, unless it looks like a group by chance. (Of veiled ones
# every tenth has the type bits of a classic group in some order.)
noise=unreadable+version+skew+unknown_key
peer --encoding classic
check "a classic group where veiled ones are taken" counts $noise 1 no_page teleworker "$URL4"
service --encoding classic
check "a service that takes classic ones" page teleworker "$URL4"
peer --encoding veiled
check "a veiled group there" counts $noise 1 no_page teleworker "$URL4"
load --encoding classic
check "its own encoding says what it takes, not the gate's: veiled" counts $noise 1 no_page teleworker "$URL4"
service --encoding veiled
check "and where veiled ones are taken" page teleworker "$URL4"
service
check "a service without its own takes the gate's" counts $noise 1 no_page teleworker "$URL4"
peer --encoding classic
check "which is classic" page teleworker "$URL4"

# --- old spellings
check "--frame is understood: server" tap server server load -i eth0 --realm-key "$LAB/keys/realm" --frame veiled
check "--frame is understood: peer" tap teleworker peer update office --frame veiled
check "with effect" page teleworker "$URL4"
check "status shows it" equal encoding veiled "$(tap server -j status | lab_json server.encoding)"
gone() {
	local words=$1 status

	shift
	"$@" 2>"$LAB/refused"
	status=$?
	cat "$LAB/refused"
	equal "exit status" 2 $status && head -n 1 "$LAB/refused" | grep -q -e "$words"
}
check "--frame both is gone, in words" gone 'both is gone.*--encoding classic' tap server server load -i eth0 \
	--realm-key "$LAB/keys/realm" --frame both
check "--tag is gone, in words" gone '--tag is gone' tap server service add 81 --tag long
check "rst and stealth exclude each other" gone 'leave out one' tap server service add 81 --reject rst --stealth on
check "every judged segment has one reason" one_each
done_testing
