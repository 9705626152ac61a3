#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# IPVS with the gate before it, on the director, and behind it, on the real servers. There a group must
# stay together: by a scheduler that looks at the source's address only, by persistence, or by
# `--ports shared`.
#
#  +-- client --+     +----- director -----+     +-- real1, real2 --+
#  |       eth0 |-----| lan       r1, r2   |-----| eth0             |  nginx: 80, 8080
#  +------------+     +--------------------+     +------------------+
#   10.9.0.2           10.9.0.1                   10.9.1.2, 10.9.2.2
#                      10.9.0.100 is the service's address
. "$(dirname "$0")/../tap.sh"
lab_start
VIP=10.9.0.100
for name in client director real1 real2; do
	lab_ns $name
done
lab_link client eth0 director lan
lab_addr client eth0 10.9.0.2/24
lab_addr director lan 10.9.0.1/24 $VIP/32
# What real servers answer by themselves comes through the director too, from its own address.
lab_in director sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.accept_local=1
tap_keys
for n in 1 2; do
	lab_link director r$n real$n eth0
	lab_addr director r$n 10.9.$n.1/24
	lab_addr real$n eth0 10.9.$n.2/24
	must lab_in real$n ip route add default via 10.9.$n.1
	mkdir "$LAB/real$n"
	LAB=$LAB/real$n lab_nginx real$n
done
must tap client client load -i eth0

ports() {
	tap client rule del 1 >/dev/null 2>&1
	tap client peer del office >/dev/null 2>&1
	must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7 --ports "$1"
	must tap client rule add --peer office --port 80
}

# ipvs METHOD PORT OPTION...: METHOD as ipvsadm says it (-m NAT, -g direct routing, -i tunnel); the
# options are the service's.
ipvs() {
	must lab_in director ipvsadm -C
	must lab_in director ipvsadm -A -t $VIP:80 "${@:3}"
	must lab_in director ipvsadm -a -t $VIP:80 -r 10.9.1.2:"$2" "$1"
	must lab_in director ipvsadm -a -t $VIP:80 -r 10.9.2.2:"$2" "$1"
}

gate() {
	must tap "$1" server load -i "$2" --realm-key "$LAB/keys/realm"
	must tap "$1" service add "$3" ${4:+--public-port "$4"}
	must tap "$1" key add 7 --user-key "$LAB/keys/a"
}

# gates DEV PORT [PUBLIC]: on both real servers.
gates() {
	gate real1 "$@"
	gate real2 "$@"
}

ungate() {
	must tap real1 server unload
	must tap real2 server unload
}

admitted() {
	tap "$1" -j stats | grep -o '"admitted": *[0-9]*' | tr -dc 0-9 # no Python: it is slow here
}

# both NAME...: two fetches in turn come, each through one of these hosts' gates.
both() {
	local have=0 i name sent

	sent=$(syns client)
	for name; do
		have=$((have - $(admitted "$name")))
	done
	for i in 1 2; do
		page client http://$VIP/ || return
	done
	for name; do
		have=$((have + $(admitted "$name")))
	done
	equal "admitted" $(($(syns client) - sent)) $have
}

no_key() {
	local status

	tap client rule del 1 || return
	LAB_TIMEOUT=1 no_page client http://$VIP/
	status=$?
	tap client rule add --peer office --port 80 && return $status
}

# A try that gets nowhere.
parted() {
	lab_in client curl -s -o /dev/null -m 1 http://$VIP/
	equal "curl's exit status" 28 $?
}
ports distinct

# --- the gate before IPVS
gate director lan 80
for how in '-m 80' '-m 8080'; do
	# shellcheck disable=SC2086 # two words
	ipvs $how -s rr
	check "gate on the director, rr $how" both director
done
check "gate on the director: no key, no page" no_key
must tap director server unload

# --- the gate behind it
# Direct routing and tunnels: the real servers have the address too.
for n in 1 2; do
	must lab_in real$n ip addr add $VIP/32 dev lo
done
gates eth0 80
ipvs -m 80 -s sh
check "gates on the real servers, sh" both real1 real2
ipvs -m 80 -s rr -p 60
check "gates on the real servers, rr with persistence" both real1 real2
ipvs -m 80 -s rr
check "gates on the real servers, rr: the four part" parted
ports shared
check "gates on the real servers, rr, ports shared" both real1 real2
check "gates on the real servers: no key, no page" no_key
ipvs -g 80 -s rr
check "gates on the real servers, direct routing, rr, ports shared" both real1 real2
ports distinct
ipvs -g 80 -s sh
check "gates on the real servers, direct routing, sh" both real1 real2
for n in 1 2; do
	must tap real$n service add 8080 --public-port 80
done
ipvs -m 8080 -s sh
check "gates on the real servers, another port there" both real1 real2
ungate

# --- in a tunnel, whose device the module brings
must modprobe ipip
for n in 1 2; do
	must lab_in real$n ip link set tunl0 up
done
gates tunl0 80
ipvs -i 80 -s sh
check "gates on the real servers' tunnels, sh" both real1 real2
check "gates on the real servers' tunnels: no key, no page" no_key
ungate
done_testing
