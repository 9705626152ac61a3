# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The world of the soak: the laboratory's internet, and around it more who want to get in. To be
# sourced by tools/soak; brings lab.sh and tap.sh with it.
#
#   teleworker -- lan  +--------+                  +--------+
#   colleague --- lan2 | router | wan ------- eth0 |        |  22 sshd, 80 8080 nginx,
#   lodger ------ lan3 +--------+                  | server |  9000 9001 echo.py
#   roamer -- eth0 | isp | wan -------------- eth2 |        |
#   attacker eth0 --------------------------- eth1 |        |
#                                                  +--------+
#
# The router translates IPv4 addresses, so three hosts there share one; the isp does not. lodger and
# attacker have no key. The gate is on all three devices of the server.

LAB_SYN_RETRIES=5
# shellcheck source=selftests/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

# soak_home NAME LAN N: one more host behind the router.
soak_home() {
	lab_ns "$1"
	lab_link "$1" eth0 router "$2"
	lab_addr "$1" eth0 "192.168.$3.2/24" "2001:db8:$3::2/64"
	lab_addr router "$2" "192.168.$3.1/24" "2001:db8:$3::1/64"
	lab_in "$1" ip route add default via "192.168.$3.1"
	lab_in "$1" ip route add default via "2001:db8:$3::1"
	lab_in server ip route add "2001:db8:$3::/64" via 2001:db8:100::2
}

soak_isp() {
	lab_ns isp
	lab_ns roamer
	lab_link roamer eth0 isp eth0
	lab_link isp wan server eth2
	lab_addr roamer eth0 100.64.20.2/24 2001:db8:20::2/64
	lab_addr isp eth0 100.64.20.1/24 2001:db8:20::1/64
	lab_addr isp wan 192.0.2.2/24 2001:db8:200::2/64
	lab_addr server eth2 192.0.2.1/24 2001:db8:200::1/64
	lab_in isp sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	lab_in roamer ip route add default via 100.64.20.1
	lab_in roamer ip route add default via 2001:db8:20::1
	lab_in isp ip route add 198.51.100.0/24 via 192.0.2.1
	lab_in isp ip route add 2001:db8:100::/64 via 2001:db8:200::1
	lab_in server ip route add 100.64.20.0/24 via 192.0.2.2
	lab_in server ip route add 2001:db8:20::/64 via 2001:db8:200::2
}

# soak_world: all of it, and user keys in $LAB/keys.
soak_world() {
	local name

	set -e # whatever fails here, there is no world
	lab_internet
	soak_home colleague lan2 9
	soak_home lodger lan3 10
	soak_isp
	# Small buffers, or a download could go on for long out of what it got before.
	for name in teleworker colleague roamer; do
		lab_in $name sysctl -qw net.ipv4.tcp_rmem="4096 65536 131072"
	done
	lab_spawn server python3 "$LAB_ROOT/selftests/soak/echo.py" 9000 9001
	truncate -s 64G "$LAB/www/endless"
	mkdir "$LAB/keys"
	must "$TAPCTL" realm gen -o "$LAB/keys/realm"
	LAB_REALM=$(sed -n 's/.*(realm \([0-9a-f]*\),.*/\1/p' "$LAB/must.log")
	for name in a b c d e f g h; do
		must "$TAPCTL" key gen -o "$LAB/keys/$name"
	done
	set +e
}
