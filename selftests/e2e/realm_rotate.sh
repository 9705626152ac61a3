#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The realm gets a new secret while two clients connect all the time, of which one changes to it and
# one does not: none fails while both secrets are taken. After that the old one is a stranger's. A
# rotation that was killed at any moment is complete after the next. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet
must tap server key add 8 --user-key "$LAB/keys/b" --name bob
must tap attacker client load -i eth0 # the second client, on a link of its own
must tap attacker peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/b" --key-id 8
must tap attacker rule add --peer office --port 80
OTHER4=http://203.0.113.1/
FETCHES=60

mv "$LAB/keys/realm" "$LAB/keys/realm1"
for i in 2 3 4; do
	must "$TAPCTL" realm gen --rotate "$LAB/keys/realm$((i - 1))" -o "$LAB/keys/realm$i"
done

rotate() {
	tap server realm rotate --realm-key "$LAB/keys/realm$1" "${@:2}"
}

load() {
	tap server server load -i eth0,eth1 --realm-key "$LAB/keys/realm$1"
}

# client NAME REALM: it has that secret from now on; the user's key stays.
client() {
	tap "$1" peer update office --realm-key "$LAB/keys/realm$2"
}

status() {
	tap server -j status | lab_json "server.$1"
}

# refused WORDS COMMAND...: exit status 1 and a line on stderr that has these words.
refused() {
	local words=$1 status

	shift
	"$@" >/dev/null 2>"$LAB/refused"
	status=$?
	cat "$LAB/refused"
	equal "exit status" 1 $status && grep -q -e "$words" "$LAB/refused"
}

# noted WORDS COMMAND...: succeeds, and notes these words.
noted() {
	local words=$1

	shift
	"$@" 2>"$LAB/noted" && grep -q -e "note: .*$words" "$LAB/noted" || {
		cat "$LAB/noted"
		return 1
	}
}

# stranger NAME URL: no page, nothing admitted, and for the gate it is one without the secret.
stranger() {
	local admitted before

	admitted=$(reason admitted)
	before=$(($(reason no_mark) + $(reason unreadable)))
	LAB_TIMEOUT=0.7 no_page "$1" "$2" && equal admitted "$admitted" "$(reason admitted)" &&
		[ $(($(reason no_mark) + $(reason unreadable))) -gt "$before" ]
}

# --- an overlap that ends
check "another realm's key is refused" refused 'another realm' sh -c "
	umask 077; $TAPCTL realm gen -o $LAB/keys/other && nsenter --net=/run/netns/$LAB_PREFIX-server \
		$TAPCTL --pin-dir $LAB/bpf/server realm rotate --realm-key $LAB/keys/other"
check "a reload with a new secret says how it is done" refused 'realm rotate' load 2
check "both get in with the first secret" page teleworker "$URL4"
check "both get in with the first secret: bob" page attacker "$OTHER4"
lab_spawn server "$TAPCTL" --pin-dir "$LAB/bpf/server" events --follow >"$LAB/events" 2>"$LAB/follow"
FOLLOW=$LAB_PID
lab_until 10 grep -q bob "$LAB/events"
check "rotate, for 2 s" rotate 2 --overlap 2
check "alice's client changes" client teleworker 2
end=$(tap server -j status | python3 -c 'import json, re, sys
print(re.search("[0-9].*Z", json.load(sys.stdin)["server"]["old_secret"]).group())')
lab_until 10 test "$(date -d "$end" +%s)" -lt "$(date +%s)" || sleep 3
lab_until 10 sh -c "[ \$(date +%s) -gt $(date -d "$end" +%s) ]"
check "who follows the events is told that it ended" lab_until 5 grep -q "taken until $end" "$LAB/follow"
lab_kill "$FOLLOW"
check "after it alice gets in" page teleworker "$URL4"
check "and bob is a stranger" stranger attacker "$OTHER4"
check "status says that it ended" grep -q 'ended at' <<<"$(status old_secret)"
check "the next command that changes something says so, once" noted "taken until $end" tap server key add 9 \
	--user-key "$LAB/keys/c"
check "but once" not noted 'old secret' tap server key del 9
# tap_realm: the second secret's slot, with its first word that of struct tap_realm.
wiped() {
	bpftool -j map dump pinned "$LAB/bpf/server/tap_realm" | python3 -c 'import json, sys
value = json.load(sys.stdin)[0]["formatted"]["value"]
secret = value["secret"][1 - value["newest"]]
left = [secret["secret"], secret["veil"]["k"], secret["mark"]["k"]]
sys.exit(any(any(int(str(x), 0) for x in part) for part in left) or value["before_until"] != 1)'
}
check "its bytes are gone from the settings, and it stays over whatever the clock says" wiped

# --- a second rotation, with no reload between, while both connect all the time
check "bob's client has the second secret" client attacker 2
fetch_loop() {
	local i

	for ((i = 0; i < FETCHES; i++)); do
		LAB_TIMEOUT=20 lab_curl "$1" "$2" -o /dev/null && echo good || echo bad
	done >"$LAB/loop.$1" 2>&1
}
fetched() {
	[ "$(wc -l <"$LAB/loop.teleworker")" -ge "$1" ] && [ "$(wc -l <"$LAB/loop.attacker")" -ge "$1" ]
}
before=$(($(reason no_mark) + $(reason unreadable)))
fetch_loop teleworker "$URL4" &
loops=$!
fetch_loop attacker "$OTHER4" &
loops="$loops $!"
lab_until 120 fetched $((FETCHES / 3))
check "rotate under load" rotate 3
lab_until 120 fetched $((FETCHES * 2 / 3))
check "alice's client changes under load" client teleworker 3
# shellcheck disable=SC2086 # two process IDs
wait $loops
check "no fetch failed" equal good $((2 * FETCHES)) "$(cat "$LAB"/loop.* | grep -c good)"
check "no group was a stranger's" equal "no_mark and unreadable" "$before" \
	$(($(reason no_mark) + $(reason unreadable)))
check "alice gets in" page teleworker "$URL4"
check "bob gets in" page attacker "$OTHER4"
newest_secret() {
	tap server -j events | python3 -c 'import json, sys
print([e for e in map(json.loads, sys.stdin) if e["key_id"] == int(sys.argv[1])][-1]["secret"])' "$1"
}
check "the event tells the secret: alice has the newest" equal secret newest "$(newest_secret 7)"
check "the event tells the secret: bob has the old one" equal secret old "$(newest_secret 8)"
check "status lists who uses the old secret: bob alone" equal keys bob "$(status old_secret_keys |
	python3 -c 'import json, sys; print(*(k["name"] for k in json.load(sys.stdin)))')"
check "and warns of it" grep -q 'old secret ends at.*8 (bob)' <<<"$(tap server status)"
check "a second rotation has to wait" refused 'rotate again after that' rotate 4
check "the same secret again: already so" rotate 3
check "a reload with the old key" refused 'was replaced at' load 2
check "a reload with the new one" load 3
check "keeps both: alice" page teleworker "$URL4"
check "keeps both: bob" page attacker "$OTHER4"
check "a third client with the secret before that: a stranger still" eval \
	'client attacker 1 && stranger attacker "$OTHER4"'
check "bob's client changes at last" client attacker 3
check "bob gets in with the newest secret" page attacker "$OTHER4"
check "and nobody uses the old one" equal keys '[]' "$(status old_secret_keys)"

# --- killed at many moments; each on a new gate
killed() {
	local i

	for i in $(seq 0 11); do
		tap server server unload || return
		load 1 && tap server service add 80 && tap server key add 7 --user-key "$LAB/keys/a" || return
		client teleworker 1 || return
		tap_killed "0.$(printf %02d $((i * 3)))" server realm rotate --realm-key "$LAB/keys/realm2"
		page teleworker "$URL4" || { echo "after kill $i: the old secret is refused"; return 1; }
		# Either completes it; a reload knows the new secret only once the settings have it.
		[ $((i % 2)) = 0 ] && load 2 || rotate 2 || return
		page teleworker "$URL4" || { echo "after kill $i: the old secret is refused later"; return 1; }
		client teleworker 2 || return
		page teleworker "$URL4" || { echo "after kill $i: the new secret is refused"; return 1; }
		tap server status | grep -q 'did not finish' && return 1
	done
	return 0
}
check "rotations killed with kill -9: no secret is lost, the next command completes it" killed

# --- at once, and while the gate is attached nowhere
must tap server server unload
must load 2
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
check "the second secret is taken" page teleworker "$URL4"
check "rotate with no overlap" rotate 3 --overlap 0
check "the old secret is a stranger's at once" stranger teleworker "$URL4"
must client teleworker 3
check "the new one gets in" page teleworker "$URL4"
# A secret has the place of the one before the one before it: who used that is no user of this one.
later() {
	local second

	second=$(date +%s)
	lab_until 5 sh -c "[ \$(date +%s) -gt $second ]"
}
must tap server server unload
must load 1
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
must client teleworker 1
must page teleworker "$URL4"
later
must rotate 2 --overlap 0
must rotate 3 --overlap 0
must rotate 4
check "who used a secret long gone is not listed for one that has its place" equal keys '[]' \
	"$(status old_secret_keys)"
must client teleworker 3
check "who uses the old secret is" eval 'page teleworker "$URL4" && [ "$(status old_secret_keys)" != "[]" ]'
not_longer() {
	local before

	before=$(status old_secret)
	rotate 4 --overlap 999999 && equal end "$before" "$(status old_secret)"
}
check "an overlap is not made longer" not_longer
check "but shorter, to nothing" rotate 4 --overlap 0
check "so the old secret is a stranger's" stranger teleworker "$URL4"
check "and there may be a next rotation" rotate 2

nowhere() {
	local pins=$LAB/bpf/nowhere

	lab_in server ip link add d0 type veth peer name d1 && lab_in server ip link set d0 up &&
		lab_in server "$TAPCTL" --pin-dir "$pins" server load -i d0 --realm-key "$LAB/keys/realm1" &&
		lab_in server ip link del d0 &&
		lab_in server "$TAPCTL" --pin-dir "$pins" realm rotate --realm-key "$LAB/keys/realm2" || return
	lab_in server "$TAPCTL" --pin-dir "$pins" -j status >"$LAB/status"
	equal fingerprint "$(fingerprint)" "$(lab_json server.fingerprint <"$LAB/status")" &&
		lab_in server "$TAPCTL" --pin-dir "$pins" server unload
}
fingerprint() {
	tap teleworker peer update office --realm-key "$LAB/keys/realm2" >/dev/null &&
		tap teleworker -j peer list | lab_json 0.fingerprint
}
check "attached nowhere: the settings get it" nowhere
check "every judged segment has one reason" one_each
done_testing
