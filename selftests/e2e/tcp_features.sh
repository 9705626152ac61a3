#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What else TCP can carry in a SYN, through splitter and gate: multipath (its joins are SYNs too, each
# split by the rules), Fast Open with data in the SYN, signatures (which cannot be split).
# Topology: ../pair.sh, and a second link between client and server:
#
#   client eth1 10.9.2.2 ---- eth1 10.9.2.1 server
. "$(dirname "$0")/../pair.sh"
TALK=$LAB_ROOT/selftests/talk.py
pair_start
lab_link client eth1 server eth1
lab_addr client eth1 10.9.2.2/24
lab_addr server eth1 10.9.2.1/24
must tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm"
must tap server service add 80-89
must tap server key add 7 --user-key "$LAB/keys/a"
must tap client client load -i eth0,eth1
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80-89

# serve PORT [OPTION...]: in the background; its process ID is in $LAB_PID.
serve() {
	local port=$1

	shift
	lab_spawn server "$TALK" serve "$@" "$port"
	lab_until 5 listens "$port" || lab_die "talk.py does not listen on $port"
}

listens() {
	lab_in server ss -Hltn "sport = :$1" | grep LISTEN
}

# talks WORDS ARGUMENT...: the conversation comes about, and TCP says WORDS of it.
talks() {
	local words=$1 heard

	shift
	heard=$(lab_in client "$TALK" send "$@" 2>&1)
	[[ $heard == *"$words"* ]] || {
		echo "wanted '$words', heard '$heard'"
		return 1
	}
}

counter() {
	lab_in "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}

# once CONDITION... -- ARGUMENT...: talk.py's arguments for a conversation of which the second half waits
# until that has come about: a command that succeeds.
once() {
	local condition=() waiter status

	while [ "$1" != -- ]; do
		condition+=("$1")
		shift
	done
	shift
	rm -f "$LAB/go"
	{
		lab_until 60 "${condition[@]}"
		touch "$LAB/go"
	} &
	waiter=$!
	talks "$1" --until "$LAB/go" "${@:2}"
	status=$?
	wait $waiter
	return $status
}

# since COUNT COMMAND...: what the command prints is more than that.
since() {
	[ "$("${@:2}")" -gt "$1" ]
}

joins() {
	counter server MPTcpExtMPJoinAckRx
}

# grows NAME COUNTER N COMMAND...: the command succeeds, and the kernel's counter there grows by N.
grows() {
	local name=$1 what=$2 wanted=$3 before

	shift 3
	before=$(counter "$name" "$what")
	"$@" && equal "$what at the $name" "$wanted" $(($(counter "$name" "$what") - before))
}

# split_by LABEL N COMMAND...: the command's outcome is its own, and the splitter's counter grows by N.
split_by() {
	local label=$1 wanted=$2 before status

	shift 2
	before=$(tap client -j stats | lab_json "client.$label")
	"$@"
	status=$?
	equal "$label" "$wanted" $(($(tap client -j stats | lab_json "client.$label") - before)) && return $status
}

# --- multipath
for name in client server; do
	must lab_in $name sysctl -qw net.mptcp.enabled=1
	must lab_in $name ip mptcp limits set subflows 4 add_addr_accepted 4
done
serve 81 --mptcp
serve 82
for address in 10.9.0.1 2001:db8:9::1; do
	check "multipath with $address" talks 'multipath: 0 subflows more' --mptcp $address 81 100000
	check "multipath asked of a server without, $address" talks 'fell back' --mptcp $address 82 100000
	check "plain TCP at a multipath server, $address" talks 'data in the SYN: no' $address 81 100000
done
must lab_in client ip mptcp endpoint add 10.9.2.2 dev eth1 subflow
check "the client's second address joins: a SYN that is split as well" split_by split 2 \
	grows server MPTcpExtMPJoinAckRx 1 once since "$(joins)" joins -- \
	'multipath: 1 subflows more' --mptcp 10.9.0.1 81 1000000
must tap server service add 80-89 --dev eth1 --action drop --at 1
check "where the second path is shut, the first is used" grows server MPTcpExtMPJoinAckRx 0 \
	once since "$(reason service_drop)" reason service_drop -- multipath: --mptcp 10.9.0.1 81 1000000
must tap server service del 1
must lab_in client ip mptcp endpoint flush
must lab_in server ip mptcp endpoint add 10.9.2.1 dev eth1 signal
check "the server's second address, joined" split_by split 2 grows server MPTcpExtMPJoinAckRx 1 \
	once since "$(joins)" joins -- 'multipath: 1 subflows more' --mptcp 10.9.0.1 81 1000000
must tap client rule del 1
must tap client rule add --peer office --port 80-89 --dst 10.9.0.1
must tap client rule add --peer office --port 80-89 --dst 2001:db8:9::1
check "no join at an address that no rule names" grows server MPTcpExtMPJoinAckRx 0 \
	once since "$(reason no_mark)" reason no_mark -- multipath: --mptcp 10.9.0.1 81 1000000
must lab_in server ip mptcp endpoint flush

# --- Fast Open: the first connection brings the cookie, the second has data in its SYN
for name in client server; do
	must lab_in $name sysctl -qw net.ipv4.tcp_fastopen=3
done
serve 83 --fastopen
for address in 10.9.0.1 2001:db8:9::1; do
	check "Fast Open asks for a cookie, $address" grows server TcpExtTCPFastOpenCookieReqd 1 \
		talks 'data in the SYN: no' --fastopen $address 83 10000
	check "Fast Open, $address" grows server TcpExtTCPFastOpenPassive 1 \
		talks 'data in the SYN: yes' --fastopen $address 83 10000
done
must lab_in client ethtool -K eth0 tx off
check "Fast Open, checksums finished" grows server TcpExtTCPFastOpenPassive 1 \
	talks 'data in the SYN: yes' --fastopen 10.9.0.1 83 10000
check "Fast Open: wrong checksums" equal TcpInCsumErrors 0 "$(counter server TcpInCsumErrors)"
check "every judged segment has one reason" one_each

# --- signatures: the splitter leaves such a SYN as it is
serve 84 --md5 10.9.0.2=secret
check "a signed SYN is not split" split_by split 0 \
	talks 'timed out' --md5 10.9.0.1=secret --timeout 1 10.9.0.1 84 1000
check "a signed SYN is a failure of the splitter" test "$(tap client -j stats | lab_json client.failed)" -gt 0
must tap server service add 84 --src 10.9.0.2 --action pass --at 1
check "a signed SYN passes where the gate lets all pass" grows server TcpExtTCPMD5Failure 0 \
	talks 'data in the SYN: no' --md5 10.9.0.1=secret 10.9.0.1 84 1000
# The same for options that this kernel cannot send: a SYN with timestamps and, behind them, TCP-AO; one
# with TCP-MD5 behind 20 bytes of no operation.
cat >"$LAB/signed.py" <<-'END'
	import socket, struct, sys
	options = {"ao": b"\x08\x0a" + bytes(8) + b"\x1d\x10\x01\x01" + bytes(12) + b"\x01\x01",
	           "md5": b"\x01" * 20 + b"\x13\x12" + bytes(16) + b"\x01\x00",
	           "none": b"\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x1d"}[sys.argv[1]]
	mac = lambda text: bytes.fromhex(text.replace(":", ""))
	tcp = struct.pack("!HHIIBBHHH", 4242, 80, 1, 0, (20 + len(options)) // 4 << 4, 2, 1000, 0, 0) + options
	ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0,
	                 socket.inet_aton("10.9.0.2"), socket.inet_aton("10.9.0.1"))
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
	s.bind(("eth0", 0))
	s.send(mac(sys.argv[2]) + mac(sys.argv[3]) + b"\x08\x00" + ip + tcp)
END
raw_syn() {
	lab_in client /usr/bin/python3 "$LAB/signed.py" "$1" "$(lab_mac server eth0)" "$(lab_mac client eth0)"
}
check "a SYN with TCP-AO is not split" split_by failed 1 raw_syn ao
check "a SYN with TCP-MD5 is not split" split_by failed 1 raw_syn md5
check "a SYN with neither is" split_by split 1 raw_syn none
done_testing
