#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A user's key is changed, first at the server, then at the client, while connections are being made
# all the time: none fails. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet

fetch_loop() {
	while [ ! -e "$LAB/stop" ]; do
		lab_curl teleworker "$URL4" -o /dev/null && echo good || echo bad
	done >"$LAB/loop.$1" 2>&1
}

loops=()
for i in 1 2 3 4; do
	fetch_loop "$i" &
	loops+=($!)
done
sleep 1
check "rotate at the server" tap server key rotate 7 --user-key "$LAB/keys/b" --overlap 4
sleep 1
check "change the peer at the client" tap teleworker peer update office \
	--realm-key "$LAB/keys/realm" --user-key "$LAB/keys/b"
sleep 1
touch "$LAB/stop"
wait "${loops[@]}"
check "no fetch failed" equal bad 0 "$(cat "$LAB"/loop.* | grep -vc good)"
check "there were many fetches" test "$(cat "$LAB"/loop.* | grep -c good)" -gt $((LAB_PATIENCE ? 10 : 100))
check "no group was refused" equal "groups with a wrong tag" 0 "$(reason tag)"
sleep 3
check "the new key works after the overlap" page teleworker "$URL4"
must tap teleworker peer update office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a"
check "the old key does not" no_page teleworker "$URL4"
check "every judged segment has one reason" one_each
done_testing
