/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYN cookies: a kernel or a SYN proxy that takes them opens a connection for an ACK alone, with no
 * SYN before it, if its number is right: one random ACK in 2^29. Where that is so, the gate looks at
 * ACKs to every tap service (struct tap_gate_constants, cookie_acks).
 */
#ifndef TAP_COOKIES_H
#define TAP_COOKIES_H

#include <jansson.h>
#include <stdbool.h>

#include "tap/maps.h"
#include "user/tapctl.h"

/*
 * What takes cookies at all times in this network namespace, for people; NULL: nothing does. What
 * cannot be found out counts as taking them.
 */
const char *cookies_taken_by(void);

/* Whether the gate that is loaded looks at ACKs to all tap services; false if that is not known. */
bool cookies_acks_checked(const struct tapctl *tapctl);

/* The gate's settings, as far as cookies go: adds to status and its warnings. 0, or after fail(). */
int cookies_status(const struct tapctl *tapctl, const struct tap_realm *realm, json_t *server,
		   json_t *warnings);

#endif /* TAP_COOKIES_H */
