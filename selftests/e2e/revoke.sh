#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A revoked key opens no new connection; the one that is open lives on. Topology: ../lab.sh
. "$(dirname "$0")/../tap.sh"
tap_internet

open_session
check "a session answers" session_answers one
must tap server key revoke 7
check "the next fetch fails" no_page teleworker "$URL4"
check "the next login fails" no_login teleworker $LAB_SERVER4
check "the reason is key_inactive" test "$(reason key_inactive)" -gt 1
check "the open session lives on" session_answers two
must tap server key del 7
check "also without the key" session_answers three
check "a deleted key is unknown" no_page teleworker "$URL4"
check "the reason is unknown_key" test "$(reason unknown_key)" -gt 0
must tap server key add 7 --user-key "$LAB/keys/a"
check "the key added again works" page teleworker "$URL4"
exec 8>&- 9<&-
done_testing
