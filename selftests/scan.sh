# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Scans by nmap, every type it has for TCP ports, and what it makes of two ports: the hidden one, and
# one that is known to be what the hidden one pretends to be. To be sourced after tap.sh.

# A name, a bar, and nmap's options. Idle scans (-sI) need a third host, and see what -sS sees.
SCANS=(
	"SYN|-sS" "connect|-sT" "ACK|-sA" "window|-sW" "FIN|-sF" "NULL|-sN" "Xmas|-sX" "Maimon|-sM"
	"SYN+FIN|-sS --scanflags SYNFIN" "SYN+ACK|-sS --scanflags SYNACK" "RST|-sS --scanflags RST"
	"RST+ACK|-sS --scanflags RSTACK" "PSH|-sF --scanflags PSH" "URG+ACK|-sA --scanflags URGACK"
	"all flags|-sS --scanflags URGACKPSHRSTSYNFIN" "ECN SYN|-sS --scanflags SYNECECWR"
	"SYN from port 53|-sS -g 53" "ACK from port 53|-sA -g 53" "FIN from port 53|-sF -g 53"
)
# IPv4 only: nmap sends no IPv6 fragments.
FRAGMENTED=(
	"SYN -f|-sS -f" "SYN -f -f|-sS -f -f" "SYN --mtu 8|-sS --mtu 8" "ACK -f|-sA -f" "FIN -f|-sF -f"
	"NULL --mtu 8|-sN --mtu 8" "Xmas -f|-sX -f" "Maimon --mtu 8|-sM --mtu 8" "window -f|-sW -f"
	"SYN --mtu 24|-sS --mtu 24" "ACK --mtu 24 with data|-sA --mtu 24 --data-length 64"
	"FIN --mtu 24 with data|-sF --mtu 24 --data-length 64"
)

# seen_alike FILE HIDDEN LIKE: in that report both ports are in one state, for one reason.
seen_alike() {
	python3 - "$@" <<'PY'
import sys, xml.etree.ElementTree
file, hidden, like = sys.argv[1:]
seen = {}
for port in xml.etree.ElementTree.parse(file).iter("port"):
    state = port.find("state")
    seen[port.get("portid")] = tuple(state.get(a) for a in ("state", "reason", "reason_ttl"))
if len(seen) != 2:
    sys.exit("nmap told of %d ports" % len(seen))
print("both %s (%s)" % seen[hidden][:2])
if seen[hidden] != seen[like]:
    sys.exit("port %s: %s, but port %s: %s" % (hidden, seen[hidden], like, seen[like]))
PY
}

# scan_like HIDDEN LIKE FAMILY ADDRESS SCAN...: a check for each scan; they run ten at a time, because
# silence takes nmap its time.
scan_like() {
	local hidden=$1 like=$2 family=$3 address=$4 scan i pids=()

	shift 4
	for ((i = 0; i < $#; i++)); do
		scan=${*:i+1:1}
		# shellcheck disable=SC2086 # nmap's options are words
		lab_in attacker nmap -Pn -n $family ${scan#*|} -p "$hidden,$like" --max-retries 2 \
			--max-rtt-timeout 1s --initial-rtt-timeout 1s --min-rtt-timeout 1s -oX "$LAB/scan.$i" "$address" \
			>/dev/null 2>&1 &
		pids+=($!)
		[ ${#pids[@]} -lt 10 ] || { wait "${pids[@]}"; pids=(); }
	done
	wait "${pids[@]}"
	for ((i = 0; i < $#; i++)); do
		scan=${*:i+1:1}
		check "${family:+IPv6 }${scan%%|*} scan: port $hidden looks like port $like" \
			seen_alike "$LAB/scan.$i" "$hidden" "$like"
	done
}
