/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unloading, for both sides, and clearing away what a killed tapctl left.
 */
#ifndef TAP_UNLOAD_H
#define TAP_UNLOAD_H

#include "user/interfaces.h"
#include "user/side.h"
#include "user/tapctl.h"

/* Whether any pin of this side is there. */
bool unload_anything_there(const struct tapctl *tapctl, const struct side *side);

/*
 * Detaches from all interfaces and removes all pins of this side, half-made ones too, but not the
 * directory. The caller holds the exclusive lock. 0 or a negative errno after fail().
 */
int unload_all(const struct tapctl *tapctl, const struct side *side);

/* `server unload` and `client unload`: options, lock, and the rest. */
int unload_command(const struct tapctl *tapctl, const struct side *side, int argc, char **argv);

#endif /* TAP_UNLOAD_H */
