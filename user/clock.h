/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs read CLOCK_TAI and subtract an offset, because the kernel has no UTC clock for them.
 * It is 0 s until an NTP daemon sets it, then 37 s: one that is out of date would make every group
 * look 37 s old or young. They look it up in the kernel themselves (bpf/clock.h), and where they
 * cannot, they take what tapctl keeps in tap_realm and tap_client.
 */
#ifndef TAP_CLOCK_H
#define TAP_CLOCK_H

#include <linux/types.h>

#include "user/tapctl.h"

__s64 clock_tai_minus_utc_ns(void); /* what the kernel says now */
__s64 clock_now_ns(void); /* Unix time */

/*
 * Whether something keeps the clock right, as far as the kernel has heard: 1 or 0; a negative errno,
 * without fail(), where it does not answer.
 */
int clock_is_synchronised(void);

/* Whether OFFSET is one that the kernel may have had: others were set on purpose, by a test. */
bool clock_offset_is_kernels(__s64 offset);

/*
 * Writes the kernel's offset into the maps of what is loaded, where it differs. 0 or a negative
 * errno after fail(). The caller holds the lock of the pin directory, a shared one will do.
 */
int clock_refresh(const struct tapctl *tapctl);

#endif /* TAP_CLOCK_H */
