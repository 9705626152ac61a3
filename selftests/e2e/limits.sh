#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a machine may be short of, for real: open files, memory, disk, privileges, a free XDP hook, the
# lock. Each has words of its own, and what was loaded before goes on protecting. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet
SERVER=("$TAPCTL" --pin-dir "$LAB/bpf/server")
LOAD=(server load -i eth0,eth1 --realm-key "$LAB/keys/realm")

# words WANTED STATUS FILE: that exit status, and one line that is no note and has these words.
words() {
	local lines

	lines=$(grep -v '^tapctl: note: ' "$3")
	equal "exit status" 1 "$2" && equal "lines" 1 "$(wc -l <<<"$lines")" &&
		{ grep -q -i -E "$1" <<<"$lines" || { echo "no word of $1: $lines"; return 1; }; }
}

# refused WANTED COMMAND...: fails with one line that has these words; the gate goes on.
refused() {
	local wanted=$1 status

	shift
	"$@" >/dev/null 2>"$LAB/refused"
	status=$?
	words "$wanted" $status "$LAB/refused" && protected
}

# Who has a key gets in, who has none does not.
protected() {
	page teleworker "$URL4" && LAB_TIMEOUT=0.3 no_page attacker http://203.0.113.1/
}

# stepping OPTION FROM TO STEP WANTED COMMAND...: the command under each limit, in a shell in the
# server's namespace. It must fail with words at the smallest and succeed at the greatest.
stepping() {
	local option=$1 from=$2 to=$3 step=$4 wanted=$5 limit status=1 failures=0

	shift 5
	for limit in $(seq "$from" "$step" "$to"); do
		lab_in server bash -c "ulimit $option $limit; exec \"\$@\"" - "$@" >/dev/null 2>"$LAB/refused"
		status=$?
		[ $status != 0 ] || continue
		# Too little even for the loader of libraries: not tapctl's words.
		[ $status != 127 ] || continue
		words "$wanted" $status "$LAB/refused" || { echo "at $option $limit: $(cat "$LAB/refused")"; return 1; }
		failures=$((failures + 1))
	done
	[ $failures -gt 0 ] || echo "no limit was too low"
	protected && equal "exit status at $option $to" 0 $status && [ $failures -gt 0 ]
}

# without CAPABILITY: a reload by a root that lacks one of them.
without() {
	lab_in server setpriv --bounding-set="-$1" --inh-caps="-$1" "${SERVER[@]}" "${LOAD[@]}"
}

# Another tapctl, stopped in the middle of its reload with the lock held, then killed.
hung() {
	local pid status

	lab_spawn server strace -f -o /dev/null -e trace=bpf -e inject=bpf:signal=STOP:when=40 \
		"${SERVER[@]}" "${LOAD[@]}" >/dev/null 2>&1
	lab_until 10 stopped "$LAB_PID" || return
	pid=$(pgrep -P "$LAB_PID")
	locked || { echo "a reload at its 40th bpf() has no lock"; return 1; }
	tap server key add 8 --user-key "$LAB/keys/b" >/dev/null 2>"$LAB/refused"
	status=$?
	words 'another tapctl.*fuser' $status "$LAB/refused" && protected || return
	kill -9 "$pid"
	wait "$LAB_PID" 2>/dev/null
	tap server key add 8 --user-key "$LAB/keys/b" && tap server key del 8 && protected
}

# stopped PID: its child is.
stopped() {
	grep -q 'State:.*[tT] (\(tracing \)\?stop' "/proc/$(pgrep -P "$1")/status"
}

locked() {
	! flock -n "$LAB/bpf/server" true
}

# naps PID: how often it has gone to sleep.
naps() {
	awk '/^voluntary/ { print $2 }' "/proc/$1/status"
}

naps_more() {
	[ "$(naps "$1")" -ge "$2" ]
}

# The lock is somebody else's (a flock is all that it is) until tapctl has tried and slept 50 times.
short_wait() {
	local waiting

	exec 7<"$LAB/bpf/server"
	flock 7 || return
	lab_spawn server "${SERVER[@]}" key add 8 --user-key "$LAB/keys/b" 7<&-
	waiting=$LAB_PID
	lab_until 10 naps_more "$waiting" 50
	exec 7<&-
	wait "$waiting" && tap server key del 8
}

many_adds() {
	local i pids=() bad=0

	for i in $(seq 10 29); do
		tap server key add "$i" --user-key "$LAB/keys/c" --name "n$i" >/dev/null 2>"$LAB/add.$i" &
		pids+=("$i:$!")
	done
	for i in "${pids[@]}"; do
		wait "${i#*:}" && continue
		bad=$((bad + 1))
		[ -s "$LAB/add.${i%:*}" ] || return 1
	done
	equal "keys" $((21 - bad)) "$(tap server -j key list | python3 -c 'import json, sys
print(len(json.load(sys.stdin)))')"
}

# foreign MODE: somebody else's XDP program is on the attacker's device, by netlink.
foreign() {
	lab_in attacker bpftool net attach "$1" pinned "$LAB/bpf/foreign" dev eth0
}

elsewhere() {
	lab_in attacker "$TAPCTL" --pin-dir "$LAB/bpf/attacker" server load -i eth0 --realm-key "$LAB/keys/realm"
}

# plain_refused WANTED COMMAND...: as refused, without a look at the gate.
plain_refused() {
	local wanted=$1 status

	shift
	"$@" >/dev/null 2>"$LAB/refused"
	status=$?
	words "$wanted" $status "$LAB/refused"
}

nothing_left() {
	equal "files" "" "$(ls -A "$1")"
}

check "before: the gate protects" protected

# --- open files
check "a reload with 5 to 30, 130 and 200 open files" stepping -n 5 200 25 'too many open files.*ulimit -n' \
	"${SERVER[@]}" "${LOAD[@]}"
check "a list with 3 to 12 open files" stepping -n 3 12 1 'too many open files.*ulimit -n' \
	"${SERVER[@]}" acl allow 22 7

# --- memory
check "a reload with 8 to 128 MB of address space" stepping -v 8000 128000 6000 'memory' \
	"${SERVER[@]}" "${LOAD[@]}"
(umask 077 && echo '# nobody' >"$LAB/keys/none")
check "a list of keys with 7 to 64 MB of address space" stepping -v 7000 64000 3000 'memory' \
	"${SERVER[@]}" key import "$LAB/keys/none"
check "no locked memory" lab_in server bash -c "ulimit -l 0; \"\$@\" || [ \$? = 3 ]" - "${SERVER[@]}" status

# --- privileges
for capability in bpf net_admin; do
	case $capability in
	bpf) also=,-sys_admin ;;
	*) also= ;;
	esac
	check "a reload without CAP_${capability^^}" refused 'cap|root' without "$capability$also"
done
check "nobody" refused 'root' lab_in server setpriv --reuid=65534 --regid=65534 --clear-groups \
	"${SERVER[@]}" key list

# --- disk
mkdir "$LAB/full" "$LAB/ro"
must mount -t tmpfs -o size=4k,nr_inodes=10 none "$LAB/full"
must mount -t tmpfs -o size=64k none "$LAB/ro"
head -c 4096 /dev/zero >"$LAB/full/filler"
check "a key file on a full disk" plain_refused 'no space left.*free some space' "$TAPCTL" key gen -o "$LAB/full/key"
rm "$LAB/full/filler"
check "no half of it is left" nothing_left "$LAB/full"
check "with room it is written" "$TAPCTL" key gen -o "$LAB/full/key"
must mount -o remount,ro "$LAB/ro"
check "a key file on a read-only file system" plain_refused 'read-only.*choose' "$TAPCTL" realm gen -o "$LAB/ro/key"
check "a result that cannot be written: the command says it was done" sh -c "
	nsenter --net=/run/netns/$LAB_PREFIX-server $TAPCTL --pin-dir $LAB/bpf/server key add 9 \
		--user-key $LAB/keys/c >/dev/full 2>$LAB/refused; [ \$? = 1 ] && grep -q 'carried out.*No space' $LAB/refused"
check "and it was" tap server key del 9
umount "$LAB/full" "$LAB/ro"

# --- the hook is taken
must bpftool prog load "$LAB_ROOT/build/selftests/floor.bpf.o" "$LAB/bpf/foreign" type xdp
must foreign xdpdrv
check "a foreign XDP program: which, and what to do" plain_refused 'eth0 already has an XDP program \(.*--shared' elsewhere
check "nothing of ours stays" not test -e "$LAB/bpf/attacker"
must lab_in attacker bpftool net detach xdpdrv dev eth0
must elsewhere
check "a gate of another pin directory" plain_refused 'already has a gate.*pin' lab_in attacker "$TAPCTL" \
	--pin-dir "$LAB/bpf/other" server load -i eth0 --realm-key "$LAB/keys/realm"
must lab_in attacker "$TAPCTL" --pin-dir "$LAB/bpf/attacker" server unload

# --- what the number of CPUs is read from says nothing: the replay map would be too small for them
no_cpus() {
	lab_in attacker unshare --mount sh -c "mount --bind /dev/null /sys/devices/system/cpu/possible &&
		exec $TAPCTL --pin-dir $LAB/bpf/attacker server load -i eth0 --realm-key $LAB/keys/realm"
}
check "the number of CPUs is not known" plain_refused 'how many CPUs' no_cpus
check "nothing of ours stays after that" not test -e "$LAB/bpf/attacker"

# --- the lock
check "another tapctl has the lock for a while: waits" short_wait
check "another tapctl that hangs: says so; killed: goes on" hung
check "twenty adds at once: all are there, or refused in words" many_adds
check "and the gate protects" protected

# Each of the list's bpf() calls says "nothing there" in turn: no key is told that nobody added.
empty_answers() {
	local nth

	tap server -j key list >"$LAB/keys.true"
	for nth in $(seq "$1"); do
		lab_in server strace -o /dev/null -e trace=bpf -e inject=bpf:error=ENOENT:when="$nth" \
			"${SERVER[@]}" -j key list >"$LAB/keys.told" 2>"$LAB/refused" ||
			words . $? "$LAB/refused" || return
		python3 -c 'import json, sys
true, told = ({key["id"] for key in json.loads(open(name).read() or "[]")} for name in sys.argv[2:])
made_up = told - true
if made_up:
	sys.exit("at bpf() number %s: %d keys made up" % (sys.argv[1], len(made_up)))' \
			"$nth" "$LAB/keys.true" "$LAB/keys.told" || return
	done
}

check "a kernel that says nothing is there: no key is made up" empty_answers 12

# What cannot be looked at is not mounted over: that would hide all pins there.
unseen() {
	local before after status note='^tapctl: note: mounted a bpffs at /sys/fs/bpf$'

	before=$(grep -c ' /sys/fs/bpf ' /proc/mounts)
	plain_refused 'cannot tell whether' lab_in server strace -o /dev/null -e trace=statfs \
		-e inject=statfs:error=EIO:when="$1" "$TAPCTL" --pin-dir "$2" "${LOAD[@]}"
	status=$?
	after=$(grep -c ' /sys/fs/bpf ' /proc/mounts)
	if grep -q "$note" "$LAB/refused" && [ "$before" = 0 ]; then # a machine without one
		umount /sys/fs/bpf && after=$((after - 1))
	fi
	[ "$after" -le "$before" ] || umount /sys/fs/bpf
	[ $status = 0 ] && equal mounts "$before" "$after"
}

check "a bpffs that cannot be looked at" unseen 1+ "/sys/fs/bpf/$LAB_PREFIX"
# The first three looks: at the path, its parent (/sys/fs, no bpffs), and the place for a bpffs.
check "a bpffs that can be looked at, but not again" unseen 4+ "/sys/fs/bpf/../$LAB_PREFIX"
done_testing
