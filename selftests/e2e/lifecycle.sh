#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Loading, reloading and unloading: twice, side by side, killed half-way, without bpffs, without
# capabilities; each ends in a clear line and a whole state, and open connections stay.
# Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
lab_start
lab_internet
tap_keys

load() {
	tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm" "$@"
}

# refused WORDS COMMAND...: exit status 1 and one line on stderr that has these words.
refused() {
	local words=$1 status

	shift
	"$@" >/dev/null 2>"$LAB/refused"
	status=$?
	cat "$LAB/refused"
	equal "exit status" 1 $status && equal lines 1 "$(wc -l <"$LAB/refused")" &&
		grep -q -i -E "$words" "$LAB/refused"
}

attached() {
	equal "XDP on eth0, eth1" "$1" "$(lab_in server ip link show | grep -c 'prog/xdp')"
}

usage_error() {
	"$@"
	equal "exit status" 2 $?
}

# without CAPABILITIES COMMAND...
without() {
	lab_in server setpriv --bounding-set="$1" --inh-caps="$1" "$TAPCTL" --pin-dir "$LAB/bpf/server" "${@:2}"
}

# --- an open session sees it all
open_session
check "an ssh session is open" session_answers zero
check "nothing loaded: status says so" not tap server status
check "unload of what is not there" refused 'no|not' tap server server unload
check "load" load
check "attached" attached 2
check "the session lives after load" session_answers one
must tap server service add 22
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
tap_client
check "the session lives with its port protected" session_answers two
check "load again: a reload" load
check "keys and services stay" page teleworker "$URL4"
check "the session lives after the reload" session_answers three
check "another realm key is refused" refused 'realm' tap server server load -i eth0 \
	--realm-key "$LAB/keys/b"
check "a device that is not there" refused 'eth9' tap server server load -i eth0,eth9 \
	--realm-key "$LAB/keys/realm"
check "a key file that others can read" refused 'mode|0600|permission' sh -c "
	cp $LAB/keys/a $LAB/keys/open && chmod 0644 $LAB/keys/open &&
	nsenter --net=/run/netns/$LAB_PREFIX-server $TAPCTL --pin-dir $LAB/bpf/server key add 8 --user-key $LAB/keys/open"
check "a key file with rubbish" refused 'base64|32' sh -c "
	umask 077; echo rubbish >$LAB/keys/rubbish
	nsenter --net=/run/netns/$LAB_PREFIX-server $TAPCTL --pin-dir $LAB/bpf/server key add 8 --user-key $LAB/keys/rubbish"
check "a wrong option: exit status 2" usage_error tap server server load --nonsense
check "all that changed nothing" page teleworker "$URL4"
check "another XDP program cannot push the gate out" not lab_in server bpftool net attach \
	xdpdrv pinned "$LAB/bpf/server/tap_nothing" dev eth0
check "ip link cannot take the gate off" sh -c "
	nsenter --net=/run/netns/$LAB_PREFIX-server ip link set dev eth0 xdp off; exit 0"
check "and it is still there" attached 2

# --- side by side, killed
# On a slow machine forty may take longer than one waits for the lock, 10 s: who says so tries again.
persist() {
	local log=$LAB/persist.$BASHPID

	until tap server "$@" 2>"$log"; do
		grep -q 'another tapctl has been working' "$log" || return
	done
}

sides() {
	local i pids=() bad=0

	for i in $(seq 10 29); do
		persist key add "$i" --user-key "$LAB/keys/c" &
		pids+=($!)
		persist service add "$((1000 + i))" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=$((bad + 1))
	done
	equal "tapctl that failed" 0 $bad &&
		equal keys 21 "$(tap server key list | grep -c -E '^ *[0-9]+ ')" &&
		equal services 22 "$(tap server service list | grep -c -E '^ *[0-9]+ ')"
}
check "forty tapctl at once lose nothing" sides

killed() {
	local i

	for i in $(seq 1 20); do
		tap_killed "0.0$((i % 10))" server server load -i eth0,eth1 --realm-key "$LAB/keys/realm"
	done
	attached 2 && page teleworker "$URL4" && load && page teleworker "$URL4"
}
check "twenty reloads killed with kill -9" killed

changes() {
	local i

	for i in 1 2 3 4 5 6; do
		load || return
		tap server service add "200$i" && tap server key add "10$i" --user-key "$LAB/keys/c" || return
		tap teleworker client load -i eth0 || return
		more_fetches 4 || return
	done
}

reload_under_load() {
	local status

	fetching teleworker "$URL4" 1
	changes
	status=$?
	stop_fetching
	equal "failed fetches" 0 "$(fetches bad)" && [ "$(fetches good)" -ge 24 ] && return $status
}
check "reloads and changes under load lose no connection" reload_under_load

first_load_killed() {
	local i

	for i in $(seq 1 "$(few 20)"); do
		tap_killed "0.0$((i % 10))" server server load -i eth0,eth1 --realm-key "$LAB/keys/realm"
		load || return
		attached 2 || return
		tap server server unload || return
		attached 0 || return
	done
}

check "the session lives before unload" session_answers four
check "unload" tap server server unload
check "detached" attached 0
check "the session lives after unload" session_answers five
check "unload again" refused 'no|not' tap server server unload
check "nothing is left pinned" not test -e "$LAB/bpf/server/tap_keys"
check "first loads killed with kill -9: load and unload repair it" first_load_killed
exec 8>&- 9<&-

# --- what a machine may lack
check "without CAP_BPF and the like" refused 'cap|privilege|root|permi' without -all \
	server load -i eth0 --realm-key "$LAB/keys/realm"
check "a pin directory that is not on a bpffs" refused 'bpf' lab_in server "$TAPCTL" \
	--pin-dir "$LAB/plain" server load -i eth0 --realm-key "$LAB/keys/realm"
check "that left nothing attached" attached 0
# What one of these mounts would be gone with its mount namespace, so it has to say what else to do.
check "no bpffs, in a mount namespace of its own" refused 'bpffs' lab_in server unshare --mount sh -c "
	while umount -l /sys/fs/bpf 2>/dev/null; do :; done; exec $TAPCTL server load -i eth0 --realm-key $LAB/keys/realm"
check "that left nothing attached either" attached 0
client_twice() {
	tap attacker client load -i eth0 && tap attacker client load -i eth0 && tap_status attacker &&
		tap attacker client unload
}
check "the client: load, load, unload" client_twice
check "the client: unload again" refused 'no|not' tap attacker client unload
check "the client on clsact" tap attacker client load -i eth0 --hook clsact
check "the client on clsact, unload" tap attacker client unload
check "no qdisc is left" not sh -c "nsenter --net=/run/netns/$LAB_PREFIX-attacker tc qdisc show dev eth0 | grep clsact"
done_testing
