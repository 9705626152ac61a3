#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A SYN in every odd shape, to a listener of the real stack: with no gate, to learn which of them Linux
# answers, and behind the gate, where none may reach the stack, let alone be answered. Over Ethernet
# (veth; and tap, as of a virtual machine), and over a device without Ethernet header (tun).
#
#  +-- client --+          +-- server -------------------+
#  |       eth0 |----------| eth0   each in turn has     |  nginx: 80
#  |  10.9.0.2  |   send --| tap0   10.9.0.1, fd09::1    |
#  |  fd09::2   |   send --| tun0                        |
#  +------------+          +-----------------------------+
. "$(dirname "$0")/../tap.sh"
SEND=$LAB_ROOT/selftests/shapes/send
MAC=02:00:00:00:00:01 # who sends out of tap0
FIRST_PORT=10000

# shapes RUN KIND DEV [MAC]: sends them all, from ports that no earlier run had; what became of them is
# in $LAB/RUN.
shapes() {
	local run=$1 kind=$2

	shift 2
	lab_in server nft flush set inet shapes seen
	lab_in client "$SEND" "$kind" 80 $FIRST_PORT "/run/netns/$LAB_PREFIX-server" "$@" >"$LAB/$run" ||
		lab_die "sending failed"
	FIRST_PORT=$((FIRST_PORT + $(wc -l <"$LAB/$run")))
}

# number RUN TAKEN ANSWERED: how many shapes became that; patterns.
number() {
	grep -cx "$2 $3 .*" "$LAB/$1"
}

# Shapes that every Linux answers; without them a run would prove nothing.
answered() {
	local shape missing=0

	while IFS= read -r shape; do
		grep -qx "1 1 $shape" "$LAB/without" || {
			echo "the stack does not answer: $shape"
			missing=1
		}
	done
	return $missing
}

must_answer() {
	local ip

	for ip in ipv4 ipv6; do
		cat <<-END
			$ip plain
			$ip flags 02
			$ip flags 0a
			$ip flags 22
			$ip flags c2
			$ip flags ea
			$ip reserved 1
			$ip reserved 15
			$ip doff 5
			$ip doff 15 of 60 bytes
			$ip options: none
			$ip options: 40 NOPs
			$ip options: one behind the end
			$ip options: length 0
			$ip options: overrun
			$ip options: two timestamps
			$ip options: timestamp at an odd byte
			$ip options: fast open cookie
			$ip options: MPTCP
			$ip 1300 bytes of payload
			$ip acknowledgement number
			$ip trailer of 100
			$ip cut at 24
			$ip cut at 24 backwards
			$ip cut at 32, each twice
			$ip cut behind the header, payload of 1000
			$ip atomic
		END
	done
	cat <<-'END'
		ipv4 1 words of no operation
		ipv4 10 words of end
		ipv4 option: record route
		ipv4 option: router alert
		ipv4 in eights
		ipv4 in eights backwards
		ipv4 don't fragment
		ipv4 evil bit
		ipv4 ttl 0
		ipv6 later fragment of 6 says 59
		ipv6 later fragment of 60 says 17 backwards
		ipv6 fragments behind hop-by-hop options
		ipv6 hop
		ipv6 dst route frag
		ipv6 hop and 20 times dst
		ipv6 dst of 1032
		ipv6 routing type 0, 0 left
		ipv6 hop, payload length 0
		ipv4 large
		ipv6 large
	END
}

ethernet_answers() {
	cat <<-'END'
		ipv4 1 tags 8100 of VLAN 0
		ipv6 2 tags 88a8 of VLAN 0
		ipv4 3 tags 8100 of VLAN 0
		ipv6 7 tags 8100 of VLAN 0
		ipv4 priority 7
		ipv4 mixed tags
	END
}

# behind KIND DEV MODE [MAC]: the same through a gate. A run without it went before.
behind() {
	local kind=$1 dev=$2 mode=$3 taken judged

	shift 3
	must tap server server load -i "$dev" --mode "$mode" --realm-key "$LAB/keys/realm"
	must tap server service add 80
	shapes behind "$kind" "$dev" "$@"
	taken=$(number without 1 '[01]')
	judged=$(reasons)
	check "$kind, $mode: behind the gate none of $(wc -l <"$LAB/behind") shapes reaches the stack" \
		not grep -E '^(1 .|. 1) ' "$LAB/behind"
	check "$kind, $mode: the $taken were judged, or parts of them" test "$judged" -ge "$taken"
	must tap server server unload
}

# without KIND DEV [MAC]: what an open port does.
without() {
	shapes without "$@"
	check "$1: with no gate $(number without 1 1) of $(wc -l <"$LAB/without") shapes are answered" \
		answered < <(must_answer; [ "$1" = tun ] || ethernet_answers)
}

# addresses DEV: the server's are there now.
addresses() {
	local dev

	for dev in eth0 tun0 tap0; do
		lab_in server ip addr flush dev $dev
		lab_in server ip link set $dev up
	done
	lab_addr server "$1" 10.9.0.1/24 fd09::1/64
}

lab_start
[ -c /dev/net/tun ] || {
	echo "skip bypass: no /dev/net/tun here"
	exit 0
}
lab_ns client
lab_ns server
lab_link client eth0 server eth0
lab_addr client eth0 10.9.0.2/24 fd09::2/64
must lab_in server ip tuntap add dev tun0 mode tun vnet_hdr
must lab_in server ip tuntap add dev tap0 mode tap vnet_hdr
lab_in server sysctl -qw net.ipv4.tcp_synack_retries=0
lab_nginx server
lab_in server nft -f - <<-END
	table inet shapes {
		set seen { type inet_service; size 65535; flags dynamic; }
		chain input {
			type filter hook input priority 0;
			tcp dport 80 tcp flags & (syn|ack) == syn add @seen { tcp sport }
		}
	}
END
tap_keys

mac=$(lab_mac server eth0)
addresses eth0
must page client http://10.9.0.1/
must page client 'http://[fd09::1]/'
without packet eth0 "$mac"
behind packet eth0 native "$mac"
behind packet eth0 generic "$mac"

for name in client server; do
	must lab_in $name ip link set eth0 mtu 9000
done
must page client http://10.9.0.1/ # so that both know their neighbours
must page client 'http://[fd09::1]/'
shapes without jumbo eth0 "$mac"
check "jumbo frames: with no gate they are answered" equal answers 11 "$(number without 1 1)"
behind jumbo eth0 native "$mac"
behind jumbo eth0 generic "$mac"
for name in client server; do
	must lab_in $name ip link set eth0 mtu 1500
done

# A source route leads on from one of the server's addresses to another, which a rule protects.
lab_addr server lo 10.9.9.1/32 fd99::1/128
for name in ipv4.conf.{all,eth0}.accept_source_route ipv6.conf.{all,eth0}.seg6_enabled \
	ipv6.conf.{all,eth0}.rpl_seg_enabled; do
	must lab_in server sysctl -w "net.$name=1"
done
must page client http://10.9.0.1/
must page client 'http://[fd09::1]/'
shapes without routes eth0 "$mac"
check "source routes: with no gate they are answered" equal answers 6 "$(number without 1 1)"
must tap server server load -i eth0 --realm-key "$LAB/keys/realm"
must tap server service add 80 --dst 10.9.9.1
must tap server service add 80 --dst fd99::1
shapes behind routes eth0 "$mac"
check "source routes: behind the gate none reaches the address that is protected" \
	not grep -E '^(1 .|. 1) ' "$LAB/behind"
check "source routes: the rules leave the other address alone" page client http://10.9.0.1/
must tap server server unload

addresses tun0
without tun tun0
behind tun tun0 generic

addresses tap0
lab_in server ip neigh replace 10.9.0.2 lladdr $MAC dev tap0 nud permanent
lab_in server ip neigh replace fd09::2 lladdr $MAC dev tap0 nud permanent
without tap tap0
behind tap tap0 native
behind tap tap0 generic
done_testing
