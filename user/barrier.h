/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From when on a gate without replay records may admit groups. A gate that starts anew has no
 * records of what an earlier one admitted, and a client whose clock is ahead makes groups that look
 * newer than the start. So the latest time that any group admitted bore is kept over unload, in a
 * file of its own for each realm, and nothing up to that time is admitted again.
 */
#ifndef TAP_BARRIER_H
#define TAP_BARRIER_H

#include "tap/maps.h"
#include "user/tapctl.h"

#define BARRIER_TIME_BYTES 32

/*
 * Unix time, in ns, before which no group may be made that a gate with fresh records admits: now,
 * or later after an earlier gate (newest: what it admitted last, Unix seconds, 0: not known) or a
 * reboot less than `skew` ago. Tells the administrator when that is more than a moment away.
 */
__s64 barrier_start_ns(const struct tap_realm *realm, __u64 newest);

/* Whether the gate still waits for its start; `at` is when that is, in words. */
bool barrier_waits(const struct tap_realm *realm, char at[BARRIER_TIME_BYTES]);

/* For unload: keeps the gate's newest admission. A failure is told, and stops nothing. */
void barrier_save(const struct tapctl *tapctl);

#endif /* TAP_BARRIER_H */
