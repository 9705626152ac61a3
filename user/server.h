/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting a gate with given settings in place: what `server load` and `realm rotate` share.
 */
#ifndef TAP_SERVER_H
#define TAP_SERVER_H

#include "user/load.h"
#include "user/settings.h"

/* What to load. */
struct server_change {
	const struct server_options *options; /* interfaces to attach to, if any, and how */
	struct tap_realm *realm; /* the new settings; in locked memory */
	/*
	 * NULL: the settings are written when every program is in place. Else they go first, marked
	 * as `rotating`, for a rotation that is killed must not be forgotten; these are the ones
	 * before, to come back if it fails.
	 */
	const struct tap_realm *before;
	bool attached; /* the gate judges something now */
	int (*report)(const struct load *load); /* how it went; NULL: the caller's business */
};

/* Whether the gate of this directory judges anything now; 0 or a negative errno after fail(). */
int server_attached(const struct tapctl *tapctl, bool *any);

/* Does it; what this call made is gone again if it fails. 0 or a negative errno after fail(). */
int server_put(const struct tapctl *tapctl, const struct server_change *change);

#endif /* TAP_SERVER_H */
