#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Maps of another layout than this tapctl's: no command touches them, each says so in one line, and the
# gate goes on as it was. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet
PINS=$LAB/bpf/server

# set_layout N MAP LAYOUT: entry N of tap_gate_layout.
set_layout() {
	local bytes

	bytes=$(python3 -c 'import struct, sys
print(*struct.pack("<28sI", sys.argv[1].encode(), int(sys.argv[2])))' "$2" "$3")
	# shellcheck disable=SC2086 # bytes
	must bpftool map update pinned "$PINS/tap_gate_layout" key $1 0 0 0 value $bytes
}

# refused WORDS: all commands say them in one line, and change nothing.
refused() {
	local commands command status

	commands=(status stats events "service list" "service del 1" "key list"
		"key add 8 --user-key $LAB/keys/b" "acl list" "peer list" "client load -i eth0"
		"server load -i eth0 --realm-key $LAB/keys/realm" "server unload -i eth0" "server unload"
		"realm rotate --realm-key $LAB/keys/realm")
	for command in "${commands[@]}"; do
		# shellcheck disable=SC2086 # words
		tap server $command >/dev/null 2>"$LAB/refused"
		status=$?
		equal "exit status of $command" 1 $status && equal "lines of $command" 1 "$(wc -l <"$LAB/refused")" &&
			grep -q -E "$1" "$LAB/refused" || { cat "$LAB/refused"; return 1; }
	done
	page teleworker "$URL4" && LAB_TIMEOUT=0.3 no_page attacker http://203.0.113.1/
}

listed() {
	bpftool -j map dump pinned "$PINS/tap_gate_layout" | python3 -c 'import json, sys
print(sum(1 for e in json.load(sys.stdin) if int(e["value"][0], 0)))'
}
check "each map is listed" equal maps "$(find "$PINS" -name 'tap_*' | wc -l)" "$(listed)"
set_layout 3 tap_keys 2
check "an older layout" refused 'tap_keys in .* has layout 2 .*works with layout 3.*unload'
set_layout 3 tap_keys 4
check "a newer one" refused 'tap_keys in .* has layout 4'
set_layout 3 tap_keys 3
check "the right one again" tap server key list
set_layout "$(listed)" tap_later 5
check "a map that came later" refused 'tap_later in .* has layout 5 .*no such map'
set_layout "$(($(listed) - 1))" "" 0
check "that one gone" tap server key list
must mv "$PINS/tap_gate_layout" "$PINS/tap_hidden"
check "no layouts: an older TAP's" refused 'tap_realm in .*older TAP'
must mv "$PINS/tap_hidden" "$PINS/tap_gate_layout"
check "all as before: unload" tap server server unload
check "nothing is left" not test -e "$PINS"
done_testing
