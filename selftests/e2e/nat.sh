#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Address translation of every sort between splitter and gate: source ports kept, random, of a
# narrow range; several addresses, one by one; two clients behind one address with the same ports at
# the same time; port forwards, also to a client of the same network (hairpin).
#
#   one                      router                       server
#  +--------------+        +-----------------------+     +-------------+
#  |  192.168.7.2 |---+    |                       |     |             |
#  +--------------+   |    |                       |     |             |
#   two               +----| br0 (p1 p2 p3)    wan |-----| eth0        |  nginx: 80, 8080
#  +--------------+   |    | 192.168.7.1           |     |             |
#  |  192.168.7.3 |---+    |          198.51.100.2 |     | 198.51.100.1|
#  +--------------+   |    |            and to .9  |     +-------------+
#   inner             |    +-----------------------+
#  +--------------+   |
#  |  192.168.7.4 |---+   nginx: 80, 8080
#  +--------------+
. "$(dirname "$0")/../tap.sh"
lab_start
for name in one two inner router server; do
	lab_ns $name
done
lab_link one eth0 router p1
lab_link two eth0 router p2
lab_link inner eth0 router p3
lab_link router wan server eth0
lab_in router ip link add name br0 type bridge
for port in p1 p2 p3; do
	lab_in router ip link set $port master br0
done
lab_in router ip link set br0 up
lab_addr one eth0 192.168.7.2/24
lab_addr two eth0 192.168.7.3/24
lab_addr inner eth0 192.168.7.4/24
lab_addr router br0 192.168.7.1/24
for host in 2 3 4 5 6 7 8 9; do
	lab_addr router wan 198.51.100.$host/24
done
lab_addr server eth0 198.51.100.1/24
for name in one two inner; do
	must lab_in $name ip route add default via 192.168.7.1
done
lab_in router sysctl -qw net.ipv4.ip_forward=1
lab_nginx server
mkdir "$LAB/inner"
LAB=$LAB/inner lab_nginx inner
tap_keys
must tap server server load -i eth0 --realm-key "$LAB/keys/realm"
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
for name in one two; do
	must tap $name client load -i eth0
done

# ports distinct|shared: how both clients choose source ports from now on.
ports() {
	for name in one two; do
		tap $name rule del 1 >/dev/null 2>&1
		tap $name peer del office >/dev/null 2>&1
		must tap $name peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" \
			--key-id 7 --ports "$1"
		must tap $name rule add --peer office --port 80,443
	done
}

# nat STATEMENT: what the router does with what leaves to the server.
nat() {
	lab_in router nft delete table ip nat 2>/dev/null
	lab_in router conntrack -F 2>/dev/null # or old mappings would be used on
	must lab_in router nft -f - <<-END
		table ip nat {
			chain out {
				type nat hook postrouting priority srcnat;
				oifname "wan" ip protocol tcp $1
			}
		}
	END
}

# both N: N fetches from each client at the same time, and each comes through an admission. (The kernel
# sends more SYNs than one for each if the router drops one, or if the machine is slow.)
both() {
	local before other sent admitted

	before=$(reason admitted) sent=$(($(syns one) + $(syns two)))
	lab_fetches one http://198.51.100.1/ "$1" >"$LAB/one" &
	other=$!
	lab_fetches two http://198.51.100.1/ "$1" >"$LAB/two"
	wait $other
	equal "pages" "$1 $1" "$(cat "$LAB/one") $(cat "$LAB/two")" || return
	admitted=$(($(reason admitted) - before)) sent=$(($(syns one) + $(syns two) - sent))
	[ $admitted -ge $((2 * $1)) ] && [ $admitted -le $sent ] || {
		echo "$admitted were admitted of $sent SYNs for $((2 * $1)) pages"
		return 1
	}
}

own_port=20000 # each is used once: what was used last is still there for a minute

# same_port N: both clients connect from the same source port, N times.
same_port() {
	local end=$((own_port + 2 * $1))

	for ((; own_port < end; own_port += 2)); do
		lab_curl one http://198.51.100.1/ -o /dev/null --local-port $own_port &
		lab_curl two http://198.51.100.1/ -o /dev/null --local-port $own_port || return
		wait $! || return
	done
}

addresses='0 : 198.51.100.2, 1 : 198.51.100.3, 2 : 198.51.100.4, 3 : 198.51.100.5'
addresses+=', 4 : 198.51.100.6, 5 : 198.51.100.7, 6 : 198.51.100.8, 7 : 198.51.100.9'
statements=(masquerade 'masquerade random' 'masquerade fully-random' 'snat to 198.51.100.3:2000-2999'
	'snat to 198.51.100.2-198.51.100.9' 'snat to 198.51.100.2-198.51.100.9 fully-random,persistent')
another="snat to numgen random mod 8 map { $addresses }"

# A Linux NAT drops the later of two first segments that chose the same mapping at the same moment, on
# two processors (insert_failed, drop). It does so with anybody's SYN, and the kernel sends another.
dropped() {
	lab_in router conntrack -S | grep -o '\<drop=[0-9]*' | awk -F = '{ n += $2 } END { print n + 0 }'
}

# whole_groups: all that was split reached the gate but what the router dropped, and only what lost a
# segment there was not judged.
whole_groups() {
	local split=0 judged collected lost name

	for name in one two; do
		split=$((split + $(tap $name -j stats | lab_json client.split)))
	done
	judged=$(reason admitted)
	collected=$(reason collecting)
	lost=$(dropped)
	equal "segments that came" $((4 * split - lost)) $((collected + judged)) || return
	[ "$judged" -ge $((split - lost)) ] || {
		echo "of $split groups $judged were judged, but the router dropped $lost segments"
		return 1
	}
}

translated() {
	local name="ports $1, ${2%%map*}"

	nat "$2"
	check "$name: 8 at once from each of two" both 8
	check "$name: two from the same port" same_port 2
}

ports distinct
for statement in "${statements[@]}"; do
	translated distinct "$statement"
done
check "every segment of every group came but those the router dropped, no group was torn apart" whole_groups
nat "$another"
LAB_TIMEOUT=0.7 check "ports distinct cannot come from another address each" no_page one http://198.51.100.1/
# All four with the same ports: a Linux NAT must not mind sequence numbers then.
must lab_in router sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1
ports shared
for statement in masquerade 'masquerade fully-random' "$another"; do
	translated shared "$statement"
done
must tap server server unload

# --- port forwards: people dial 443 at the router
ports distinct
must lab_in router sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=0
nat masquerade
must lab_in router nft -f - <<-END
	table ip nat {
		chain in {
			type nat hook prerouting priority dstnat;
			ip daddr 198.51.100.2 tcp dport 443 dnat to 192.168.7.4:80
		}
		chain hairpin {
			type nat hook postrouting priority srcnat;
			ip saddr 192.168.7.0/24 ip daddr 192.168.7.4 masquerade
		}
	}
END
must tap inner server load -i eth0 --realm-key "$LAB/keys/realm"
must tap inner service add 80 --public-port 443
must tap inner key add 7 --user-key "$LAB/keys/a"
LAB_TIMEOUT=0.4 check "port forward: no key, no page" no_page server http://198.51.100.2:443/
LAB_TIMEOUT=0.4 check "hairpin: no key, no page" no_page inner http://198.51.100.2:443/
check "hairpin: with a key the page" page one http://198.51.100.2:443/
check "hairpin: through the gate" equal admitted 1 "$(tap inner -j stats | lab_json server.reasons.admitted)"
must tap server client load -i eth0
must tap server peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap server rule add --peer office --port 443
check "port forward: with a key the page" page server http://198.51.100.2:443/
done_testing
