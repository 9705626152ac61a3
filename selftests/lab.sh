# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The laboratory: network namespaces, links, real servers and a bpffs, all of one run and gone after
# it. To be sourced by bash. Everything is named after the shell's process ID or lives in a fresh
# directory under /tmp, so runs side by side do not meet, and nothing else on the machine is touched.
#
# No test judges speed: what is to succeed gets LAB_PATIENCE seconds, which only ends what hangs. How
# often a connection may be tried is counted instead: the kernel in each namespace sends a SYN and
# LAB_SYN_RETRIES more, and then gives up.
#
# Commands enter a namespace with nsenter and not with `ip netns exec`, which would hide every bpffs.
#
# lab_internet builds this:
#
#   teleworker            router (NAT for IPv4)                server
#  +-----------+        +-----------------------+        +----------------+
#  |      eth0 |--------| lan               wan |--------| eth0           |  nginx: 80, 8080
#  +-----------+        +-----------------------+        |                |  sshd: 22
#   192.168.7.2     192.168.7.1        198.51.100.2      |  198.51.100.1  |
#   2001:db8:7::2   2001:db8:7::1   2001:db8:100::2      | 2001:db8:100::1|
#                                                        |                |
#                                 +----------+           |                |
#                                 |     eth0 |-----------| eth1           |
#                                 +----------+           +----------------+
#                                 203.0.113.66              203.0.113.1
#                                 2001:db8:66::66           2001:db8:66::1
#                                   attacker
#
# The attacker has a link of its own, so that a flood meets the server's NIC with nothing between.

LAB_SERVER4=198.51.100.1
LAB_SERVER6=2001:db8:100::1
LAB_WORKER4=192.168.7.2
LAB_WORKER6=2001:db8:7::2
LAB_ROUTER4=198.51.100.2
LAB_ATTACKER4=203.0.113.66
LAB_ATTACKER6=2001:db8:66::66

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TAPCTL=${TAPCTL:-$LAB_ROOT/build/tapctl}
FLOOD=$LAB_ROOT/build/selftests/flood
REPLAY=$LAB_ROOT/build/selftests/replay
COOKIE=$LAB_ROOT/build/selftests/cookie/cookie
LAB_NAMESPACES=()
LAB_PIDS=()
LAB_REALM=
LAB_PATIENCE=${LAB_PATIENCE:-60}
LAB_SYN_RETRIES=${LAB_SYN_RETRIES:-3}

lab_die() {
	echo "lab: $*" >&2
	exit 1
}

# Makes the directory $LAB and the bpffs $LAB/bpf, and sees to it that both go at the end.
lab_start() {
	[ "$(id -u)" = 0 ] || lab_die "must be root, to make network namespaces; run it with sudo"
	LAB=$(mktemp -d /tmp/tap-lab.XXXXXX) || exit 1
	LAB_PREFIX=tap$$
	trap lab_stop EXIT
	trap 'exit 130' INT TERM HUP
	mkdir "$LAB/bpf"
	mount -t bpf none "$LAB/bpf" || lab_die "cannot mount a bpffs; is this a container without CAP_SYS_ADMIN?"
}

# Ends what runs in the laboratory's own namespaces and what lab_spawn started, nothing else.
lab_stop() {
	local status=$? name pids

	set +e
	trap - EXIT INT TERM HUP
	[ ${#LAB_PIDS[@]} = 0 ] || kill "${LAB_PIDS[@]}" 2>/dev/null
	for name in "${LAB_NAMESPACES[@]}"; do
		pids=$(ip netns pids "$LAB_PREFIX-$name" 2>/dev/null)
		# shellcheck disable=SC2086 # a list of process IDs
		[ -z "$pids" ] || kill -9 $pids 2>/dev/null
		ip netns del "$LAB_PREFIX-$name"
	done
	[ ${#LAB_PIDS[@]} = 0 ] || wait "${LAB_PIDS[@]}" 2>/dev/null
	umount "$LAB/bpf"
	rm -rf "$LAB"
	# What tapctl keeps beyond an unload, of the laboratory's realm only.
	[ -z "$LAB_REALM" ] || rm -f "/run/tapctl/newest-$LAB_REALM" "/run/tapctl/loaded-$LAB_REALM-"*
	rmdir /run/tapctl 2>/dev/null
	exit $status
}

# lab_ns NAME: a network namespace. IPv6 addresses are usable at once (no duplicate detection).
lab_ns() {
	ip netns add "$LAB_PREFIX-$1" || lab_die "cannot make a network namespace"
	LAB_NAMESPACES+=("$1")
	lab_in "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.router_solicitations=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.tcp_syn_retries="$LAB_SYN_RETRIES"
	lab_in "$1" ip link set lo up
}

# lab_in NAME COMMAND...: runs it there.
lab_in() {
	local name=$1

	shift
	nsenter --net="/run/netns/$LAB_PREFIX-$name" -- "$@"
}

# lab_spawn NAME COMMAND...: runs it there in the background; its process ID is in $LAB_PID.
lab_spawn() {
	local name=$1

	shift
	nsenter --net="/run/netns/$LAB_PREFIX-$name" -- "$@" & # no function, or $! would be a shell's
	LAB_PID=$!
	LAB_PIDS+=("$LAB_PID")
}

# lab_kill PID: ends a process that lab_spawn started.
lab_kill() {
	local pid rest=()

	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	for pid in "${LAB_PIDS[@]}"; do
		[ "$pid" = "$1" ] || rest+=("$pid")
	done
	LAB_PIDS=("${rest[@]}")
}

# lab_link NAME1 DEV1 NAME2 DEV2: a veth pair. Each end polls (GRO), so the other takes live frames.
lab_link() {
	ip link add name "$2" netns "$LAB_PREFIX-$1" numtxqueues 1 numrxqueues 1 type veth \
		peer name "$4" netns "$LAB_PREFIX-$3" numtxqueues 1 numrxqueues 1 ||
		lab_die "cannot make a veth pair"
	lab_in "$1" ip link set "$2" up
	lab_in "$3" ip link set "$4" up
	lab_in "$1" ethtool -K "$2" gro on
	lab_in "$3" ethtool -K "$4" gro on
}

# lab_addr NAME DEV ADDRESS/LENGTH...
lab_addr() {
	local name=$1 dev=$2 address

	shift 2
	for address; do
		case $address in
		*:*) lab_in "$name" ip addr add "$address" dev "$dev" nodad ;;
		*) lab_in "$name" ip addr add "$address" dev "$dev" ;;
		esac
	done
}

# lab_mac NAME DEV: the device's Ethernet address.
lab_mac() {
	lab_in "$1" ip -o link show "$2" | sed 's/.*link\/ether \([^ ]*\).*/\1/'
}

# lab_patience SECONDS: so many, or LAB_PATIENCE if that is more.
lab_patience() {
	[ "${1%.*}" -ge "$LAB_PATIENCE" ] && echo "$1" || echo "$LAB_PATIENCE"
}

# lab_until SECONDS COMMAND...: waits until the command succeeds, for so long at least (lab_patience).
lab_until() {
	local end=$(($(date +%s%N) / 1000000 + $(lab_patience "$1") * 1000))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $(($(date +%s%N) / 1000000)) -lt $end ] || return 1
		sleep 0.05
	done
}

# lab_nginx NAME: nginx with one page on ports 80 and 8080, IPv4 and IPv6.
lab_nginx() {
	mkdir -p "$LAB/www" "$LAB/nginx"
	{
		echo "the page behind the gate"
		head -c 3000 /dev/zero | tr '\0' .
	} >"$LAB/www/index.html"
	cat >"$LAB/nginx.conf" <<-END
		user root;
		daemon off;
		worker_processes 1;
		pid $LAB/nginx/pid;
		error_log $LAB/nginx/error.log;
		events { worker_connections 4096; }
		http {
			access_log off;
			client_body_temp_path $LAB/nginx/1;
			proxy_temp_path $LAB/nginx/2;
			fastcgi_temp_path $LAB/nginx/3;
			uwsgi_temp_path $LAB/nginx/4;
			scgi_temp_path $LAB/nginx/5;
			server {
				listen 80 backlog=1024;
				listen [::]:80 backlog=1024;
				listen 8080 backlog=1024;
				listen [::]:8080 backlog=1024;
				root $LAB/www;
			}
		}
	END
	lab_spawn "$1" nginx -e "$LAB/nginx/error.log" -c "$LAB/nginx.conf"
	lab_until 5 lab_in "$1" curl -sf -m 10 -o /dev/null http://127.0.0.1/ ||
		lab_die "nginx does not start: $(tail -n 3 "$LAB/nginx/error.log")"
}

# lab_sshd NAME: sshd with keys of its own; $LAB/ssh/id logs in as root. See lab_ssh.
lab_sshd() {
	mkdir -p "$LAB/ssh"
	ssh-keygen -q -t ed25519 -N '' -f "$LAB/ssh/host"
	ssh-keygen -q -t ed25519 -N '' -f "$LAB/ssh/id"
	cp "$LAB/ssh/id.pub" "$LAB/ssh/authorized_keys"
	cat >"$LAB/ssh/config" <<-END
		Port 22
		HostKey $LAB/ssh/host
		PidFile none
		AuthorizedKeysFile $LAB/ssh/authorized_keys
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		StrictModes no
		UsePAM no
		UseDNS no
		PrintMotd no
		PrintLastLog no
	END
	# sshd wants /run/sshd; it gets a /run of its own, the machine's is left alone.
	lab_spawn "$1" unshare --mount sh -c \
		"mount -t tmpfs none /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f '$LAB/ssh/config'" \
		2>"$LAB/ssh/log"
	lab_until 5 lab_ssh "$1" 127.0.0.1 true || lab_die "sshd does not start: $(tail -n 3 "$LAB/ssh/log")"
}

# lab_ssh NAME HOST [COMMAND...]: ordinary ssh from there.
lab_ssh() {
	local name=$1

	shift
	lab_in "$name" ssh -F none -i "$LAB/ssh/id" -o BatchMode=yes \
		-o ConnectTimeout="$(lab_patience "${LAB_TIMEOUT:-3}")" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -l root "$@"
}

# lab_curl NAME URL [OPTION...]: ordinary curl from there.
lab_curl() {
	local name=$1

	shift
	lab_in "$name" curl -sSf -g -m "$(lab_patience "${LAB_TIMEOUT:-3}")" "$@"
}

# lab_fetches NAME URL COUNT: COUNT fetches at once; prints how many brought the page.
lab_fetches() {
	lab_in "$1" seq "$3" |
		lab_in "$1" xargs -P "$3" -I '{}' curl -s -g -m "$LAB_PATIENCE" -o /dev/null -w '%{http_code}\n' "$2" |
		grep -c '^200$'
}

# The internet of the picture above, with its servers.
lab_internet() {
	lab_ns server
	lab_ns router
	lab_ns teleworker
	lab_ns attacker
	lab_link teleworker eth0 router lan
	lab_link router wan server eth0
	lab_link attacker eth0 server eth1
	lab_addr teleworker eth0 $LAB_WORKER4/24 $LAB_WORKER6/64
	lab_addr router lan 192.168.7.1/24 2001:db8:7::1/64
	lab_addr router wan $LAB_ROUTER4/24 2001:db8:100::2/64
	lab_addr server eth0 $LAB_SERVER4/24 $LAB_SERVER6/64
	lab_addr server eth1 203.0.113.1/24 2001:db8:66::1/64
	lab_addr attacker eth0 $LAB_ATTACKER4/24 $LAB_ATTACKER6/64

	lab_in router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	lab_in router nft -f - <<-END
		table ip nat {
			chain out {
				type nat hook postrouting priority srcnat;
				oifname "wan" masquerade
			}
		}
	END
	lab_in teleworker ip route add default via 192.168.7.1
	lab_in teleworker ip route add default via 2001:db8:7::1
	lab_in server ip route add 2001:db8:7::/64 via 2001:db8:100::2
	# The rest of the world, where a flood's invented addresses are, lies behind the attacker.
	lab_in server ip route add default via $LAB_ATTACKER4
	lab_in server ip route add default via $LAB_ATTACKER6
	lab_in attacker ip route add default via 203.0.113.1
	lab_in attacker ip route add default via 2001:db8:66::1

	lab_nginx server
	lab_sshd server
}

# lab_flood PORT FRAMES_PER_SECOND [OPTION...]: SYNs from the attacker's link in the background, until
# its process, $LAB_PID, is ended; so many a second at most. Returns when the server has taken in some.
lab_flood() {
	local port=$1 rate=$2 before

	shift 2
	before=$(lab_received server eth1)
	lab_spawn attacker taskset -c 0 "$FLOOD" --dev eth0 --dst-mac "$(lab_mac server eth1)" \
		--dst $LAB_SERVER4 --dport "$port" --rate "$rate" --seconds 600 "$@" >"$LAB/flood.log"
	lab_until 60 lab_received_more server eth1 $((before + 10000)) || lab_die "the flood does not start"
}

# lab_received NAME DEV: frames that the device took in, dropped by XDP or not.
lab_received() {
	lab_in "$1" ip -j -s link show "$2" | lab_json 0.stats64.rx.packets
}

# lab_received_more NAME DEV COUNT: so many at least.
lab_received_more() {
	[ "$(lab_received "$1" "$2")" -ge "$3" ]
}

# lab_json a.b.0: that member of the JSON document on stdin.
lab_json() {
	python3 -c 'import functools, json, sys
step = lambda o, k: o[int(k)] if isinstance(o, list) else o[k]
value = functools.reduce(step, sys.argv[1].split("."), json.load(sys.stdin))
print(value if isinstance(value, (str, int, float)) else json.dumps(value))' "$1"
}
