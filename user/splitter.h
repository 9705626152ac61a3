/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The splitter's BPF object and its settings.
 */
#ifndef TAP_SPLITTER_H
#define TAP_SPLITTER_H

#include "tap/maps.h" /* the skeleton needs it */

#include "splitter.skel.h"
#include "user/tapctl.h"

/* What this machine's settings are now. */
void splitter_settings(struct tap_client *client);

/*
 * Opens and loads it. Maps that were missing are made and pinned, with the settings in theirs.
 * NULL after fail().
 */
struct splitter_bpf *splitter_load(const struct tapctl *tapctl, const struct tap_client *client);

#endif /* TAP_SPLITTER_H */
