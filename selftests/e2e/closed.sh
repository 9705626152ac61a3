#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A service with --reject rst: no scan tells its port from a closed one, and connections go on.
# Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/../scan.sh"
tap_internet

must tap server service del 1
must tap server service del 1
# A veth end takes what XDP sends back only if it has an XDP program itself: a gate without services.
must tap attacker server load -i eth0 --realm-key "$LAB/keys/realm"
must tap server service add 22 --reject rst
must tap server service add 80 --reject rst
check "a page, IPv4" page teleworker "$URL4"
check "a page, IPv6" page teleworker "$URL6"
open_session
check "an ssh session" session_answers "hello"
scan_like 80 444 "" $LAB_SERVER4 "${SCANS[@]}" "${FRAGMENTED[@]}"
scan_like 80 444 -6 $LAB_SERVER6 "${SCANS[@]}"
check "the session still answers" session_answers "after the scans"
check "a page after the scans" page teleworker "$URL4"
check "another attacker's connection is refused at once" \
	equal "curl's exit status (7: refused)" 7 "$(lab_curl attacker "$URL4" >/dev/null; echo $?)"
done_testing
