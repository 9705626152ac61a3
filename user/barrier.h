/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From when on a gate without replay records may admit groups. A gate that starts anew has no
 * records of what an earlier one admitted, and a client whose clock is ahead makes groups that look
 * newer than the start. So the latest time that any group admitted bore is kept over unload, in a
 * file of its own for each realm, and nothing up to that time is admitted again. Where a gate went
 * without an unload, that time is as late as it can have been.
 */
#ifndef TAP_BARRIER_H
#define TAP_BARRIER_H

#include "tap/maps.h"
#include "user/tapctl.h"

#define BARRIER_TIME_BYTES 32

/*
 * Sets the start of the realm's records, before which no group may be made that is admitted: now, or
 * later after an earlier gate, or a reboot less than `skew` ago. have_records: those of this pin
 * directory are there still. Tells the administrator when that is more than a moment away.
 */
void barrier_start(const struct tapctl *tapctl, struct tap_realm *realm, bool have_records);

/*
 * Notes that a gate of this pin directory is about to admit groups, so that the next one knows if it
 * went without barrier_save(): with the bpffs, say. A failure is told, and stops nothing.
 */
void barrier_mark(const struct tapctl *tapctl, const struct tap_realm *realm);

/* Whether the gate still waits for its start; `at` is when that is, in words. */
bool barrier_waits(const struct tap_realm *realm, char at[BARRIER_TIME_BYTES]);

/* For unload: keeps the gate's newest admission. A failure is told, and stops nothing. */
void barrier_save(const struct tapctl *tapctl);

#endif /* TAP_BARRIER_H */
