#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints what TAP costs besides the packet path: the time to open a connection, the memory of its
# maps, and the time to load many keys, services and rules. Figures, not tests: only a command that
# fails makes it fail. Topology: ../lab.sh; the client stands where the attacker does elsewhere, so
# that there is one veth pair between splitter and gate and nothing else.
. "$(dirname "$0")/../tap.sh"
OPENING=$LAB_ROOT/build/selftests/cost/opening

# memory NAME: bytes of all maps that are pinned for it, as the kernel accounts them.
memory() {
	local pin sum=0 bytes

	for pin in "$LAB/bpf/$1"/tap_*; do
		bytes=$(bpftool -j map show pinned "$pin" | lab_json bytes_memlock) || return
		sum=$((sum + bytes))
	done
	awk -v b=$sum 'BEGIN { printf "%.1f MiB", b / 1048576 }'
}

# timed NAME AIM COMMAND...: runs it, its input from ours, and prints how long it took.
timed() {
	local name=$1 aim=$2 start end

	shift 2
	start=$(date +%s.%N)
	"$@" >"$LAB/timed.log" 2>&1 || lab_die "$name: $(tail -n 1 "$LAB/timed.log")"
	end=$(date +%s.%N)
	awk -v n="$name" -v s="$start" -v e="$end" -v a="$aim" \
		'BEGIN { printf "%s: %.2f s (aim: under %s s)\n", n, e - s, a }'
}

lab_start
lab_internet
tap_keys
must tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm"
must tap server key add 10 --user-key "$LAB/keys/a"
must tap server service add 80
must tap attacker client load -i eth0
must tap attacker peer add server --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 10
must tap attacker rule add --peer server --port 80
lab_in attacker "$OPENING" $LAB_SERVER4 80 8080 1000 || lab_die "the measurement failed"

echo "Memory of the maps: server $(memory server) (aim: under 64), client $(memory attacker) (aim: under 4)"

python3 -c 'import base64, os
for i in range(11, 65536):
    print(i, base64.b64encode(os.urandom(32)).decode())' >"$LAB/many-keys"
chmod 0600 "$LAB/many-keys"
for i in $(seq 255); do echo "$((20000 + i)) --src 192.0.2.$i"; done >"$LAB/many-services"
for i in $(seq 255); do echo "--peer server --port $((20000 + i)) --dst 192.0.2.$i"; done >"$LAB/many-rules"
timed "65,525 keys" 2 tap server key import "$LAB/many-keys"
timed "255 services" 2 tap server service import "$LAB/many-services"
timed "255 client rules" 2 tap attacker rule import "$LAB/many-rules"
lab_in attacker "$OPENING" $LAB_SERVER4 80 8080 1000 || lab_die "the measurement failed"
