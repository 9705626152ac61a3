#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tapctl says what an administrator would otherwise find out too late: services that never match or
# that nobody can use, ports that are open again, keys that open nothing.
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns server
lab_ns attacker
lab_link attacker eth0 server eth0
tap_keys
must tap server server load -i eth0 --realm-key "$LAB/keys/realm"

# notes PATTERN COMMAND...: it works, and says that. quiet PATTERN COMMAND...: works, and does not.
notes() {
	tap server "${@:2}" >"$LAB/said" 2>&1 && grep -qE "$1" "$LAB/said" || {
		tail -n 1 "$LAB/said"
		return 1
	}
}

quiet() {
	tap server "${@:2}" >"$LAB/said" 2>&1 && ! grep -E "$1" "$LAB/said"
}

shadow='service 2 .* never matches, because service 1 '
check "no key yet" notes 'nobody new can connect to port 22 ' service add 22
check "an expired key" notes 'expired already' key add 9 --user-key "$LAB/keys/b" --not-after 2020-01-01
check "a key not yet valid" notes 'not yet valid' key add 8 --user-key "$LAB/keys/b" --not-before +1h
check "a key that is fine" quiet note key add 7 --user-key "$LAB/keys/a"
check "the same port again" notes "$shadow" service add 22
check "and again when that goes" notes 'deleted \(port 22\)$' service del 2
check "a list behind an open service" notes "$shadow" service add 22 --keys 99
check "which shuts nobody out" quiet 'nobody new' service list
must tap server service del 2
check "protected, but passed before" notes 'never matches' service add 22 --action pass --at 1
must tap server service del 1
check "a drop before all" notes "$shadow" service add 1-65535 --action drop --at 1
must tap server service del 1
check "a part of a range" notes "$shadow" service import - <<<'22'
must tap server service del 2
check "another port" quiet never service add 23
check "a narrower service first" quiet never service add 22 --src 192.0.2.0/24 --action pass --at 1
check "and a wider one does not hide it" quiet never service add 24
check "an opened port" notes 'port 23\): port 23 is open to everybody now$' service del 3
check "a port that another service has" quiet 'open to' service del 1
check "a rotation at once" notes 'refused from now on' key rotate 7 --user-key "$LAB/keys/c" --overlap 0
must tap server client load -i eth0
check "one key for both" not tap server peer add office --realm-key "$LAB/keys/realm" \
	--user-key "$LAB/keys/realm" --key-id 7
check "unload opens" notes 'the ports are open to everybody' server unload
done_testing
