/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pinned BPF links: they keep a program attached with no process running, and nobody but their
 * owner can take it away. A link outlives its interface as an empty shell.
 */
#ifndef TAP_LINK_H
#define TAP_LINK_H

#include <linux/types.h>

#include "user/pins.h"

/*
 * Whether the link pinned at PATH still holds an interface: 1 or 0, or a negative errno after
 * fail() when that cannot be found out. *prog_id: its program.
 */
int link_alive(const char *path, __u32 *prog_id);

/* Detaches the link and removes its pin, where there is one; 0 or a negative errno after fail(). */
int link_remove(const char *path);

/* Puts another program in place, without a gap; 0 or -errno, without fail(). */
int link_replace(const char *path, int prog_fd);

#endif /* TAP_LINK_H */
