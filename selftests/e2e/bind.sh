#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What tags cover besides the port: the address that was dialled, also through a port forward, and the
# client's own, which a NAT changes and IPv6 keeps. Then what peers of one realm may be, and rates of
# keys. Topology: ../lab.sh, and a port forward from the router's 443 to the teleworker's 80.
. "$(dirname "$0")/../tap.sh"
tap_internet

service() {
	must tap server service del 2
	must tap server service add 80 "$@"
}

peer() {
	must tap teleworker peer update office "$@"
}

# --- through the NAT: the dialled address can be bound, the client's own cannot
service --bind dst
check "unbound, where the destination must be: refused" counts unbound 1 no_page teleworker "$URL4"
peer --bind dst
check "bound to the destination: the page" page teleworker "$URL4"
check "the same over IPv6" page teleworker "$URL6"
service
check "where nothing need be bound: the page" page teleworker "$URL4"
service --bind src
check "bound to the destination, where the source must be: refused" counts unbound 1 no_page teleworker "$URL4"
peer --bind src
check "bound to the source, which the NAT changed: a wrong tag" counts tag 1 no_page teleworker "$URL4"
check "bound to the source over IPv6: the page" page teleworker "$URL6"
service --bind both
check "bound to the source, where both must be: refused" counts unbound 1 no_page teleworker "$URL6"
peer --bind both
check "bound to both over IPv6: the page" page teleworker "$URL6"
bound() {
	tap server -j events | python3 -c 'import json, sys
last = list(map(json.loads, sys.stdin))[-1]
print(last["flags"], last["encoding"], len(last["segments"]), last["ttl"], len(last["options"]) % 8)'
}
check "the event shows it" equal event "3 veiled 4 63 0" "$(bound)"
peer --encoding classic
service --bind both --encoding classic
check "the classic encoding carries it, too" page teleworker "$URL6"
peer --encoding veiled --bind none
service --bind any --encoding veiled
check "unbound, where any will do: the page" page teleworker "$URL4"

# --- what clients dial, another address and port than the gate sees
mkdir "$LAB/inner"
LAB=$LAB/inner lab_nginx teleworker
must lab_in router nft -f - <<-END
	table ip forward {
		chain in {
			type nat hook prerouting priority dstnat;
			ip daddr $LAB_ROUTER4 tcp dport 443 dnat to $LAB_WORKER4:80
		}
	}
END
FORWARD=http://$LAB_ROUTER4:443/
must tap teleworker server load -i eth0 --realm-key "$LAB/keys/realm"
must tap teleworker key add 7 --user-key "$LAB/keys/a"
must tap server client load -i eth0
must tap server peer add home --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7 --bind dst
must tap server rule add --peer home --port 443
inner() {
	tap teleworker -j stats | lab_json "server.reasons.$1"
}
check "--bind dst behind a port forward: a note" sh -c "nsenter --net=/run/netns/$LAB_PREFIX-teleworker \
	$TAPCTL --pin-dir $LAB/bpf/teleworker service add 80 --public-port 443 --bind dst 2>&1 >/dev/null |
	grep -q 'note: .*--public-address'"
LAB_TIMEOUT=0.7 check "without it a wrong tag" no_page server "$FORWARD"
check "counted" equal tag 1 "$(inner tag)"
must tap teleworker service del 1
must tap teleworker service add 80 --public-port 443 --public-address "$LAB_ROUTER4" --bind dst
check "with the public address the page" page server "$FORWARD"
check "through the gate" equal admitted 1 "$(inner admitted)"
shown() {
	tap teleworker -j service list | python3 -c 'import json, sys
s = json.load(sys.stdin)[0]
print(s["public_address"], s["public_port"], s["bind"], s["encoding"])'
}
check "the list shows it" equal service "$LAB_ROUTER4 443 dst None" "$(shown)"
must tap teleworker service del 1
must tap teleworker service add 80 --public-port 443 --public-address 64:ff9b::198.51.100.2
check "NAT64's address is the IPv4 address in it" equal service "$LAB_ROUTER4 443 any None" "$(shown)"
must tap teleworker server unload

# --- peers of one realm
# refused STATUS WORDS COMMAND...
refused() {
	local wanted=$1 words=$2 status

	shift 2
	"$@" >/dev/null 2>"$LAB/refused"
	status=$?
	cat "$LAB/refused"
	equal "exit status" "$wanted" $status && head -n 1 "$LAB/refused" | grep -q -e "$words"
}
add() {
	tap teleworker peer add "$1" --realm-key "$LAB/keys/$2" --user-key "$LAB/keys/$3" --key-id 7
}
must "$TAPCTL" realm gen --rotate "$LAB/keys/realm" -o "$LAB/keys/newer"
must "$TAPCTL" realm gen -o "$LAB/keys/other"
check "a second peer of the realm under another secret" refused 1 'peer office has.*peer update office' add two newer a
check "under the same secret it is fine" add two realm b
check "and one of another realm" add three other c
check "which cannot become one of this realm under another secret" refused 1 'has this realm' tap teleworker \
	peer update three --realm-key "$LAB/keys/newer" --user-key "$LAB/keys/c"
check "a key of the same realm needs no user key" tap teleworker peer update two --realm-key "$LAB/keys/newer"
check "nor the other way round" tap teleworker peer update two --user-key "$LAB/keys/a"
check "one of another realm does" refused 1 'another realm.*--user-key' tap teleworker peer update two \
	--realm-key "$LAB/keys/other"
listed() {
	tap teleworker -j peer list | python3 -c 'import json, sys
peers = {p["name"]: p for p in json.load(sys.stdin)}
one, two, three = (peers[n] for n in ("office", "two", "three"))
print(one["realm_id"] == two["realm_id"] != three["realm_id"], one["fingerprint"] != two["fingerprint"])'
}
check "the list shows which are of one realm, and of one secret" equal peers "True True" "$(listed)"
must tap server realm rotate --realm-key "$LAB/keys/newer"
must tap teleworker rule del 2
must tap teleworker rule del 1
must tap teleworker rule add --peer two --port 80
check "the user's key stays good under the new secret" page teleworker "$URL4"
(umask 077 && base64 -d "$LAB/keys/realm" | tail -c 32 | base64 >"$LAB/keys/secret")
check "the realm's secret is no user key" refused 1 "the realm's secret" add four realm secret
check "a user key is no realm key" refused 1 'holds a user key.*not a realm key' add four a a
check "a realm key is no user key" refused 1 'holds a realm key, not a user key' add four realm realm

# --- rates of keys
(umask 077 && echo "31 $(cat "$LAB/keys/b") rate=17" >"$LAB/keys/list")
check "a key with a rate" tap server key add 30 --user-key "$LAB/keys/c" --rate 9
check "keys of a list" tap server key import "$LAB/keys/list"
check "rotate keeps it" tap server key rotate 30 --user-key "$LAB/keys/b"
rates() {
	tap server -j key list | python3 -c 'import json, sys
print(*("%s:%s:%s" % (k["id"], k["rate"], k["rate_default"]) for k in json.load(sys.stdin)))'
}
check "the list shows them" equal rates "7:528:True 30:9:False 31:17:False" "$(rates)"
window() {
	tap server -j status | lab_json server.replay_keys
}
check "these cannot fill the window" equal keys null "$(window)"
check "no limit" tap server key add 32 --user-key "$LAB/keys/c" --rate 0
check "then one can alone" equal keys 1 "$(window)"
check "which status warns of" grep -q 'key 32 alone can fill the replay window' <<<"$(tap server status)"
must tap server key del 32
must tap server key add 32 --user-key "$LAB/keys/c" --rate 1600
check "two together" equal keys 2 "$(window)"
check "too great a rate" refused 2 '--rate' tap server key add 33 --user-key "$LAB/keys/c" --rate 1000001
check "every judged segment has one reason" one_each
done_testing
