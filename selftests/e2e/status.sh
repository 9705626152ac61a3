#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tapctl status as monitoring reads it: each state made for real, and then its exit status, its codes
# in JSON and the same codes in the text. Both ends of one veth pair, the gate on the one and the
# splitter on the other; a second pair for what happens to one interface of two.
#
# Whether the kernel calls its clock synchronised is the machine's affair, and not changed here: the
# code must agree with what the kernel says. Where exit status 0 is wanted, and to see both answers
# on any machine, strace puts another answer in place of the kernel's.
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns server
lab_ns client
lab_link client eth0 server eth0
lab_link client eth1 server eth1
tap_keys

# kernel_clock: the code where the kernel says so: TIME_ERROR is 5, STA_UNSYNC 0x40.
kernel_clock() {
	python3 -c 'import ctypes, struct
timex = ctypes.create_string_buffer(256)
state = ctypes.CDLL(None).adjtimex(timex)
print("clock_unsynchronised" if state == 5 or struct.unpack_from("=i", timex, 40)[0] & 0x40 else "")'
}

# codes_in_json, codes_in_text: of the last status, sorted, with blanks between.
codes_in_json() {
	grep -oE '\{"code": "[a-z_]+", "text": "[^"]' "$LAB/json" | cut -d '"' -f 4 | sort | paste -sd ' '
}

codes_in_text() {
	sed -nE 's/^warning: ([a-z_]+): ..*/\1/p' "$LAB/text" | sort | paste -sd ' '
}

# with_clock "CODE...": those, and the clock's if the kernel says so. Where nothing runs it does not matter.
with_clock() {
	local clock=$CLOCK

	[ "$1" != unfinished ] || clock=
	echo "$1 $clock" | tr ' ' '\n' | grep . | sort | paste -sd ' '
}

# warns NAME "CODE...": status there has these codes, and the clock's if that is so, in JSON and in its
# text; it exits with 3, or with 0 where there is none at all. The last text stays in $LAB/text.
warns() {
	local exit_json exit_text wanted

	tap "$1" -j status >"$LAB/json" 2>"$LAB/err"
	exit_json=$?
	tap "$1" status >"$LAB/text" 2>>"$LAB/err"
	exit_text=$?
	# The kernel may have changed its mind since it was asked.
	[ "$(codes_in_text)" = "$(with_clock "$2")" ] || CLOCK=$(kernel_clock)
	wanted=$(with_clock "$2")
	equal codes "$wanted" "$(codes_in_json)" && equal "codes in the text" "$wanted" "$(codes_in_text)" &&
		equal "exit status" $((${#wanted} ? 3 : 0)) $exit_text &&
		equal "exit status of -j" $exit_text $exit_json && equal "words on stderr" "" "$(cat "$LAB/err")"
}

# text CODE PATTERN: what that warning of the last text says.
text() {
	grep -E "^warning: $1: .*($2)" "$LAB/text"
}

# clock ANSWER FILE NAME [OPTION]: status with this answer of the kernel to what its clock's state is.
clock() {
	lab_in "$3" strace -qq -f -o "$LAB/strace" -e trace=adjtimex,clock_adjtime \
		-e inject=adjtimex,clock_adjtime:"$1" "$TAPCTL" --pin-dir "$LAB/bpf/$3" "${@:4}" status \
		>"$2" 2>"$LAB/err"
}

# well NAME: nothing is wrong. The kernel's answer is TIME_OK, whatever its clock is.
well() {
	clock retval=0 "$LAB/text" "$1"
	equal "exit status" 0 $? && equal codes "" "$(codes_in_text)" || return
	clock retval=0 "$LAB/json" "$1" -j
	equal "exit status of -j" 0 $? && grep -q '"warnings": \[\]}$' "$LAB/json"
}

# clock_code ANSWER NAME: with it there is the clock's warning, and no other.
clock_code() {
	clock "$1" "$LAB/text" "$2"
	equal "exit status" 3 $? && equal codes clock_unsynchronised "$(codes_in_text)"
}

# nothing NAME: exit status 1, as JSON too, and one line that says so.
nothing() {
	tap "$1" status >"$LAB/text" 2>"$LAB/err"
	equal "exit status" 1 $? && equal lines 1 "$(wc -l <"$LAB/err")" && grep -q 'nothing is loaded' "$LAB/err" ||
		return
	tap "$1" -j status >"$LAB/json" 2>"$LAB/err"
	equal "exit status of -j" 1 $? && grep -q '^{"error": "nothing is loaded' "$LAB/err"
}

# shift_clock NAME MAP [SECONDS]: the first 8 bytes of the settings become that offset, and a nanosecond.
shift_clock() {
	python3 - "$LAB/bpf/$1/$2" "$3" <<'PY'
import json, struct, subprocess, sys
pin, seconds = sys.argv[1], int(sys.argv[2])
found = subprocess.run(["bpftool", "-j", "map", "lookup", "pinned", pin, "key", *"0000"], capture_output=True,
                       check=True).stdout
value = [int(byte, 16) for byte in json.loads(found)["value"]]
value[:8] = struct.pack("=q", seconds * 10**9 + 1)
subprocess.run(["bpftool", "map", "update", "pinned", pin, "key", *"0000", "value", *map(str, value)], check=True)
PY
}

# unload_cut_short NAME OBJECT: killed as soon as the settings are gone, and before the rest is.
unload_cut_short() {
	local settings=$LAB/bpf/$1/tap_realm n

	[ "$2" = server ] || settings=$LAB/bpf/$1/tap_client
	for n in $(seq 1 12); do
		lab_in "$1" strace -qq -f -o "$LAB/strace" -e trace=unlink,unlinkat \
			-e inject=unlink,unlinkat:signal=SIGKILL:when="$n" "$TAPCTL" --pin-dir "$LAB/bpf/$1" \
			"$2" unload >"$LAB/out" 2>&1
		[ -e "$settings" ] || break
	done
	[ ! -e "$settings" ] && [ -n "$(ls "$LAB/bpf/$1")" ]
}

load() {
	tap server server load -i eth0 --realm-key "$LAB/keys/realm" "$@"
}

# check_tap: the plugin of docs/operations.md, as it stands there.
plugin() {
	sed -n '/^    #!\/bin\/sh$/,/^    esac$/s/^    //p' "$LAB_ROOT/docs/operations.md" >"$LAB/check_tap" &&
		grep -q 'esac' "$LAB/check_tap" && chmod 755 "$LAB/check_tap"
}

# plugin_says STATUS PATTERN: of the server.
plugin_says() {
	lab_in server env PATH="$(dirname "$TAPCTL"):$PATH" "$LAB/check_tap" --pin-dir "$LAB/bpf/server" >"$LAB/out" 2>&1
	equal "exit status of check_tap" "$1" $? && equal lines 1 "$(wc -l <"$LAB/out")" && grep -E "$2" "$LAB/out"
}

CLOCK=$(kernel_clock)

# --- the server
must plugin
check "the plugin of the papers: nothing is loaded" plugin_says 2 'CRITICAL: tapctl: nothing is loaded'
check "server: nothing is loaded" nothing server
must load
check "server: just loaded, without a service" warns server no_service
check "... and its text" text no_service 'passes everything'
check "... and it is JSON" equal code no_service "$(lab_json warnings.0.code <"$LAB/json")"
check "the plugin of the papers names the code" plugin_says 1 'WARNING: no_service( clock_unsynchronised)?$'
must tap server service add 80 --action pass
check "server: the only service is passed" warns server no_service
must tap server service del 1
must tap server service add 22
check "server: a service, and no key at all" warns server no_usable_key
check "... names the port and what to do" text no_usable_key 'port 22:.*key add'
must tap server key add 8 --user-key "$LAB/keys/b" --not-after 2020-01-01
check "server: an expired key is no key" warns server no_usable_key
must tap server key add 9 --user-key "$LAB/keys/c" --not-before +1h
check "server: nor is one that is not yet valid" warns server no_usable_key
must tap server key add 7 --user-key "$LAB/keys/a"
check "server: all is well" well server
check "server: the clock apart, anywhere" warns server ""
must tap server service add 23 --keys 8-9
check "server: one service of two has no usable key" warns server no_usable_key
check "... and it is that one" text no_usable_key 'port 23:.*acl allow'
must tap server service del 2
must tap server service add 24 --action drop
check "server: a dropped port needs no key" well server
must tap server service del 2
must tap server service add 22-23 --src 192.0.2.0/24 --at 1
check "server: a narrower service first" well server
must tap server service add 22
check "server: the same service again" warns server never_matches
check "... names both" text never_matches 'service 3 \(port 22\).*service 2'
must tap server service del 3
must tap server key revoke 7
check "server: the last usable key is revoked" warns server no_usable_key
must tap server key del 7
must tap server key add 7 --user-key "$LAB/keys/a"
must load --monitor
check "server: monitor" warns server monitor
check "... and what ends it" text monitor 'monitor=off'
must load --monitor=off
must shift_clock server tap_realm 5
check "server: a clock shifted on purpose" warns server clock_offset
must load
check "server: a reload sets it right" well server

# --- the clock
unsynchronised=retval=5 # TIME_ERROR
check "server: the kernel says that the clock is not synchronised" clock_code "$unsynchronised" server
check "... and status says what to do" text clock_unsynchronised 'STA_UNSYNC.*timedatectl.*chrony'
check "server: the kernel does not say" clock_code error=EPERM server
check "... and status says why" text clock_unsynchronised 'does not say.*permitted'

# --- interfaces
must load -i eth1
lab_in server ip link del eth1
check "server: one interface of two is gone" warns server device_gone
check "... and what to do about it" text device_gone 'no longer on eth1.*server load -i eth1.*unload -i eth1'
must tap server server unload -i eth1
check "server: forgotten as it said, and the rest goes on" well server
lab_in server ip link del eth0
check "server: the only interface is gone" warns server "device_gone not_attached"
check "... and what is suggested keeps keys and services" text device_gone "unload -i eth0.*keys and services stay"
check "... nor there" not text not_attached unload
lab_link client eth0 server eth0
must load
check "server: loaded on the new interface" well server

# --- cut short, and gone without an unload
check "an unload of the gate is cut short" unload_cut_short server server
check "server: unfinished" warns server unfinished
check "... and what to do" text unfinished 'tapctl server load'
must load
check "server: a load repairs it" warns server no_service
rm -r "$LAB/bpf/server" # takes the links off, as a reboot or an unmount would
check "server: gone without an unload" nothing server
must load
check "server: the next one waits" warns server "no_service not_admitting_yet"
check "... and says until when" text not_admitting_yet 'before [0-9-]* [0-9:]* UTC'
must tap server server unload
check "server: unloaded" nothing server

# --- the client
peer() {
	tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
}
check "client: nothing is loaded" nothing client
must tap client client load -i eth0
check "client: just loaded" warns client no_rule
check "... a peer is next" text no_rule 'peer add'
must peer
check "client: a peer, and no rule" warns client no_rule
check "... a rule is next" text no_rule 'rule add'
must tap client rule add --peer office --port 22,80-89,443 --dst 198.51.100.0/24
check "client: all is well" well client
check "client: the clock apart, anywhere" warns client ""
check "client: the clock is not synchronised" clock_code "$unsynchronised" client
must tap client rule add --peer office --port 22,85-90 --dst 198.51.100.7
check "client: a rule of which one port is new" well client
must tap client rule add --peer office --port 22,85-89 --dst 198.51.100.7 --user 0
check "client: a rule that an earlier one covers" warns client never_matches
check "... names both" text never_matches 'rule 3 \(port 22,85-89\).*rule 1'
must tap client rule del 3
must tap client rule add --peer office --port 22 --dst 198.51.100.7 --type any
check "client: a rule that is for what others send, too" well client
must tap client rule add --peer office --port 22 --dst 198.51.100.7 --type forward --at 1
check "client: and one before it, for forwarded ones only" well client
must shift_clock client tap_client 5
check "client: a clock shifted on purpose" warns client clock_offset
must tap client client load -i eth0
check "client: a reload sets it right" well client
lab_in client ip link del eth0
check "client: the only interface is gone" warns client "device_gone not_attached"
check "... and what is suggested keeps peers and rules" text device_gone "unload -i eth0.*peers and rules stay"
lab_link client eth0 server eth0
must tap client client load -i eth0
check "client: loaded on the new interface" well client
check "an unload of the splitter is cut short" unload_cut_short client client
check "client: unfinished" warns client unfinished
must tap client client unload
check "client: unloaded" nothing client

# --- both in one directory
must tap client server load -i eth0 --realm-key "$LAB/keys/realm" --monitor
must tap client client load -i eth0
check "both sides at once" warns client "monitor no_rule no_service"
done_testing
