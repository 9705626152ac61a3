/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pin directory: a folder on a bpffs, one for each gate or splitter set-up, that holds every
 * map and link under its own name. Held with flock while a command changes anything, so of two
 * tapctl at once the second one waits; a killed one leaves no lock behind.
 */
#ifndef TAP_PINS_H
#define TAP_PINS_H

#include "user/tapctl.h"

/* How a command uses the pin directory. */
enum pins_use {
	PINS_READ, /* shared lock; the directory must be there */
	PINS_WRITE, /* exclusive lock; the directory must be there */
	PINS_CREATE, /* exclusive lock; mounts bpffs and makes the directory (0700) where missing */
};

/*
 * Opens and locks the pin directory; returns a descriptor that holds the lock (close() lets go) or
 * a negative errno after fail(). Waits for another tapctl at most 10 s, then EBUSY. Refuses maps of
 * another layout (user/layout.h). PINS_WRITE also refreshes the clock offset of what is loaded there
 * (user/clock.h), and whoever takes the exclusive lock wipes an old realm secret (user/realm.h).
 */
int pins_open(const struct tapctl *tapctl, enum pins_use use);

/* The pinned map NAME ("tap_keys"); a descriptor, or a negative errno after fail(): "no gate is
 * loaded ...: run tapctl server load" for maps of the gate, likewise for the splitter's. */
int pins_map(const struct tapctl *tapctl, const char *name);

/*
 * Whether a map of that name is pinned there. One that cannot be looked at counts as there: what is
 * taken for missing would be made anew, or the rest cleared away, and a gate's ports be open.
 */
bool pins_have(const struct tapctl *tapctl, const char *name);

#define PINS_PATH_BYTES 320 /* --pin-dir is at most 200 characters, names are short */

/* The path of the pin NAME. */
void pins_path(const struct tapctl *tapctl, const char *name, char path[PINS_PATH_BYTES]);

/* Unpins NAME, if it is there; 0 or a negative errno after fail(). */
int pins_remove(const struct tapctl *tapctl, const char *name);

/* Removes the directory if nothing is left in it. */
void pins_remove_directory(const struct tapctl *tapctl);

#endif /* TAP_PINS_H */
