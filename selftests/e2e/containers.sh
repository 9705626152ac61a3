#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Containers, as Docker and others join them to the network: on a bridge behind DNAT and masquerade,
# on a routed link, on a macvlan, on a bridge that the uplink is a port of. The gate is on the host's
# uplink or in the container, the splitter on the host or in the container.
# Topology: ../containers.sh
. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/../containers.sh"
containers_start
tap_keys

# gate NAME DEV PORT,... [OPTION...]: the gate that lets() looks at.
gate() {
	local port

	GATE=$1
	must tap "$1" server load -i "$2" --realm-key "$LAB/keys/realm" "${@:4}"
	must tap "$1" key add 7 --user-key "$LAB/keys/a"
	for port in ${3//,/ }; do
		must tap "$1" service add "$port"
	done
}

# splitter NAME DEV [OPTION...]: the options are the rule's.
splitter() {
	must tap "$1" client load -i "$2"
	must tap "$1" peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
	must tap "$1" rule add --peer office --port 80,8080 "${@:3}"
}

admissions() {
	tap "$GATE" -j stats | lab_json server.reasons.admitted
}

# lets NAME URL: the page comes there, and each SYN for it was admitted.
lets() {
	local before sent

	before=$(admissions) sent=$(syns "$1")
	page "$1" "$2" || {
		tap "$GATE" -j stats
		return 1
	}
	equal "admitted" $(($(syns "$1") - sent)) $(($(admissions) - before))
}

# shut WHAT NAME URL
shut() {
	LAB_TIMEOUT=0.4 check "$1: no key, no page" no_page "$2" "$3"
}

# open WHAT NAME URL: with the client's key.
open() {
	must tap client rule add --peer office --port 80,8080
	check "$1: with a key the page" lets "$2" "$3"
	must tap client rule del 1
}

splitter client eth0
must tap client rule del 1

# --- the gate on the host's uplink
# What came with an unfinished checksum is finished on the way to the routed container, which looks at it:
# so it shows whether the gate left such a checksum as it was.
must lab_in host ethtool -K vroute tx off
must lab_in far ethtool -K eth0 rx off
for mode in native generic; do
	gate host eth0 80,8080 --mode $mode
	for url in 10.9.0.1 10.9.0.1:8080 10.8.0.2 '[2001:db8:17::2]' 10.9.0.9; do
		shut "$mode gate on the uplink, $url" client "http://$url/"
		open "$mode gate on the uplink, $url" client "http://$url/"
	done
	check "$mode gate on the uplink: the host goes to the container freely" page host http://172.17.0.2/
	check "$mode gate on the uplink: so does another container" page far http://172.17.0.2/
	must tap host server unload
done

csum_errors() {
	lab_in far nstat -asz TcpInCsumErrors | awk '/Csum/ { print $2 }'
}
check "no checksum was wrong at the routed container" equal TcpInCsumErrors 0 "$(csum_errors)"

# --- the gate in the container
for mode in native generic; do
	gate box eth0 80 --mode $mode
	for url in '[2001:db8:17::2]' 10.9.0.1:80; do
		shut "$mode gate in the container, $url" client "http://$url/"
		open "$mode gate in the container, $url" client "http://$url/"
	done
	shut "$mode gate in the container: the host" host http://172.17.0.2/
	shut "$mode gate in the container: another container" far http://172.17.0.2/
	must tap box server unload
done
gate box eth0 80
must tap box service add 80 --public-port 8080 --at 1
open "gate in the container, published as another port" client http://10.9.0.1:8080/
must tap box service del 1
splitter host br0 --type any
check "gate in the container: the host with a key" lets host http://172.17.0.2/
check "gate in the container: another container, by the host's key" lets far http://172.17.0.2/
must tap host client unload
must tap box server unload
gate side mv0 80
shut "gate in the container on its macvlan" client http://10.9.0.9/
open "gate in the container on its macvlan" client http://10.9.0.9/
must tap side server unload

# --- the splitter for containers
must tap client client unload
lab_nginx client
gate client eth0 80
shut "no splitter" box http://10.9.0.2/
splitter host eth0 --type forward
check "splitter on the uplink, masqueraded container" lets box http://10.9.0.2/
check "splitter on the uplink, routed container" lets far http://10.9.0.2/
shut "splitter on the uplink: the host's own are not forwarded" host http://10.9.0.2/
shut "splitter on the uplink: the macvlan's neither" side http://10.9.0.2/
must tap host rule del 1
must tap host rule add --peer office --port 80 --src 10.9.0.9 --type local
check "splitter on the uplink: the macvlan's are local" lets side http://10.9.0.2/
must tap host client unload
for name in box side; do
	dev=eth0
	[ $name = box ] || dev=mv0
	splitter $name $dev
	check "splitter in the container $name" lets $name http://10.9.0.2/
	must tap $name client unload
done
must tap client server unload

# --- the uplink is a port of the bridge: containers have addresses of the network
lab_in side ip link del mv0
must lab_in host ip link set eth0 master br0
lab_addr box eth0 10.9.0.8/24
gate client eth0 80
splitter host eth0 --type forward
check "splitter on the uplink, bridged container" lets box http://10.9.0.2/
must tap host client unload
must tap client server unload
splitter client eth0
must tap client rule del 1
gate host eth0 80
shut "gate on the uplink, bridged container" client http://10.9.0.8/
open "gate on the uplink, bridged container" client http://10.9.0.8/
must tap host server unload
gate host br0 80
check "a gate on the bridge does not see what is bridged" page client http://10.9.0.8/
must tap host server unload

# --- a container that redirects its frames with a program of its own, as some networks of containers
# do; straight to the other end of a veth
cat >"$LAB/again.c" <<-'END'
	#include <linux/bpf.h>
	#include <bpf/bpf_helpers.h>
	SEC("tc") int again(struct __sk_buff *skb)
	{
		if (skb->mark == 7)
			return 0;
		skb->mark = 7;
		return bpf_redirect(skb->ifindex, 0);
	}
END
must clang-19 -O2 -target bpf -idirafter "/usr/include/$(gcc -print-multiarch)" -c -o "$LAB/again.o" "$LAB/again.c"
must lab_in far tc qdisc add dev eth0 clsact
must lab_in far tc filter add dev eth0 egress bpf da obj "$LAB/again.o" sec tc
lab_nginx host
gate host vroute 80 --mode native
shut "native gate, redirected frames" far http://10.8.0.1/
must tap host server unload
check "a generic gate says that it is not shown them" grep -q 'who may load one there gets past the gate' \
	<(tap host server load -i vroute --realm-key "$LAB/keys/realm" --mode generic 2>&1)
done_testing
