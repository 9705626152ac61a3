#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A service for a device that has no gate, or on which the gate sees nothing because it is below or
# above it: refused, or said so when it is added, when the gate is loaded, and by status. The same for
# client rules. (Bonds and VLANs: ../kernels/bond.sh, vlan.sh.)
#
#  +-- client --+        +-------- server --------+
#  |       eth0 |--------| eth0 -- mv0 (macvlan)  |
#  |       eth1 |--------| eth1 -- br0 (bridge)   |
#  |       eth2 |--------| eth2                   |
#  +------------+        +------------------------+
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns server
for n in 0 1 2; do
	lab_link client eth$n server eth$n
	lab_addr client eth$n 10.9.$n.2/24
done
must lab_in server ip link add name mv0 link eth0 type macvlan
must lab_in server ip link add name br0 type bridge
must lab_in server ip link set eth1 master br0
must lab_in server ip link set mv0 up
must lab_in server ip link set br0 up
lab_addr server mv0 10.9.0.1/24
lab_addr server br0 10.9.1.1/24
lab_addr server eth2 10.9.2.1/24
lab_nginx server
tap_keys

# says PATTERN HOST COMMAND...: it works, and says that. refused PATTERN HOST COMMAND...: it does not.
says() {
	tap "$2" "${@:3}" >"$LAB/said" 2>&1 && grep -qE "$1" "$LAB/said" || {
		cat "$LAB/said"
		return 1
	}
}

refused() {
	! tap "$2" "${@:3}" >"$LAB/said" 2>&1 && grep -qE "$1" "$LAB/said" && equal lines 1 "$(wc -l <"$LAB/said")" || {
		cat "$LAB/said"
		return 1
	}
}

warns() {
	tap "$1" status 2>/dev/null | grep "^warning: " >"$LAB/warnings"
	grep -qE "$2" "$LAB/warnings" || {
		cat "$LAB/warnings"
		return 1
	}
}

load() {
	tap server server load -i "$1" --realm-key "$LAB/keys/realm"
}

must load eth0,br0
must tap server key add 7 --user-key "$LAB/keys/a"

# --- no gate
none='eth2 has no gate, so nothing matches, and strangers get in there'
check "no gate: said when it is added" says "$none" server service add 80 --dev eth2
check "no gate: status says so" warns server "service 1: $none"
check "no gate: a load says so" says "service 1: $none" server server load -i eth0 --realm-key "$LAB/keys/realm"
check "as is true" page client http://10.9.2.1/
must load eth2
check "the gate comes: shut" no_page client http://10.9.2.1/
check "and status has no more to say of it" not warns server 'eth2'

# --- the gate sees another device
check "above the gate's device: refused" refused 'mv0 would never match: mv0 stands on eth0.*--dev eth0' \
	server service add 80 --dev mv0
check "below the gate's device: refused" refused 'eth1 would never match: .*on br0, which stands on eth1.*--dev br0' \
	server service add 80 --dev eth1
check "several lines, one of them: nothing is added" refused 'mv0 would never match' \
	server service import - <<-END
	8080
	80 --dev mv0
END
check "one service, as before" equal services 1 "$(tap server -j service list | python3 -c 'import json, sys
print(len(json.load(sys.stdin)))')"
check "what was said to be given instead is taken" tap server service add 80 --dev eth0
check "no page through the macvlan" no_page client http://10.9.0.1/
must tap server service add 80 --dev br0
check "nor through the bridge" no_page client http://10.9.1.1/

# A device that the gate leaves, for one above it.
must tap server server unload -i eth0
check "the gate goes: status says so" warns server 'service 2: eth0 has no gate'
must load mv0
check "it comes back above: the load and status say what it sees" warns server \
	'service 2: the gate is on mv0, which stands on eth0.*--dev mv0'
check "as is true" page client http://10.9.0.1/

# --- client rules
must tap client client load -i eth0
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
check "no splitter: said when it is added" says 'eth2 has no splitter, so nothing matches: ' \
	client rule add --peer office --port 80 --dev eth2
check "no splitter: status says so" warns client 'rule 1: eth2 has no splitter'
must tap client client load -i eth2
check "the splitter comes: let in" page client http://10.9.2.1/
check "and status has no more to say of it" not warns client eth2
done_testing
