#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Key holders connect with the programs they have, through NAT and IPv6; what is not protected is as
# it was; a lost segment costs a second and not the connection. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet

many() {
	equal "pages" 200 "$(lab_fetches teleworker "$URL4" 200)"
}

# The router loses the first SYN that it sees; the kernel's next try is split anew.
lossy() {
	lab_in router nft add table ip lossy
	lab_in router nft 'add chain ip lossy f { type filter hook forward priority 0; }'
	lab_in router nft add rule ip lossy f tcp dport 80 quota until 40 bytes drop
	page teleworker "$URL4"
	local status=$?
	lab_in router nft delete table ip lossy
	return $status
}

big() {
	head -c 20000000 /dev/urandom >"$LAB/www/big"
	lab_in teleworker curl -sf -m "$LAB_PATIENCE" "$URL4/big" | cmp - "$LAB/www/big"
}

check "page over IPv4, through NAT" counts admitted 1 page teleworker "$URL4"
check "page over IPv4 came" page teleworker "$URL4"
check "page over IPv6" page teleworker "$URL6"
check "ssh over IPv4" says teleworker $LAB_SERVER4
check "ssh over IPv6" says teleworker $LAB_SERVER6
check "20 MB arrive whole" big
check "200 fetches at once" many
check "every judged segment has one reason" one_each
check "every SYN that was split was admitted" equal split "$(reason admitted)" "$(split split)"
check "an unprotected port serves strangers" page attacker "http://$LAB_SERVER4:8080/"
check "an unprotected port is not judged" equal "sum of reasons" "$(reasons)" \
	"$(page attacker "http://$LAB_SERVER4:8080/"; reasons)"
check "the splitter passes what no rule names" page teleworker "http://$LAB_SERVER4:8080/"
check "a lost segment does not cost the connection" lossy
lab_in teleworker sysctl -qw net.ipv4.tcp_timestamps=0
check "without TCP timestamps" page teleworker "$URL4"
done_testing
