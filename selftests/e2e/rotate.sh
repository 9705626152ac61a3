#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A user's key is changed, first at the server, then at the client, while connections are being made
# all the time: none fails. The steps wait for fetches, not for seconds. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet

peer() {
	tap teleworker peer update office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/$1"
}

fetching teleworker "$URL4" 4
check "25 fetches with the old key" more_fetches 25
check "rotate at the server" tap server key rotate 7 --user-key "$LAB/keys/b" --overlap 3600
check "25 more with the old key" more_fetches 25
check "change the peer at the client" peer b
check "25 more with the new key" more_fetches 25
stop_fetching
check "no fetch failed" equal bad 0 "$(fetches bad)"
check "all fetches were good" test "$(fetches good)" -ge 75
check "no group was refused" equal "groups with a wrong tag" 0 "$(reason tag)"

# Only what fails is tried when a short overlap is over, so nobody has to be quick.
check "another rotation" tap server key rotate 7 --user-key "$LAB/keys/c" --overlap 2
sleep 3
check "after the overlap the old key is refused" counts tag 1 no_page teleworker "$URL4"
must peer c
check "the new key works after the overlap" page teleworker "$URL4"
must peer a
check "the first key does not" counts tag 1 no_page teleworker "$URL4"
check "every judged segment has one reason" one_each
done_testing
