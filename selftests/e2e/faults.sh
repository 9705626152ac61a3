#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every system call of what tapctl does made to fail, and tapctl killed at each: see
# ../faults/sweep.py. Here a sample from a printed seed, with all calls that change something; with
# FAULTS=all nearly everything, and with FAULTS=--rest the rest. More words go to sweep.py:
# FAULTS="--seed 7 --share 20". Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
lab_start
lab_internet
tap_keys
must "$TAPCTL" realm gen --rotate "$LAB/keys/realm" -o "$LAB/keys/realm2"
(
	umask 077
	echo "9 $(cat "$LAB/keys/b") name=bob"
	echo "10 $(cat "$LAB/keys/c")"
) >"$LAB/keys/list"
chmod 600 "$LAB/keys/list"
# shellcheck disable=SC2089 # JSON
TAP_WORLD="{\"dir\": \"$LAB\", \"prefix\": \"$LAB_PREFIX\", \"tapctl\": \"$TAPCTL\",
	\"server\": \"$LAB_SERVER4\", \"attacked\": \"203.0.113.1\", \"realm\": \"$LAB_REALM\"}"
export TAP_WORLD PYTHONDONTWRITEBYTECODE=1
[ "$FAULTS" != all ] || FAULTS=--all
# shellcheck disable=SC2086 # words
python3 "$LAB_ROOT/selftests/faults/sweep.py" $FAULTS "$@"
