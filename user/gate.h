/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate's BPF object and its settings.
 */
#ifndef TAP_GATE_H
#define TAP_GATE_H

#include "tap/maps.h" /* the skeleton needs it */

#include "gate.skel.h"
#include "user/tapctl.h"

/* The settings in force; 0 or a negative errno after fail(). They hold secrets: wipe them. */
int gate_read_settings(const struct tapctl *tapctl, struct tap_realm *realm);

/* Opens the object with these settings as its constants and the pinned maps as its maps, where they
 * are there. NULL after fail(). */
struct gate_bpf *gate_open(const struct tapctl *tapctl, const struct tap_realm *realm);

/*
 * Opens and loads it. Maps that were missing are made and pinned. store: puts the settings into
 * their map; for a gate that is not attached yet. NULL after fail().
 */
struct gate_bpf *gate_load(const struct tapctl *tapctl, const struct tap_realm *realm, bool store);

/* Stores changed settings, for tapctl; 0 or a negative errno after fail(). */
int gate_write_settings(const struct gate_bpf *gate, const struct tap_realm *realm);

#endif /* TAP_GATE_H */
