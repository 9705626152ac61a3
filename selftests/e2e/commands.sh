#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tapctl badly treated: wrong input, full devices, closed descriptors, keys where they do not belong,
# killed while it changes things, as nobody, on a directory of somebody else; and the largest lists.
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns server
lab_ns attacker
lab_link attacker eth0 server eth0
tap_keys
must tap server server load -i eth0 --realm-key "$LAB/keys/realm"
must tap server client load -i eth0
must tap server peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 1

# ends STATUS COMMAND...: ends with that status, and on failure says one line on stderr.
ends() {
	local wanted=$1 status

	shift
	"$@" >"$LAB/out" 2>"$LAB/err"
	status=$?
	cat "$LAB/err"
	equal "exit status" "$wanted" $status || return
	[ "$wanted" != 1 ] || equal lines 1 "$(wc -l <"$LAB/err")"
}

# json COMMAND...: whatever it prints is JSON, a value a line.
json() {
	"$@" >"$LAB/out" 2>&1
	python3 -c 'import json, sys
lines = open(sys.argv[1], errors="surrogateescape").read().splitlines()
[json.loads(line) for line in lines] or sys.exit("nothing was printed")' "$LAB/out"
}

# --- words
check "an option given twice" ends 2 tap server service add 22 --dst 10.0.0.1 --dst 10.0.0.2
check "-j behind the verb" ends 2 tap server stats -j
check "no object, as JSON" json tap server -j
check "a key on standard output, as JSON" json tap server -j key gen
check "no UTF-8, as JSON" json tap server -j service add $'\xff\xfe'
check "usage, as JSON" json tap server -j service add
for key in realm a; do
	check "a key in place of its file is not shown ($key)" not sh -c "
		$TAPCTL key add 5 --user-key \$(cat $LAB/keys/$key) 2>&1 | grep -F -f $LAB/keys/$key"
done

# refuses WHY COMMAND...: fails, and says so.
refuses() {
	local what=$1

	shift
	"$@" 2>"$LAB/err" && return 1
	grep -qF -- "$what" "$LAB/err" || {
		cat "$LAB/err"
		return 1
	}
}
check "an option without its value" refuses '-i needs a value' tap server server load -i
check "--monitor on" refuses 'write --monitor=on' tap server server load -i eth0 \
	--realm-key "$LAB/keys/realm" --monitor on
escape() {
	printf '22 --dst \033]0;hello\007\302\2331m\n' | tap server service import - 2>"$LAB/err" && return 1
	cat "$LAB/err"
	! LC_ALL=C grep -q '[^ -~]' "$LAB/err"
}
check "controls in a list do not reach the terminal" escape
must tap server service add 22 --stealth on
check "service list shows stealth" sh -c "'$TAPCTL' --pin-dir '$LAB/bpf/server' service list | grep -q stealth"
must tap server service del 1

# --- input and output
theirs() {
	cp "$LAB/keys/a" "$LAB/keys/theirs" && chown 65534 "$LAB/keys/theirs" || return
	refuses 'belongs to another user (65534)' tap server key add 5 --user-key "$LAB/keys/theirs" || return
	# Who runs it by sudo brings keys along.
	SUDO_UID=65534 tap server key add 5 --user-key "$LAB/keys/theirs" && tap server key del 5
}
check "a key file of another user" theirs
fifo() {
	mkfifo -m 600 "$LAB/fifo" || return
	refuses 'nobody wrote a key' tap server key add 5 --user-key "$LAB/fifo" || return
	cat "$LAB/keys/a" >"$LAB/fifo" &
	tap server key add 5 --user-key "$LAB/fifo" && tap server key del 5
}
check "a FIFO, without a writer and with one" fifo
zero_byte() {
	printf '22\0 --keys 1\n' | ends 1 tap server service import -
}
check "a zero byte in a list" zero_byte
check "closed standard output" ends 1 sh -c "exec '$TAPCTL' --pin-dir '$LAB/bpf/server' key list >&-"
check "full standard output" ends 1 sh -c "exec '$TAPCTL' --pin-dir '$LAB/bpf/server' key list >/dev/full"
check "closed standard input" ends 1 sh -c \
	"exec '$TAPCTL' --pin-dir '$LAB/bpf/server' key add 5 --user-key - <&-"
slow_input() {
	local status

	mkfifo "$LAB/slow"
	# Not by lab_spawn: the standard input of what a function starts in the background is /dev/null.
	nsenter --net="/run/netns/$LAB_PREFIX-server" -- "$TAPCTL" --pin-dir "$LAB/bpf/server" \
		key import - <>"$LAB/slow" &
	LAB_PID=$!
	LAB_PIDS+=("$LAB_PID")
	lab_until 10 grep -q pipe_read "/proc/$LAB_PID/wchan" || return
	tap server service list # gives up by itself if it has to wait for a lock
	status=$?
	lab_kill "$LAB_PID"
	return $status
}
check "who waits for standard input locks nobody out" slow_input
full_disk() {
	mkdir "$LAB/full" && mount -t tmpfs -o size=4k none "$LAB/full" || return
	head -c 4096 /dev/zero >"$LAB/full/fill"
	ends 1 "$TAPCTL" key gen -o "$LAB/full/key" && equal files fill "$(ls "$LAB/full")"
	local status=$?
	umount "$LAB/full"
	return $status
}
check "a key file on a full disk is not there at all" full_disk

# --- who
as_nobody() {
	local verb

	for verb in "status" "stats" "events" "service list" "key list" "rule list" "server unload" \
		"key revoke 1" "acl allow 22 1" "client load -i eth0" "peer del office"; do
		# shellcheck disable=SC2086 # words
		ends 1 lab_in server setpriv --reuid=65534 --clear-groups "$TAPCTL" --pin-dir "$LAB/bpf/server" $verb &&
			grep -q root "$LAB/err" || return
	done
}
cp "$TAPCTL" "$LAB/tapctl" && chmod 755 "$LAB/tapctl" "$LAB"
TAPCTL=$LAB/tapctl check "as nobody: every command says what is missing" as_nobody
chmod 700 "$LAB"
mkdir "$LAB/bpf/theirs" && chown 65534 "$LAB/bpf/theirs"
check "a pin directory of somebody else" ends 1 lab_in server "$TAPCTL" --pin-dir "$LAB/bpf/theirs" \
	server load -i eth0 --realm-key "$LAB/keys/realm"

# --- access lists
lists() {
	tap server -j acl list | lab_json "$1.keys"
}
mixed() {
	tap server service add 700 --keys 1-5 && tap server service add 700 --dst 10.0.0.1 &&
		tap server service add 700-701 --keys 9 && tap server acl deny 700 3 || return
	equal first 1-2,4-5 "$(lists 0)" && equal second 1-2,4-65535 "$(lists 1)" &&
		equal third 9 "$(lists 2)" && tap server acl allow 700 3,20 &&
		equal first 1-5,20 "$(lists 0)" && equal second 1-65535 "$(lists 1)" && equal third 3,9,20 "$(lists 2)"
}
check "one acl command, three services" mixed
must tap server service del 3
must tap server service del 2
must tap server service del 1

# --- the largest lists
python3 - "$LAB/keys" <<-'END'
	import base64, os, sys
	with open(sys.argv[1] + "/many", "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
	    for i in range(1, 65536):
	        f.write(f"{i} {base64.b64encode(os.urandom(32)).decode()} name=user{i}\n")
	with open(sys.argv[1] + "/services", "w") as f:
	    for i in range(256):
	        f.write(f"{1000 + 10 * i}-{1008 + 10 * i} --dst 10.{i}.0.0/16 --keys {i + 1}-{i + 500}\n")
	with open(sys.argv[1] + "/rules", "w") as f:
	    for i in range(256):
	        ports = ",".join(str(2000 + 100 * i + 3 * k) for k in range(3))
	        f.write(f"--peer office --port {ports} --dst 10.{i}.0.0/16\n")
END
# within CALLS COMMAND...: the command needs no more system calls than that: its work, on any machine.
within() {
	local limit=$1 calls

	shift
	lab_in server strace -f -qq -o "$LAB/calls" "$TAPCTL" --pin-dir "$LAB/bpf/server" "$@" || return
	calls=$(wc -l <"$LAB/calls")
	[ "$calls" -le "$limit" ] || { echo "$calls system calls, $limit were enough"; return 1; }
}
check "65,535 keys, by a call for each and few more" within 66500 key import "$LAB/keys/many"
check "256 services" within 2000 service import "$LAB/keys/services"
check "256 rules" within 2000 rule import "$LAB/keys/rules"
check "a 257th service is refused" ends 1 tap server service add 22
check "all keys again are refused" ends 1 tap server key import "$LAB/keys/many"
check "access lists of 256 services change" tap server acl deny 1000 1
all_there() {
	tap server -j status | python3 -c 'import json, sys
s = json.load(sys.stdin)
have = [s["server"]["services"], s["server"]["keys"], s["client"]["rules"]]
have == [256, 65535, 256] or sys.exit(have)'
}
check "all of it is there" all_there

# --- killed at any moment
must tap server server unload
must tap server client unload
must tap server server load -i eth0 --realm-key "$LAB/keys/realm"
must tap server client load -i eth0
must tap server peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 1
must tap server rule add --peer office --port 22
must tap server key add 1 --user-key "$LAB/keys/a"
must tap server service add 22 --keys 1-9
must tap server service add 22

# What holds whatever was cut short: lists can be read, the rule has its peer, both services the same.
consistent() {
	tap_status server >/dev/null && tap server -j key list >/dev/null || return
	equal "the rule's peer" office "$(tap server -j rule list | lab_json 0.peer)" &&
		equal peers 1 "$(tap server -j peer list | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" || return
	tap server -j acl list | python3 -c 'import json, sys
def ids(text):
    for part in [] if text in ("none", "any") else text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
lists = [s["keys"] for s in json.load(sys.stdin) if s["ports"] == "22"]
have = [200 in ids(text) for text in lists[:2]]
if lists[1] != "any" and have[0] != have[1]:
    sys.exit("half of a change: %s" % lists)'
}

killed() {
	local i verbs

	verbs=("acl allow 22 200" "acl deny 22 200" "service add 5000 --keys 7" "service del 3"
		"key rotate 1 --user-key $LAB/keys/b --overlap 60" "key rotate 1 --user-key $LAB/keys/c"
		"key add 3 --user-key $LAB/keys/b --name x" "key revoke 3" "key del 3"
		"peer update office --encoding classic" "peer update office --encoding veiled --mark open"
		"rule add --peer office --port 80" "rule del 2")
	for i in $(seq 1 117); do
		# shellcheck disable=SC2086 # words
		tap_killed "0.0$(printf %02d $((RANDOM % 30)))" server ${verbs[i % ${#verbs[@]}]}
		[ $((i % 3)) != 0 ] || consistent || return
	done
} 2>/dev/null
check "changes killed with kill -9 leave all or nothing" killed
check "and the next change works" tap server acl deny 22 200

# --- two at once, every pair of writing commands
pairs() {
	local a b one two

	local verbs=("service add 900" "service del 3" "key add 77 --user-key $LAB/keys/b" "key del 77"
		"key rotate 1 --user-key $LAB/keys/b" "acl allow 22 9" "peer update office --ports shared"
		"rule add --peer office --port 81" "rule del 2" "server load -i eth0 --realm-key $LAB/keys/realm"
		"client load -i eth0")
	for a in "${verbs[@]}"; do
		for b in "${verbs[@]}"; do
			# shellcheck disable=SC2086 # words
			{
				tap server $a >"$LAB/one" 2>&1 &
				one=$!
				tap server $b >"$LAB/two" 2>&1
				two=$?
			}
			wait $one
			one=$?
			[ $one -le 1 ] && [ $two -le 1 ] || {
				echo "$a: $one, $b: $two"
				return 1
			}
		done
	done
	consistent
}
check "every pair of changes at once" pairs
check "unload" tap server server unload
done_testing
