#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Devices without Ethernet header: client and server joined by two tun devices and a process that
# carries packets from one to the other, as a VPN does. The gate is generic XDP there.
#
#  +-- client --+                            +-- server --+
#  |       tun0 |---- a process's two -------| tun0       |
#  | 10.9.0.2   |     descriptors            | 10.9.0.1   |
#  | fd09::2    |                            | fd09::1    |
#  +------------+                            +------------+
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns server
[ -c /dev/net/tun ] || {
	echo "skip l3: no /dev/net/tun here"
	exit 0
}
"$LAB_ROOT/selftests/shapes/carry" "/run/netns/$LAB_PREFIX-client" "/run/netns/$LAB_PREFIX-server" &
LAB_PIDS+=($!)
for name in client server; do
	lab_until 5 lab_in $name ip link set tun0 up || lab_die "no tun device"
done
lab_addr client tun0 10.9.0.2/24 fd09::2/64
lab_addr server tun0 10.9.0.1/24 fd09::1/64
lab_nginx server
tap_keys
must page client http://10.9.0.1/
must tap server server load -i tun0 --realm-key "$LAB/keys/realm"
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
check "no page without a key" no_page client http://10.9.0.1/
check "no page without a key, IPv6" no_page client 'http://[fd09::1]/'
must tap client client load -i tun0
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80
check "a page through tun devices" page client http://10.9.0.1/
check "a page through tun devices, IPv6" page client 'http://[fd09::1]/'
check "50 pages at once" equal pages 50 "$(lab_fetches client http://10.9.0.1/ 50)"
check "every judged segment has one reason" one_each
done_testing
