#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# First match wins, on both sides: destination, source, device, user, local or forwarded; pass and
# drop; and changing rules changes nothing else. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet

# no_client_rules, no_services: empties the list from its end.
no_rules() {
	local name=$1 object=$2

	while tap "$name" "$object" del 1 >/dev/null 2>&1; do :; done
}

rule() {
	must tap teleworker rule add --peer office "$@"
}

service() {
	must tap server service add "$@"
}

# unsplit COMMAND...: SYNs are sent (no_page sees to that), and the splitter makes no group of them.
unsplit() {
	local before

	before=$(split split)
	"$@" && equal "SYNs split" 0 $(($(split split) - before))
}

page_as() {
	lab_in teleworker setpriv --reuid "$1" --clear-groups curl -sf -m "$LAB_PATIENCE" "$URL4" |
		grep -q 'the page'
}

page_from() {
	lab_in "$1" curl -sf -m "$LAB_PATIENCE" --interface "$2" "$URL4" | grep -q 'the page'
}

must tap teleworker peer add wrong --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/b" --key-id 7

# --- the client
no_rules teleworker rule
check "no rules: nothing is split" unsplit no_page teleworker "$URL4"
rule --port 80 --dst 198.51.100.2
check "another destination does not match" unsplit no_page teleworker "$URL4"
rule --port 81-90,443 --dst $LAB_SERVER4
check "other ports do not match" unsplit no_page teleworker "$URL4"
rule --port 22,79-81 --dst 198.51.100.0/24
check "a prefix and a list of ports match" page teleworker "$URL4"
must tap teleworker rule add --peer wrong --port 80 --at 1
check "the first match wins" counts tag 1 no_page teleworker "$URL4"
must tap teleworker rule del 1
check "and is gone when deleted" page teleworker "$URL4"

no_rules teleworker rule
lab_addr teleworker eth0 192.168.7.3/24
rule --port 80 --src 192.168.7.3
check "another source does not match" no_page teleworker "$URL4"
check "the source matches" page_from teleworker 192.168.7.3

no_rules teleworker rule
rule --port 80 --dev lo
check "another device does not match" no_page teleworker "$URL4"
rule --port 80 --dev eth0
check "the device matches" page teleworker "$URL4"

no_rules teleworker rule
rule --port 80 --user 4242
check "another user does not match" no_page teleworker "$URL4"
check "the user matches" page_as 4242

# The router splits for its network, as a gateway would.
no_rules teleworker rule
must tap router client load -i wan
must tap router peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap router rule add --peer office --port 80
check "forwarded connections are not local" no_page teleworker "$URL4"
check "the router's own are" page router "$URL4"
must tap router rule del 1
must tap router rule add --peer office --port 80 --type forward
check "forwarded connections match" page teleworker "$URL4"
check "forwarded connections match, IPv6" page teleworker "$URL6"
check "the router's own do not" no_page router "$URL4"
must tap router client unload

# --- the server
rule --port 22,80,8080
no_rules server service
check "no services: strangers get in" page attacker "$URL4"
service 80 --src 203.0.113.0/24 --action pass
service 80
check "pass before tap, for its source" page attacker "$URL4"
check "tap for the others" page teleworker "$URL4"
service 80 --action drop --at 1
check "drop before all" counts service_drop 4 no_page teleworker "$URL4"
must tap server service del 1
check "and after it is gone" page teleworker "$URL4"
no_rules server service
service 80 --dst $LAB_SERVER6
check "one destination protected: not the other" page attacker "$URL4"
check "one destination protected" no_page attacker "$URL6"
no_rules server service
service 80 --dev eth0
check "one device protected: not the other" page attacker "$URL4"
check "one device protected" page teleworker "$URL4"
check "and strangers there are not let in" no_page router "$URL4"
no_rules server service
service 8000-8100 --public-port 80
service 80 --reject rst
check "a range is protected" no_page attacker "http://$LAB_SERVER4:8080/"
# A veth end takes what XDP sends back only if it has an XDP program itself: a gate without services.
must tap attacker server load -i eth0 --realm-key "$LAB/keys/realm"
check "reject=rst answers as a closed port" equal "curl's exit status" 7 \
	"$(lab_curl attacker "$URL4" >/dev/null 2>&1; echo $?)"

# A port forward before the server: people dial 80, it listens on 8080.
no_rules server service
service 8080 --public-port 80
lab_in router nft -f - <<-END
	table ip nat {
		chain in {
			type nat hook prerouting priority dstnat;
			iifname "lan" ip daddr 198.51.100.2 tcp dport 80 dnat to $LAB_SERVER4:8080
		}
	}
END
check "behind a port forward" page teleworker "http://$LAB_ROUTER4/"
check "every judged segment has one reason" one_each
done_testing
