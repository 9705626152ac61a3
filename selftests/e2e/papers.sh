#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the papers say is what the program has: every reason in docs/protocol.md and in `tapctl -j
# stats`, every command and every warning of status in the manual page, and the counters by name for
# bpftool.
. "$(dirname "$0")/../tap.sh"
tap_internet
REASONS=$LAB_ROOT/include/tap/reasons.h

# labels: label and text of every X(label, "text") of a list in reasons.h.
labels() {
	sed -n "/define $1(X)/,/^\$/p" "$REASONS" | sed -n 's/^.*X(\([a-z_]*\), "\(.*\)").*/\1\t\2/p'
}

in_protocol() {
	local label text n=0

	while IFS=$'\t' read -r label text; do
		grep -qF "| \`$label\` | $text |" "$LAB_ROOT/docs/protocol.md" || {
			echo "no row of docs/protocol.md says \"| \`$label\` | $text |\""
			return 1
		}
		n=$((n + 1))
	done < <(labels TAP_REASONS; labels TAP_SPLITS)
	[ $n -ge 20 ] || { echo "only $n labels found in $REASONS"; return 1; }
}

in_stats() {
	equal labels "$(labels TAP_REASONS | cut -f 1 | sort)" "$(tap server -j stats |
		python3 -c 'import json, sys; print("\n".join(sorted(json.load(sys.stdin)["server"]["reasons"])))')"
}

in_bpftool() {
	page teleworker "$URL4" && bpftool map dump pinned "$LAB/bpf/server/tap_stats" >"$LAB/dump" &&
		equal admitted "$(reason admitted)" \
			"$(sed -n 's/.*"admitted": \([0-9]*\).*/\1/p' "$LAB/dump" | awk '{ n += $1 } END { print n }')"
}

in_manual() {
	local object verb

	"$TAPCTL" --help | awk '/^  [a-z]+ +[a-z]+ +[a-z]/ && NF > 3 { print $1, $2 }' |
		while read -r object verb; do
			case $object in status | stats | events) verb= ;; esac
			grep -qE "^## tapctl $object${verb:+ $verb}\$" "$LAB_ROOT/docs/tapctl.8.scd" || {
				echo "docs/tapctl.8.scd does not tell of \"$object $verb\""
				return 1
			}
		done
}

# listed_warnings: code and text of each, as user/warnings.h has them. documented_warnings: as the manual
# page has them, below WARNINGS: the code in bold on a line of its own, the text on the next.
listed_warnings() {
	sed -n 's/^\tX(\([a-z_]*\), "\(.*\)", arg).*/\1\t\2/p' "$LAB_ROOT/user/warnings.h"
}

documented_warnings() {
	sed -n '/^# WARNINGS$/,/^# [^W]/p' "$LAB_ROOT/docs/tapctl.8.scd" |
		sed -n '/^\*[a-z_]*\*$/ { N; s/^\*\([a-z_]*\)\*\n\t\(.\)/\1\t\l\2/; s/\.$//; p; }'
}

warnings_in_manual() {
	local n

	n=$(listed_warnings | wc -l)
	[ "$n" -ge 15 ] || { echo "only $n warnings found in user/warnings.h"; return 1; }
	diff <(listed_warnings | sort) <(documented_warnings | sort) >"$LAB/difference" || {
		echo "user/warnings.h and docs/tapctl.8.scd differ: $(grep '^[<>]' "$LAB/difference" | tr '\n' ' ')"
		return 1
	}
	equal "codes in status --help" "$(listed_warnings | cut -f 1)" \
		"$("$TAPCTL" status --help | sed -n 's/^  \([a-z_]*\)$/\1/p')"
}

check "docs/protocol.md has every reason and what it means" in_protocol
check "so has tapctl -j stats" in_stats
check "bpftool shows the counters by name" in_bpftool
check "the manual page has every command" in_manual
check "and every warning of status, and no other" warnings_in_manual
done_testing
