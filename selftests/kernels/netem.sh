#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Networks that lose, delay, reorder, copy and spoil packets, in both directions: everybody with a key
# gets in, as soon as the arithmetic of four SYNs and the kernel's retransmissions lets them, and no
# group is admitted twice. One link for each kind of network, all at once.
#
#  +------ client ------+         +---- server ----+
#  |  10.9.N.2     ethN |---------| ethN  10.9.N.1 |  nginx: 80        N = 1, 2, ...
#  +--------------------+         +----------------+
. "$(dirname "$0")/../tap.sh"
COUNT=100 # connections on each link
LAB_SYN_RETRIES=6

# What the link does to each packet, the chance that one gets through unharmed, and a name.
networks=(
	'delay 0ms;                                                    1;    nothing at all'
	'loss 1%;                                                      0.99; loss 1 %'
	'loss 5%;                                                      0.95; loss 5 %'
	'delay 50ms 20ms;                                              1;    delay 50 ms, give or take 20'
	'delay 20ms reorder 50% 50%;                                   1;    every second one overtakes'
	'delay 10ms 10ms duplicate 100%;                               1;    everything twice, in any order'
	'corrupt 2%;                                                   0.98; 2 % with a bit flipped'
	'delay 30ms 20ms loss 2% duplicate 20% corrupt 1%;             0.97; all of it'
)

field() {
	echo "${networks[$1 - 1]}" | cut -d ';' -f "$2" | sed 's/^ *//'
}

lab_start
lab_ns client
lab_ns server
addresses=()
devices=
for n in "${!networks[@]}"; do
	n=$((n + 1))
	lab_link client "eth$n" server "eth$n"
	lab_addr client "eth$n" "10.9.$n.2/24" "2001:db8:9:$n::2/64"
	lab_addr server "eth$n" "10.9.$n.1/24" "2001:db8:9:$n::1/64"
	addresses+=("10.9.$n.1")
	devices=$devices${devices:+,}eth$n
done
addresses+=(2001:db8:9:3::1) # loss 5 % once more
lab_nginx server
tap_keys
must tap server server load -i "$devices" --realm-key "$LAB/keys/realm"
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
must tap client client load -i "$devices"
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80
for n in "${!networks[@]}"; do # address resolution first, so that only TCP meets what follows
	page client "http://10.9.$((n + 1)).1/" && page client "http://[2001:db8:9:$((n + 1))::1]/" ||
		lab_die "no page before anything is lost"
done
for n in "${!networks[@]}"; do
	for end in client server; do
		# shellcheck disable=SC2046 # words
		must lab_in $end tc qdisc add dev "eth$((n + 1))" root netem $(field $((n + 1)) 1)
	done
done

admitted=$(reason admitted)
split=$(tap client -j stats | lab_json client.split)
# Only what a stack takes for TCP: where a flipped bit has hit the version or shortened the packet, the
# gate leaves it to IP to throw it away.
lab_spawn server tcpdump -Z root -U --immediate-mode -B 8192 -n -i any -w "$LAB/passed.pcap" \
	"dst port 80 and ((ip[0] == 0x45 and ip[2:2] >= 40 and tcp[13] & 0x12 == 2) or
	(ip6[0] & 0xf0 == 0x60 and ip6[4:2] >= 20 and ip6[53] & 0x12 == 2))" 2>"$LAB/tcpdump.log"
lab_until 5 grep -q 'listening on' "$LAB/tcpdump.log" || lab_die "tcpdump does not start"
lab_in client python3 "$LAB_ROOT/selftests/kernels/dial.py" $COUNT 15 "${addresses[@]}" >"$LAB/dials"
sleep 0.5
lab_kill "$LAB_PID"
admitted=$(($(reason admitted) - admitted))
split=$(($(tap client -j stats | lab_json client.split) - split))

# soon_enough FIRST CHANCE: of COUNT connections, as many at the first try as can be expected when four
# SYNs and a SYN-ACK must all get through; four standard deviations less are still believed.
soon_enough() {
	awk -v n=$COUNT -v first="$1" -v p="$2" 'BEGIN {
		p = p ^ 5
		least = n * p - 4 * sqrt(n * p * (1 - p)) - 1
		printf "%d at the first try, expected %.0f, at least %.0f\n", first, n * p, least
		exit first < least
	}'
}

while read -r address _ pages _ first _ median _ p95 _ worst; do
	n=$(echo "$address" | sed -E 's/10\.9\.(.*)\.1/\1/; s/.*:9:(.*)::1/\1/')
	name=$(field "$n" 3)
	[[ $address != *:* ]] || name="$name, IPv6"
	echo "# $name: $pages of $COUNT pages, $first at the first try; connected after $median s (median)," \
		"$p95 s (95 %), $worst s (worst)"
	check "$name: all connect" equal pages $COUNT "$pages"
	check "$name: as soon as can be" soon_enough "$first" "$(field "$n" 2)"
done <"$LAB/dials"
check "every network was tried" equal networks ${#addresses[@]} "$(wc -l <"$LAB/dials")"

# One line for each SYN that the gate passed: the same connection's, sent at the same time, would be
# the same group.
tcpdump -n -r "$LAB/passed.pcap" >"$LAB/heard" 2>/dev/null
heard=$(wc -l <"$LAB/heard")
sed -nE 's/.* ([^ ]+) > .* seq ([0-9]+),.*TS val ([0-9]+) .*/\1 \2 \3/p' "$LAB/heard" >"$LAB/passed"
check "none was admitted twice" equal "groups seen again" 0 "$(awk 'seen[$0]++' "$LAB/passed" | wc -l)"
check "nothing came through but what was admitted" test "$heard" -le "$admitted"
# tcpdump is stopped, not ended: the last frames may not be written yet.
check "and all of that did" test "$heard" -ge $((admitted - 5))
check "nearly all that came through could be read" test "$(wc -l <"$LAB/passed")" -ge $((heard - 5))
check "no more were admitted than were made" test "$admitted" -le "$split"
check "copies of whole groups came and were refused" test "$(reason replay)" -gt 0
echo "# groups: $split made, $admitted admitted, $heard heard, $(reason replay) refused as replays, $(reason duplicate) segments twice"
done_testing
