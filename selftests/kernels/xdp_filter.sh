#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The gate and xdp-filter on one device through libxdp's dispatcher, whoever comes and goes first.
# The mounts are this run's own, because xdp-filter and libxdp pin below /sys/fs/bpf. (Where the kernel
# has no dispatcher: ../e2e/xdp_neighbours.sh.) Topology: ../pair.sh
[ -n "$TAP_OWN_MOUNTS" ] || TAP_OWN_MOUNTS=1 exec unshare --mount "$0" "$@"
. "$(dirname "$0")/../pair.sh"
mount -t bpf bpf /sys/fs/bpf || lab_die "cannot mount a bpffs"
pair_start
pair_splitter
must tap client rule del 1

filter() {
	lab_in server xdp-filter load -m "$1" eth0 && lab_in server xdp-filter port -p tcp -m dst 8080
}

gate_works() {
	LAB_TIMEOUT=1 no_page client $URL4 || return
	tap client rule add --peer office --port 80 || return
	page client $URL4 && tap client rule del 1
}

filter_works() {
	LAB_TIMEOUT=1 no_page client http://10.9.0.1:8080/
}

filter_gone() {
	page client http://10.9.0.1:8080/
}

unprotected() {
	page client $URL4
}

# In the dispatcher's words, who is on the device.
listed() {
	lab_in server xdp-loader status eth0 | grep "$1"
}

check "xdp-filter loads" filter native
check "a gate of its own is refused" not tap server server load -i eth0 --realm-key "$LAB/keys/realm"
pair_gate --shared --mode native
check "the gate loads after xdp-filter" listed tap_gate
check "the gate works after it" gate_works
check "xdp-filter works before it" filter_works
check "the gate reloads" tap server server load -i eth0 --realm-key "$LAB/keys/realm" --shared --skew 20
check "and still works" gate_works
check "and xdp-filter too" filter_works
check "xdp-filter leaves" lab_in server xdp-filter unload eth0
check "the gate works on" gate_works
check "nothing is filtered any more" filter_gone
check "xdp-filter comes to the gate" filter native
check "it works" filter_works
check "the gate works with it" gate_works
check "the gate leaves" tap server server unload
check "nothing is protected any more" unprotected
check "xdp-filter works on" filter_works
must lab_in server xdp-filter unload eth0

must filter skb
check "a native gate beside a generic xdp-filter is refused" not tap server server load -i eth0 \
	--realm-key "$LAB/keys/realm" --shared --mode native
check "xdp-filter is as it was" filter_works
pair_gate --shared --mode generic
check "a generic gate works beside it" gate_works
check "and it beside the gate" filter_works
must lab_in server xdp-filter unload eth0
must tap server server unload
pair_gate
check "beside a gate that is not shared xdp-filter is refused" not filter native
check "and the gate works" gate_works
done_testing
