# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the end-to-end tests share beyond the laboratory: tapctl in it, its counters, and checks that
# print a line each. To be sourced by bash; brings lab.sh with it.

# shellcheck source=selftests/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

TAP_NOT_OK=0
URL4=http://$LAB_SERVER4/
URL6=http://[$LAB_SERVER6]/
LAB_TIMEOUT=2 # seconds of silence after which whoever is not to get in gives up

# tap NAME COMMAND...: tapctl in that namespace, with a pin directory of its own.
tap() {
	local name=$1

	shift
	lab_in "$name" "$TAPCTL" --pin-dir "$LAB/bpf/$name" "$@"
}

# tap_status NAME: its status as JSON, with warnings or without; fails where there is none.
tap_status() {
	tap "$1" -j status
	case $? in 0 | 3) ;; *) return 1 ;; esac
}

# tap_killed SECONDS NAME COMMAND...: the same, ended with kill -9 after so long.
tap_killed() {
	local seconds=$1 name=$2

	shift 2
	# No function in the background, or the shell would be killed and not tapctl.
	nsenter --net="/run/netns/$LAB_PREFIX-$name" -- "$TAPCTL" --pin-dir "$LAB/bpf/$name" "$@" >/dev/null 2>&1 &
	sleep "$seconds"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
}

# long_skew: a --skew so long that nothing has to be quick, which a captured group may wait before it is
# sent again. A gate waits for one skew after a boot, so no longer than this machine is up.
long_skew() {
	awk '{ s = int($1) - 1; print (s < 30 ? 30 : s > 3600 ? 3600 : s) }' /proc/uptime
}

# must COMMAND...: what a test stands on; without it there is nothing to test.
must() {
	"$@" >"$LAB/must.log" 2>&1 || {
		echo "not ok set-up: '$*' failed: $(tail -n 1 "$LAB/must.log")"
		exit 1
	}
}

# check NAME COMMAND...: prints "ok NAME", or "not ok NAME: why" with the last thing the command said.
check() {
	local name=$1

	shift
	if "$@" >"$LAB/check.log" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name: $* : $(tail -n 1 "$LAB/check.log")"
		TAP_NOT_OK=$((TAP_NOT_OK + 1))
	fi
}

# done_testing: the last line of a test file.
done_testing() {
	[ $TAP_NOT_OK = 0 ]
	exit
}

not() {
	! "$@"
}

# few N: how often to do what is done N times; a quarter of it on an emulated machine (kernels/guest).
few() {
	echo $(($1 / (${TAP_SHORT:-0} ? 4 : 1)))
}

# equal NAME WANTED HAVE
equal() {
	[ "$2" = "$3" ] || {
		echo "$1: wanted $2, have $3"
		return 1
	}
}

# reason LABEL[+LABEL...]: one of the gate's counters, or a sum; reasons: all of them. split LABEL: one of
# the splitter's.
reason() {
	tap server -j stats | python3 -c 'import json, sys
reasons = json.load(sys.stdin)["server"]["reasons"]
print(sum(reasons[label] for label in sys.argv[1].split("+")))' "$1"
}

reasons() {
	tap server -j stats | python3 -c 'import json, sys
print(sum(json.load(sys.stdin)["server"]["reasons"].values()))'
}

split() {
	tap teleworker -j stats | lab_json "client.$1"
}

# syns NAME: how many SYNs of connections the kernel there has sent, those that it sent again among them.
syns() {
	lab_in "$1" awk '/^Tcp/ {
		for (i = 2; i <= NF; i++)
			if (!seen[$1])
				name[$1, i] = $i
			else if (name[$1, i] == "ActiveOpens" || name[$1, i] == "TCPSynRetrans")
				n += $i
		seen[$1] = 1
	}
	END { print n + 0 }' /proc/net/snmp /proc/net/netstat
}

# counts LABEL N COMMAND NAME...: the command's outcome does not matter, but for each SYN that the kernel
# in NAME sends meanwhile (more than one, if it has to wait for an answer) the gate's counter grows by N.
counts() {
	local label=$1 each=$2 name=$4 before sent

	shift 2
	before=$(reason "$label") sent=$(syns "$name") || return
	LAB_TIMEOUT=1.5 "$@" >/dev/null 2>&1
	sent=$(($(syns "$name") - sent))
	[ $sent -gt 0 ] || { echo "no SYN was sent"; return 1; }
	lab_until 10 reason_is "$label" $((before + each * sent)) || {
		equal "$label, of $sent SYNs" $((each * sent)) $(($(reason "$label") - before))
		tap server -j stats
		return 1
	}
}

reason_is() {
	[ "$(reason "$1")" = "$2" ]
}

# tap_stranger NAME DEV SERVER DEV IPV4 IPV6: from where `cookie` sends, and to which device there. The
# addresses are nobody's, so that no kernel resets what a cookie opens.
tap_stranger() {
	local address

	STRANGER=("$@")
	for address in "$5" "$6"; do
		must lab_in "$3" ip neigh replace "$address" lladdr "$(lab_mac "$1" "$2")" dev "$4" nud permanent
	done
}

# cookie 4|6 PORT [OPTION...]: an ACK with a good SYN cookie, and a request; succeeds if data comes back.
# no_cookie 4|6 PORT [OPTION...]: nothing comes back, and the gate counts strays.
COOKIE_SPORT=20000
cookie() {
	local src=${STRANGER[4]} dst=$LAB_SERVER4 port=$2

	[ "$1" = 4 ] || { src=${STRANGER[5]} dst=$LAB_SERVER6; }
	shift 2
	lab_in "${STRANGER[0]}" "$COOKIE" --dev "${STRANGER[1]}" \
		--dst-mac "$(lab_mac "${STRANGER[2]}" "${STRANGER[3]}")" --src "$src" --dst "$dst" \
		--sport $((++COOKIE_SPORT)) --dport "$port" "$@"
}

no_cookie() {
	local before

	before=$(reason stray)
	not cookie "$@" && test "$(reason stray)" -gt "$before"
}

# no_stray COMMAND...: succeeds, and no segment is a stray.
no_stray() {
	local before

	before=$(reason stray)
	"$@" && equal stray "$before" "$(reason stray)"
}

# warned_of_cookies yes|no: whether status warns that the gate does not look at ACKs, and should.
warned_of_cookies() {
	local have=no

	tap server status | grep -q '^warning: cookie_acks: ' && have=yes
	equal warning "$1" $have
}

# page NAME URL: the page comes. no_page NAME URL: nothing comes, not even a refusal.
page() {
	lab_curl "$1" "$2" | grep -q 'the page behind the gate'
}

no_page() {
	local before seconds=$LAB_TIMEOUT connected status

	before=$(syns "$1") || return
	while :; do
		connected=$(lab_in "$1" curl -s -g -o /dev/null -m "$seconds" -w '%{time_connect}' "$2")
		status=$?
		# On a slow machine its time may be over before it begins: then it shows nothing.
		[ $status = 28 ] && [ "$(syns "$1")" = "$before" ] && [ $seconds != "$LAB_PATIENCE" ] || break
		seconds=$LAB_PATIENCE
	done
	equal "curl's exit status (28: time-out)" 28 $status && equal "SYNs sent: none, or more" more \
		"$([ "$(syns "$1")" = "$before" ] && echo none || echo more)" &&
		equal "seconds until it was connected (0: never)" 0.000000 "$connected"
}

# says NAME HOST: an ssh login that answers. no_login NAME HOST: no connection.
says() {
	equal "what ssh said" hello "$(lab_ssh "$1" "$2" echo hello 2>&1)"
}

no_login() {
	LAB_PATIENCE=0 lab_ssh "$1" "$2" true 2>&1 | grep -q 'connect to host.*timed out'
}

# fetching NAME URL N: N clients that fetch all the time, until stop_fetching, which returns when the last
# of them has ended. more_fetches N: waits until N more fetches have ended, well or badly.
# fetches good|bad: how many did.
fetching() {
	local i

	rm -f "$LAB/stop" "$LAB"/fetches.*
	FETCHERS=()
	for ((i = 0; i < $3; i++)); do
		while [ -d "$LAB" ] && [ ! -e "$LAB/stop" ]; do
			lab_curl "$1" "$2" -o /dev/null 2>>"$LAB/curl.log" && echo good || echo bad
		done >"$LAB/fetches.$i" &
		FETCHERS+=($!)
	done
}

fetches() {
	cat "$LAB"/fetches.* | grep -c "$1"
}

more_fetches() {
	lab_until 600 fetched $(($(fetches .) + $1))
}

fetched() {
	[ "$(fetches .)" -ge "$1" ]
}

stop_fetching() {
	touch "$LAB/stop"
	wait "${FETCHERS[@]}"
}

# An ssh session with a pipe on either side: what goes in at descriptor 8 comes back at 9.
open_session() {
	mkfifo "$LAB/in" "$LAB/out"
	lab_ssh teleworker $LAB_SERVER4 cat <"$LAB/in" >"$LAB/out" &
	LAB_PIDS+=($!)
	exec 8>"$LAB/in" 9<"$LAB/out"
}

session_answers() {
	local line

	echo "$1" >&8
	read -r -t "$(lab_patience 5)" line <&9 && equal "what came back" "$1" "$line"
}

# one_each: every judged segment has one reason, and each admission took three more segments.
one_each() {
	tap server -j stats | python3 -c 'import json, sys
r = json.load(sys.stdin)["server"]["reasons"]
groups = ["admitted", "unreadable", "version", "skew", "unknown_key", "key_inactive", "acl", "tag",
	  "unbound", "rate", "replay", "replay_window"]
n = sum(r[g] for g in groups)
if r["collecting"] != 3 * n:
	sys.exit("%d groups were judged, but %d segments collected" % (n, r["collecting"]))'
}

# capture NAME DEV FILE N FILTER...: the next N frames there, in the background ($CAPTURE).
capture() {
	local name=$1 dev=$2 file=$3 n=$4

	shift 4
	lab_spawn "$name" timeout 600 tcpdump -Z root -U --immediate-mode -n -i "$dev" -c "$n" -w "$file" "$@" \
		2>"$LAB/tcpdump.log"
	CAPTURE=$LAB_PID
	lab_until 5 grep -q 'listening on' "$LAB/tcpdump.log" || lab_die "tcpdump does not start"
}

captured() {
	wait "$CAPTURE"
}

SYN='tcp[tcpflags] == tcp-syn'
SYN_ACK='tcp[tcpflags] & (tcp-syn|tcp-ack) == (tcp-syn|tcp-ack)'

# tap_keys: a realm key, and user keys a, b and c, in $LAB/keys. The windows of Linux's and nmap's SYNs
# are no marks of the realm.
tap_keys() {
	local tries

	mkdir -p "$LAB/keys"
	for ((tries = 0; tries < 30; tries++)); do
		rm -f "$LAB/keys/realm"
		must "$TAPCTL" realm gen -o "$LAB/keys/realm"
		python3 "$LAB_ROOT/selftests/marks.py" "$LAB/keys/realm" 2>/dev/null
		[ $? = 3 ] || break
	done
	LAB_REALM=$(sed -n 's/.*(realm \([0-9a-f]*\),.*/\1/p' "$LAB/must.log")
	local name
	for name in a b c; do
		must "$TAPCTL" key gen -o "$LAB/keys/$name"
	done
}

# tap_server [OPTION...]: the gate on both devices, ports 22 and 80 protected, key 7 = a.
tap_server() {
	must tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm" "$@"
	must tap server service add 22
	must tap server service add 80
	must tap server key add 7 --user-key "$LAB/keys/a" --name alice
}

# tap_client [OPTION...]: the splitter of the teleworker, with key a as 7 for the server's two ports.
tap_client() {
	must tap teleworker client load -i eth0
	must tap teleworker peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" \
		--key-id 7 "$@"
	must tap teleworker rule add --peer office --port 22,80 --dst $LAB_SERVER4
	must tap teleworker rule add --peer office --port 22,80 --dst $LAB_SERVER6
}

# tap_internet [OPTION...]: the whole picture of lab.sh with TAP in it; the options are the gate's.
tap_internet() {
	lab_start
	lab_internet
	tap_keys
	tap_server "$@"
	tap_client
}
