#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Other XDP programs on the gate's device: loaded before it or after, by ip, bpftool, xdp-loader or
# xdp-filter. Who is first stays, works on, and the other is told so. (Where the kernel has libxdp's
# dispatcher they run side by side: ../kernels/xdp_filter.sh.) The mounts are this run's own, because
# xdp-filter and libxdp pin below /sys/fs/bpf. Topology: ../pair.sh
[ -n "$TAP_OWN_MOUNTS" ] || TAP_OWN_MOUNTS=1 exec unshare --mount "$0" "$@"
. "$(dirname "$0")/../pair.sh"
mount -t bpf bpf /sys/fs/bpf || lab_die "cannot mount a bpffs"
LAB_TIMEOUT=1
pair_start

# A program that drops what goes to port 8080, to see that it works.
clang-19 -O2 -target bpf -x c -c -o "$LAB/foreign.o" - <<-'END'
	struct context { unsigned data, data_end; };
	__attribute__((section("xdp"), used)) int foreign(struct context *ctx)
	{
		unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

		return data + 38 <= end && data[36] == 8080 >> 8 && data[37] == (8080 & 255) ? 1 : 2;
	}
END
must bpftool prog load "$LAB/foreign.o" "$LAB/bpf/foreign" type xdp
must tap client client load -i eth0
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7

gate() {
	tap server server load -i eth0 --realm-key "$LAB/keys/realm" "$@"
}

# gate_refused WORDS [OPTION...]: with these words, exit status 1, and nothing is left behind.
gate_refused() {
	local words=$1 status

	shift
	gate "$@" >"$LAB/refused.log" 2>&1
	status=$?
	equal "tapctl's exit status" 1 $status && grep "$words" "$LAB/refused.log" &&
		equal "lines of the message" 1 "$(wc -l <"$LAB/refused.log")" &&
		equal "left in the pin directory" "" "$(ls "$LAB/bpf/server" 2>/dev/null)"
}

program() {
	lab_in server ip -j link show eth0 | lab_json 0.xdp.prog.id
}

foreign_works() {
	LAB_TIMEOUT=0.4 no_page client http://10.9.0.1:8080/ && page client $URL4
}

# stays ID COMMAND...: the command is refused, and that program is still the one on the device.
stays() {
	local id=$1

	shift
	not lab_in server "$@" && equal "program on the device" "$id" "$(program)"
}

# gate_works: a stranger does not get in, a key holder does, and port 8080 is open: only the gate is
# there.
gate_works() {
	LAB_TIMEOUT=0.4 no_page client $URL4 && page client http://10.9.0.1:8080/ || return
	tap client rule add --peer office --port 80 || return
	page client $URL4 || {
		tap server -j stats
		return 1
	}
	tap client rule del 1
}

second_gate() {
	lab_in server "$TAPCTL" --pin-dir "$LAB/bpf/second" server load -i eth0 \
		--realm-key "$LAB/keys/realm" 2>&1 | grep 'already has a gate, which this pin directory'
}

for theirs in xdpdrv xdpgeneric; do
	must lab_in server ip link set eth0 $theirs object "$LAB/foreign.o" section xdp
	id=$(program)
	for mode in auto native generic; do
		check "$theirs is there: no gate, mode $mode" gate_refused "foreign, id $id" --mode $mode
		check "$theirs is there: no shared gate, mode $mode" gate_refused \
			'without libxdp or this kernel has no dispatcher' --shared --mode $mode
	done
	check "$theirs is there: it stays" equal program "$id" "$(program)"
	check "$theirs is there: it works on" foreign_works
	must lab_in server ip link set eth0 $theirs off
done
check "once it is off, the gate loads" gate
must tap server server unload

# Nothing takes off or replaces a gate that is there.
for mode in native generic; do
	own=xdpdrv
	[ $mode = native ] || own=xdpgeneric
	pair_gate --mode $mode
	id=$(program)
	for theirs in xdpdrv xdpgeneric; do
		check "$mode gate is there: ip cannot attach $theirs" stays "$id" \
			ip link set eth0 $theirs object "$LAB/foreign.o" section xdp
		check "$mode gate is there: not by force either, $theirs" stays "$id" \
			ip -force link set eth0 $theirs object "$LAB/foreign.o" section xdp
	done
	check "$mode gate is there: ip cannot take it off" stays "$id" ip link set eth0 $own off
	check "$mode gate is there: bpftool cannot overwrite it" stays "$id" \
		bpftool net attach xdp pinned "$LAB/bpf/foreign" dev eth0 overwrite
	check "$mode gate is there: no xdp-filter" stays "$id" xdp-filter load eth0
	check "$mode gate is there: no generic xdp-filter" stays "$id" xdp-filter load -m skb eth0
	check "$mode gate is there: xdp-filter cannot take it off" stays "$id" xdp-filter unload eth0
	check "$mode gate is there: xdp-loader cannot take it off" stays "$id" xdp-loader unload -a eth0
	check "$mode gate is there: a second gate is told so" second_gate
	check "$mode gate is there: it works on" gate_works
	must tap server server unload
done

# xdp-filter first.
for mode in native skb; do
	must lab_in server xdp-filter load -m $mode eth0
	must lab_in server xdp-filter port -p tcp -m dst 8080
	id=$(program)
	check "xdp-filter ($mode) is there: no gate" gate_refused 'xdpfilt_alw_all'
	check "xdp-filter ($mode) is there: no shared gate" gate_refused 'this kernel has no dispatcher' --shared
	check "xdp-filter ($mode) is there: it stays" equal program "$id" "$(program)"
	LAB_TIMEOUT=0.4 check "xdp-filter ($mode) is there: it filters" no_page client http://10.9.0.1:8080/
	check "xdp-filter ($mode) is there: and passes the rest" page client $URL4
	must lab_in server xdp-filter unload eth0
	pair_gate
	check "xdp-filter ($mode) is gone: the gate works" gate_works
	must tap server server unload
done

# A shared gate that this kernel leaves alone on the device.
check "a shared gate says that it is alone" grep -q 'alone: this kernel cannot run' <(gate --shared)
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
id=$(program)
check "shared gate is there: no xdp-filter" stays "$id" xdp-filter load eth0
check "shared gate is there: ip cannot replace it" stays "$id" ip link set eth0 xdpdrv object "$LAB/foreign.o" section xdp
check "shared gate is there: xdp-filter cannot take it off" stays "$id" xdp-filter unload eth0
check "shared gate is there: it works on" gate_works
lab_in server xdp-loader unload -a eth0 >/dev/null 2>&1
status_says() {
	tap server status | grep 'no longer on eth0'
}
check "a shared gate can be taken off; status says so" status_says
check "and it can be loaded again" gate --shared
check "and works again" gate_works
check "it unloads" tap server server unload
check "and leaves nothing in /sys/fs/bpf" equal leftovers "" "$(find /sys/fs/bpf -name '*tap*' -o -name 'dispatch*')"
done_testing
