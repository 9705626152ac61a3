#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every command that opens a port to strangers says which one and to whom, and none says so that does
# not: services deleted, put before others, imported; the gate taken off a device. What it says is
# compared with what a stranger reaches.
#
#  +-- client --+        +----- server -----+
#  |       eth0 |--------| eth0  10.9.0.1   |
#  |       eth1 |--------| eth1  10.9.1.1   |  nginx: 80
#  +------------+        +------------------+
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns server
for n in 0 1; do
	lab_link client eth$n server eth$n
	lab_addr client eth$n 10.9.$n.2/24 10.9.$n.3/24
	lab_addr server eth$n 10.9.$n.1/24
done
lab_nginx server
tap_keys

# opens TEXT COMMAND...: it works and says that TEXT is open to everybody now. opens_nothing COMMAND...:
# it works and says nothing of that kind.
opens() {
	tap server "${@:2}" >"$LAB/said" 2>&1 && grep -qE "(^|: |; )$1 (is|are) open to everybody now$" "$LAB/said" || {
		cat "$LAB/said"
		return 1
	}
}

opens_nothing() {
	tap server "$@" >"$LAB/said" 2>&1 && ! grep 'open to everybody' "$LAB/said"
}

# in_json WANTED COMMAND...: of "open" and "opened".
in_json() {
	tap server -j "${@:2}" 2>/dev/null | python3 -c 'import json, sys
r = json.load(sys.stdin)
print(json.dumps([r["open"], r["opened"]]))' >"$LAB/said"
	equal json "$1" "$(cat "$LAB/said")"
}

from() {
	lab_in client curl -sf -m "$LAB_TIMEOUT" --interface "$1" "http://10.9.${2:-0}.1/" | grep -q 'the page'
}

must tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm"
must tap server key add 7 --user-key "$LAB/keys/a"

# --- deleted, and a narrower one stays
must tap server service add 80 --src 10.9.0.2
must tap server service add 80
check "a narrower service stays: the rest is open" opens 'port 80 except what other services match' service del 2
check "as is true" from 10.9.0.3
check "but for that one" not from 10.9.0.2
must tap server service add 80
check "a wider service stays: nothing opens" opens_nothing service del 1
check "as is true" not from 10.9.0.2
must tap server service add 80 --dev eth0
check "hidden behind another: nothing opens" opens_nothing service del 2
must tap server service add 80 --dev eth0 --at 1
check "one device stays" opens 'port 80 except what other services match' service del 2
check "as is true: eth1" from 10.9.1.2 1
check "as is true: eth0" not from 10.9.0.2
check "the last goes" opens 'port 80 on eth0' service del 1
check "as is true" from 10.9.0.2
must tap server service add 20-30
must tap server service add 25
check "a range around one" opens 'port 20-24, port 26-30' service del 1
must tap server service del 1

# --- a pass service comes before a tap service, or is what is left
must tap server service add 80
check "last: nothing opens" opens_nothing service add 80 --src 10.9.0.0/24 --action pass
check "as is true" not from 10.9.0.2
must tap server service del 2
check "first: opens" opens 'port 80 from 10.9.0.3' service add 80 --src 10.9.0.3 --action pass --at 1
check "as is true" from 10.9.0.3
check "and no more than that" not from 10.9.0.2
check "a tap service before it: nothing opens" opens_nothing service add 80 --at 1
check "and that one goes: opens to whom it hid" opens 'port 80 from 10.9.0.3' service del 1
must tap server service del 1
check "imported" opens 'port 80 at 10.9.0.1 on eth0' service import - <<<'80 --dst 10.9.0.1 --dev eth0 --action pass --at 1'
check "a drop service goes before: nothing" opens_nothing service add 80 --action drop --at 1
must tap server service del 1
must tap server service del 1

# --- in JSON
check "JSON: open" in_json '[true, [{"ports": "80", "dst": null, "src": "10.9.0.3", "dev": null, "part": false}]]' \
	service add 80 --src 10.9.0.3 --action pass --at 1
check "JSON: not open" in_json '[false, []]' service add 443
check "JSON: deleted" in_json '[true, [{"ports": "443", "dst": null, "src": null, "dev": null, "part": false}]]' \
	service del 3

# --- the gate goes off a device
must tap server service add 22 --dev eth1
taken_off() {
	tap server server unload -i "$2" >"$LAB/said" 2>&1 && grep -qE "$2: gate detached$1" "$LAB/said" || {
		cat "$LAB/said"
		return 1
	}
}
check "off eth0: says what is open there" taken_off '; port 80 except what other services match: open to everybody there now$' eth0
check "as is true" from 10.9.0.2
check "off eth1, with a service for it" taken_off '; port 22 on eth1, port 80 except .*: open to everybody there now; it is on no interface now' eth1
done_testing
