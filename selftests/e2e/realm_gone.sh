#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A secret whose overlap is over stays in the programs until they are reloaded. A later rotation must
# not let it in again, wherever it is killed: at each program that it replaces. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet
mv "$LAB/keys/realm" "$LAB/keys/realm1"
for i in 2 3; do
	must "$TAPCTL" realm gen --rotate "$LAB/keys/realm$((i - 1))" -o "$LAB/keys/realm$i"
done

# A gate whose first secret was replaced, and is over; the client still has it. The overlap is long
# enough for the programs to be loaded with both secrets.
prepare() {
	local end

	tap server server unload >/dev/null
	must tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm1"
	must tap server service add 80
	must tap server key add 7 --user-key "$LAB/keys/a"
	must tap server realm rotate --realm-key "$LAB/keys/realm2" --overlap 4
	end=$(($(date +%s) + 4))
	lab_until 20 sh -c "[ \$(date +%s) -gt $end ]"
}

# traced OPTION...: the next rotation, under strace; one line for each of its bpf() calls.
traced() {
	lab_in server strace -o "$LAB/trace" -e trace=bpf "$@" "$TAPCTL" --pin-dir "$LAB/bpf/server" \
		realm rotate --realm-key "$LAB/keys/realm3"
}

stranger() {
	local admitted

	admitted=$(reason admitted)
	LAB_TIMEOUT=3 no_page teleworker "$URL4" && equal admitted "$admitted" "$(reason admitted)"
}

must tap teleworker peer update office --realm-key "$LAB/keys/realm1"
prepare
check "the first secret is over" stranger
must traced
mapfile -t updates < <(grep -n BPF_LINK_UPDATE "$LAB/trace" | cut -d : -f 1)
check "programs were replaced" test ${#updates[@]} -ge 2
check "the first secret is over after the next rotation, too" stranger
for at in "${updates[@]}"; do
	prepare
	traced -e inject=bpf:signal=KILL:when="$at" >/dev/null 2>&1
	check "killed at bpf() number $at" grep -q 'killed by SIGKILL' "$LAB/trace"
	check "the first secret stays over" stranger
	check "the next rotation completes it" tap server realm rotate --realm-key "$LAB/keys/realm3"
	check "the first secret stays over still" stranger
done
done_testing
