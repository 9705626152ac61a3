#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who has no key, the wrong key, another realm's or another service's key gets no answer, and the
# server's counters say why. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet

filtered() {
	lab_in attacker nmap -Pn -n -p 22,80,8080 "$@" >"$LAB/nmap" || return
	grep -q '22/tcp *filtered' "$LAB/nmap" && grep -q '80/tcp *filtered' "$LAB/nmap" &&
		grep -q '8080/tcp *open' "$LAB/nmap" || {
		grep /tcp "$LAB/nmap" | tr '\n' ' '
		return 1
	}
}

# with_peer OPTION...: the teleworker's peer is changed for what follows.
with_peer() {
	must tap teleworker peer update office "$@"
}

# refused LABEL: one fetch that fails; its first group, and maybe the retransmitted ones, have it.
refused() {
	local before
	before=$(reason "$1")
	no_page teleworker "$URL4" || return
	[ "$(reason "$1")" -gt "$before" ] || {
		echo "no segment counted as $1: $(tap server -j stats)"
		return 1
	}
}

check "no page without a key, IPv4" no_page attacker "$URL4"
check "no page without a key, IPv6" no_page attacker "$URL6"
check "no login without a key" no_login attacker $LAB_SERVER4
check "nmap: filtered, IPv4" filtered $LAB_SERVER4
check "nmap: filtered, IPv6" filtered -6 $LAB_SERVER6
check "strangers were counted as no_mark" test "$(reason no_mark)" -gt 0

must "$TAPCTL" realm gen -o "$LAB/keys/other"
with_peer --realm-key "$LAB/keys/other" --user-key "$LAB/keys/a"
check "another realm's mark" no_page teleworker "$URL4"
with_peer --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/b"
check "a wrong user key" refused tag
with_peer --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 9
check "an unknown key" refused unknown_key
with_peer --key-id 7
check "the right key again" page teleworker "$URL4"

must tap server key add 8 --user-key "$LAB/keys/b" --not-before +1h
with_peer --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/b" --key-id 8
check "a key not yet valid" refused key_inactive
must tap server key del 8
must tap server key add 8 --user-key "$LAB/keys/b" --not-after now
check "an expired key" refused key_inactive
must tap server key del 8
must tap server key add 8 --user-key "$LAB/keys/b"
must tap server acl allow 80 7
check "a key not allowed at this service" refused acl
check "a key allowed at another service" says teleworker $LAB_SERVER4
must tap server acl allow 80 8
check "a key allowed later" page teleworker "$URL4"
check "every judged segment has one reason" one_each
done_testing
