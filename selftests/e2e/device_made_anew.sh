#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A service or client rule for a device keeps to its name: one that is deleted and made again is not
# open when the gate is back on it. Renamed devices, devices that change their names with each other,
# devices that are gone, another network namespace. Nothing of this opens a port without a word.
#
#  +-- client --+        +----- server -----+
#  |       eth0 |--------| eth0  10.9.0.1   |
#  |       eth1 |--------| eth1  10.9.1.1   |  nginx: 80
#  +------------+        +------------------+
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns server
lab_ns other

# link N: eth<N> at both ends, new ones.
link() {
	lab_in server ip link del "eth$1" 2>/dev/null
	lab_link client "eth$1" server "eth$1"
	lab_addr client "eth$1" "10.9.$1.2/24"
	lab_addr server "eth$1" "10.9.$1.1/24"
}

load() {
	tap server server load -i "$1" --realm-key "$LAB/keys/realm" "${@:2}" >"$LAB/said" 2>&1
}

# warns NAME PATTERN: a warning of that host's status.
warns() {
	tap "$1" status >"$LAB/status" 2>/dev/null
	grep "^warning: " "$LAB/status" | grep -qE "$2" || {
		grep "^warning: " "$LAB/status"
		return 1
	}
}

# said PATTERN: by the last load.
said() {
	grep -qE "$1" "$LAB/said" || {
		cat "$LAB/said"
		return 1
	}
}

quiet() {
	! warns "$@" >/dev/null
}

link 0
link 1
lab_nginx server
tap_keys
must load eth0,eth1
must tap server key add 7 --user-key "$LAB/keys/a"
must tap server service add 80 --dev eth0
check "a service for eth0 shuts its port there" no_page client http://10.9.0.1/
check "and not on eth1" page client http://10.9.1.1/
check "status has nothing to say of devices" quiet server 'eth[01]'

# --- deleted and made again
link 0
check "made anew, without a gate: status says so" warns server 'service 1: eth0 was deleted and made again'
must load eth0
check "the gate is back: shut to strangers" no_page client http://10.9.0.1/
check "and eth1 is as before" page client http://10.9.1.1/
check "status has nothing to say of devices any more" quiet server 'eth[01]'
must tap client client load -i eth0,eth1
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80 --dev eth0
check "open to who has the key" page client http://10.9.0.1/
link 0
check "the client: status says that its device was made again" warns client 'rule 1: eth0 was deleted and made again'
must tap client client load -i eth0
must load eth0
check "both made anew, both loaded: let in by the rule for eth0" counts admitted 1 page client http://10.9.0.1/
must tap client client unload

# --- no device of that name when the gate is loaded
must lab_in server ip link del eth0
must load eth1
check "gone: the load says so" said 'service 1: eth0 is not there'
check "gone: status says so" warns server 'service 1: eth0 is not there'
check "the list says so" sh -c "nsenter --net=/run/netns/$LAB_PREFIX-server $TAPCTL \
	--pin-dir $LAB/bpf/server service list | grep -q 'eth0 (gone)'"
link 0
check "it comes back: loads until then never open it" load eth0
check "shut to strangers" no_page client http://10.9.0.1/

# --- renamed: the gate is on the device still, and so is the service
rename() {
	lab_in server ip link set "$1" down
	lab_in server ip link set "$1" name "$2"
	lab_in server ip link set "$2" up
}
must rename eth0 wan
check "renamed: shut still" no_page client http://10.9.0.1/
check "renamed: status says so" warns server 'service 1: eth0 is called wan now'
must load eth1
check "renamed and reloaded: shut still" no_page client http://10.9.0.1/
check "renamed: the load says so" said 'service 1: eth0 is called wan now'

# eth1 takes the name: then it takes the service, and what is open says so.
must rename eth1 eth0
must load eth0
check "the name went to another device: the load says what is open" said 'port 80 on wan: open to everybody now'
check "shut where the name is now" no_page client http://10.9.1.1/
check "open where it was" page client http://10.9.0.1/
must rename eth0 eth1
must rename wan eth0
must load eth0,eth1
check "names changed back: shut again" no_page client http://10.9.0.1/

# --- other network namespaces
elsewhere() {
	lab_in other "$TAPCTL" --pin-dir "$LAB/bpf/server" "$@"
}
refused() {
	! "${@:2}" >"$LAB/refused" 2>&1 && grep -qE "$1" "$LAB/refused" || {
		cat "$LAB/refused"
		return 1
	}
}
must lab_in other ip link add eth0 type veth peer name eth1
check "no service for a device of another namespace" refused 'another network namespace' \
	elsewhere service add 8080 --dev eth0
check "one without a device is fine" elsewhere service add 8080
must tap server service del 2
must tap server service add 8080 --action pass --dev eth1
must tap server server unload -i eth0,eth1
check "the gate moves to a namespace of other devices" sh -c "nsenter --net=/run/netns/$LAB_PREFIX-other $TAPCTL \
	--pin-dir $LAB/bpf/server server load -i eth0 --realm-key $LAB/keys/realm >$LAB/said 2>&1"
check "what shut eth0 shuts the eth0 there" not grep -q 'service 1' "$LAB/said"
check "what let pass lets nothing pass there" said 'service 2: eth1 belongs to another network namespace'
done_testing
