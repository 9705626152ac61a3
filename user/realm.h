/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The realm's secrets in the gate's settings: the newest one and, during a rotation, the one before
 * it. `now` is Unix seconds.
 */
#ifndef TAP_REALM_H
#define TAP_REALM_H

#include <stdbool.h>

#include "tap/maps.h"
#include "user/tapctl.h"

/* Which of realm->secret[] this is; -1: neither. */
int realm_slot(const struct tap_realm *realm, const unsigned char secret[TAP_REALM_SECRET_BYTES]);

/* The older secret is there, and is taken. */
bool realm_overlaps(const struct tap_realm *realm, __s64 now);

#define REALM_LONG_OVER 1 /* before_until of an overlap whose secret was wiped: over by any clock */

/* The overlap is over; the programs may still have the older secret, and heed it no more. */
bool realm_overlapped(const struct tap_realm *realm, __s64 now);

/* Whether the secret that is not the newest one is still in the settings. */
bool realm_has_older(const struct tap_realm *realm);

/* Forgets the older secret; for programs that are about to be loaded. */
void realm_forget_older(struct tap_realm *realm);

/* Makes a new secret the newest one. The older one is taken for `overlap` seconds more. */
void realm_rotate_to(struct tap_realm *realm, const struct tap_realm_secret *secret, __s64 now,
		     __u32 overlap);

/*
 * Wipes an older secret whose overlap is over from the settings, and notes when that was. The
 * caller holds the exclusive lock. 0 or a negative errno after fail().
 */
int realm_wipe_older(const struct tapctl *tapctl);

#endif /* TAP_REALM_H */
