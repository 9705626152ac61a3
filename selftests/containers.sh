# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Containers, as Docker and others join them to the network, all with nginx in them. To be sourced
# after tap.sh.
#
#  +- client -+switch +----------------- host -----------------+       +--- box ---+
#  |     eth0 |--[  ]-| eth0    br0 172.17.0.1  vbox ----------|-------| eth0      |  nginx: 80, 8080
#  +----------+       | 10.9.0.1                      vroute --|---+   +-----------+
#   10.9.0.2          +----------------------------------------+   |    172.17.0.2
#                        | mv0 (macvlan on eth0)                   |   +--- far ---+
#                     +- side -+                                   +---| eth0      |  nginx: 80, 8080
#                     +--------+                                       +-----------+
#                      10.9.0.9   nginx: 80, 8080                       10.8.0.2

# containers_start: the picture above.
containers_start() {
	local name

	lab_start
	for name in client switch host box far side; do
		lab_ns $name
	done
	lab_link client eth0 switch p1
	lab_link switch p2 host eth0
	lab_in switch ip link add name br0 type bridge
	lab_in switch ip link set p1 master br0
	lab_in switch ip link set p2 master br0
	lab_in switch ip link set br0 up
	lab_link host vbox box eth0
	lab_link host vroute far eth0
	lab_in host ip link add name br0 type bridge
	lab_in host ip link set vbox master br0
	lab_in host ip link set br0 up
	lab_in host ip link add name mv0 link eth0 netns "$LAB_PREFIX-side" type macvlan mode bridge
	lab_in side ip link set mv0 up
	lab_addr client eth0 10.9.0.2/24 2001:db8:9::2/64
	lab_addr host eth0 10.9.0.1/24 2001:db8:9::1/64
	lab_addr host br0 172.17.0.1/16 2001:db8:17::1/64
	lab_addr host vroute 10.8.0.1/24
	lab_addr box eth0 172.17.0.2/16 2001:db8:17::2/64
	lab_addr far eth0 10.8.0.2/24
	lab_addr side mv0 10.9.0.9/24
	must lab_in box ip route add default via 172.17.0.1
	must lab_in box ip route add default via 2001:db8:17::1
	must lab_in far ip route add default via 10.8.0.1
	must lab_in client ip route add 10.8.0.0/24 via 10.9.0.1
	must lab_in client ip route add 2001:db8:17::/64 via 2001:db8:9::1
	lab_in host sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	# As Docker writes it: a published port, masquerade for what leaves the bridge, and for the hairpin.
	must lab_in host nft -f - <<-END
		table ip nat {
			chain in {
				type nat hook prerouting priority dstnat;
				fib daddr type local tcp dport 8080 dnat to 172.17.0.2:80
				fib daddr type local tcp dport 80 dnat to 172.17.0.2:80
			}
			chain local {
				type nat hook output priority -100;
				ip daddr != 127.0.0.0/8 fib daddr type local tcp dport 8080 dnat to 172.17.0.2:80
			}
			chain out {
				type nat hook postrouting priority srcnat;
				ip saddr 172.17.0.0/16 oifname != "br0" masquerade
				ip saddr 172.17.0.2 ip daddr 172.17.0.2 tcp dport 80 masquerade
			}
		}
	END
	for name in box far side; do
		mkdir -p "$LAB/$name"
		LAB=$LAB/$name lab_nginx $name
	done
}
