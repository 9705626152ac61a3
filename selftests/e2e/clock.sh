#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A time daemon tells the kernel what TAI minus UTC is, while gate and splitter run: both still tell
# the time, and nobody has to tell them. Topology: ../lab.sh
#
# The kernel has one such offset for all namespaces, so it is put back at once, and only one such test
# at a time may change it.
. "$(dirname "$0")/../tap.sh"

# tai_offset [SECONDS]: prints the kernel's, sets it first if asked to.
tai_offset() {
	python3 - "$@" <<'PY'
import ctypes, struct, sys
timex = ctypes.create_string_buffer(256)
if len(sys.argv) > 1:
    struct.pack_into("=I", timex, 0, 0x80)  # ADJ_TAI
    struct.pack_into("=q", timex, 48, int(sys.argv[1]))
if ctypes.CDLL(None, use_errno=True).adjtimex(timex) < 0:
    sys.exit("adjtimex: errno %d" % ctypes.get_errno())
print(struct.unpack_from("=i", timex, 160)[0])
PY
}


# tells_the_time: the last group admitted was made and judged now, in UTC.
tells_the_time() {
	tap server -j events | python3 -c 'import datetime, json, sys, time
last = [e for e in map(json.loads, sys.stdin) if e["reason"] == "admitted"][-1]
judged = datetime.datetime.fromisoformat(last["time"].replace("Z", "+00:00")).timestamp()
for what, when in ("made", last["sec"]), ("judged", judged):
	if abs(when - time.time()) > 18: # half of what is wrong if it is wrong
		sys.exit("%s at %d, and it is %d" % (what, when, time.time()))'
}

tap_internet
exec 9>/run/lock/tap-selftests-clock
flock 9
before=$(tai_offset) || exit 1
trap 'tai_offset "$before" >/dev/null; lab_stop' EXIT
check "the splitter and the gate tell the time" page teleworker "$URL4"
check "... UTC" tells_the_time
# Another value than before, so that what was stored at load is certainly out of date.
must tai_offset $((before == 37 ? 0 : 37))
check "another TAI offset, and nobody told them" page teleworker "$URL4"
check "... still UTC" tells_the_time
must tai_offset "$before"
check "the old offset again" page teleworker "$URL6"
check "... still UTC, over IPv6" tells_the_time
done_testing
