#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tapctl loads every variant of the gate, and each lets the owner of a key in and nobody else.
#
#  +------ client ------+         +---- server ----+
#  |  10.9.0.2     eth0 |---------| eth0  10.9.0.1 |  nginx: 80
#  +--------------------+         +----------------+
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns server
lab_link client eth0 server eth0
lab_addr client eth0 10.9.0.2/24
lab_addr server eth0 10.9.0.1/24
lab_nginx server
tap_keys
must tap client client load -i eth0

# The client speaks to the gate in this form from now on.
peer() {
	tap client rule del 1 2>/dev/null
	tap client peer del office 2>/dev/null
	must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7 \
		--encoding "$1" --mark "$2"
	must tap client rule add --peer office --port 80
}

# All counters that are not 0, on one line.
counted() {
	{
		tap server -j stats
		tap client -j stats
	} | grep -o '"[a-z_]*": *[1-9][0-9]*' | tr -d '"' | tr '\n' ' '
}

# The page comes, and it was the gate that let it through.
admits() {
	local before sent

	tap server service del 1 2>/dev/null
	tap server service add 80 || return
	before=$(reason admitted) sent=$(syns client)
	page client http://10.9.0.1/ || {
		echo "no page; the gate and the splitter counted: $(counted)"
		return 1
	}
	equal admitted $(($(syns client) - sent)) $(($(reason admitted) - before))
}

variant() {
	local encoding=$1 mark=$2

	check "server load, encoding $encoding, marks $mark" tap server server load -i eth0 \
		--realm-key "$LAB/keys/realm" --encoding "$encoding" --mark "$mark"
	must tap server key add 7 --user-key "$LAB/keys/a"
	peer "$encoding" "$mark"
	check "encoding $encoding, marks $mark: a group is let in" admits
	must tap server server unload
}

for encoding in veiled classic; do
	for mark in sealed open; do
		variant $encoding $mark
	done
done
done_testing
