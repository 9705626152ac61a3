#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Half a minute of everything at random: tools/soak. The seed is another each time.

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if "$(dirname "$0")/../../tools/soak" 0.4 >"$log"; then
	echo "ok $(head -n 1 "$log"): $(tail -n 1 "$log")"
else
	echo "not ok $(head -n 1 "$log"): $(grep VIOLATION "$log"); $(tail -n 1 "$log")"
fi
