#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Detaching from the last interface by -i keeps keys, services, peers, rules and replay records; only
# an unload without -i forgets them. What tapctl suggests never deletes any of them. What was admitted
# before is not admitted again after. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet

load() {
	tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm"
}

# keeps: keys, services and names as they were at first.
state() {
	tap server -j service list
	tap server -j key list
}

keeps() {
	state >"$LAB/state.now"
	cmp "$LAB/state" "$LAB/state.now"
}

# suggested HOST: carries out every `tapctl ... unload ...` that status suggests; at least one.
suggested() {
	local commands

	tap "$1" status 2>/dev/null | grep '^warning' | grep -o '`tapctl [a-z]* unload[^`]*`' | tr -d '\`' >"$LAB/commands"
	[ -s "$LAB/commands" ] || {
		echo "status suggests none"
		return 1
	}
	while read -r _ commands; do
		# shellcheck disable=SC2086 # words
		tap "$1" $commands || return
	done <"$LAB/commands"
}

# ahead SECONDS: the teleworker's splitter takes the time to be so much later. The odd nanosecond says
# that it is on purpose, or tapctl would set it right.
ahead() {
	local map="$LAB/bpf/teleworker/tap_client" bytes

	bytes=$(bpftool -j map lookup pinned "$map" key 0 0 0 0 | python3 -c 'import json, struct, sys
value = bytearray(int(b, 16) for b in json.load(sys.stdin)["value"])
offset, = struct.unpack_from("=q", value)
struct.pack_into("=q", value, 0, offset - int(sys.argv[1]) * 10**9 + 1)
print(*value)' "$1") || return
	# shellcheck disable=SC2086 # words
	bpftool map update pinned "$map" key 0 0 0 0 value $bytes
}

# replayed PIN-DIR: the captured group once more, from the router. Admits nobody, and nothing answers.
replayed() {
	local admitted now

	admitted=$(lab_in server "$TAPCTL" --pin-dir "$LAB/bpf/$1" -j stats | lab_json server.reasons.admitted) || return
	capture server any "$LAB/answer.pcap" 1 "$SYN_ACK"
	lab_in router "$REPLAY" --dev wan --dst-mac "$(lab_mac server eth0)" "$LAB/group.pcap" || return
	sleep 0.5
	lab_kill "$CAPTURE"
	now=$(lab_in server "$TAPCTL" --pin-dir "$LAB/bpf/$1" -j stats | lab_json server.reasons.admitted) || return
	equal admitted "$admitted" "$now" &&
		equal "SYN-ACKs" 0 "$(tcpdump -r "$LAB/answer.pcap" 2>/dev/null | wc -l)"
}

state >"$LAB/state"
check "let in" page teleworker "$URL4"
check "off one of two" tap server server unload -i eth1
check "keys and services stay" keeps
check "off the last one" tap server server unload -i eth0
check "keys and services stay" keeps
check "open, as it said" page attacker "$URL4"
check "status: attached nowhere" sh -c "nsenter --net=/run/netns/$LAB_PREFIX-server $TAPCTL \
	--pin-dir $LAB/bpf/server status | grep -q 'attached to no interface, and protects nothing'"
check "status suggests no unload" not suggested server
check "the gate comes back" load
check "with its services" no_page attacker "$URL4"
check "with its keys" lab_until 40 page teleworker "$URL4"

# --- what was admitted, by a client whose clock is ahead, is not admitted again
must ahead 12
capture router wan "$LAB/group.pcap" 4 "$SYN" and tcp dst port 80
check "a client whose clock is ahead is let in" page teleworker "$URL4"
captured
check "off both" tap server server unload -i eth0,eth1
other() {
	lab_in server "$TAPCTL" --pin-dir "$LAB/bpf/other" "$@"
}
must other server load -i eth0 --realm-key "$LAB/keys/realm"
must other service add 80
must other key add 7 --user-key "$LAB/keys/a"
check "not at another gate of the realm" replayed other
must other server unload
must load
check "nor at this one" replayed server

# --- a device that is deleted: the command that status suggests
must lab_in server ip link del eth1
must tap server server unload -i eth0
check "what status suggests can be done" suggested server
check "and deletes no key and no service" keeps

# --- the client
tap teleworker -j rule list >"$LAB/rules"
check "the splitter off its last interface" tap teleworker client unload -i eth0
check "its rules stay" sh -c "nsenter --net=/run/netns/$LAB_PREFIX-teleworker $TAPCTL \
	--pin-dir $LAB/bpf/teleworker -j rule list | cmp $LAB/rules -"
check "status: attached nowhere" sh -c "nsenter --net=/run/netns/$LAB_PREFIX-teleworker $TAPCTL \
	--pin-dir $LAB/bpf/teleworker status | grep -q 'attached to no interface'"
must tap server server load -i eth0 --realm-key "$LAB/keys/realm"
check "without it, nothing" no_page teleworker "$URL4"
check "back on it, with another hook, as the refusal says" tap teleworker client load -i eth0 --hook clsact
check "let in" lab_until 40 page teleworker "$URL4"

# --- without -i all is forgotten, as it says
check "unload" tap server server unload
check "nothing is left" not test -e "$LAB/bpf/server/tap_keys"
check "the client: unload" tap teleworker client unload
check "nothing is left" not test -e "$LAB/bpf/teleworker/tap_rules"
done_testing
