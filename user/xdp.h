/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate on an interface by a BPF link: nobody else can replace it, and nothing else runs there.
 */
#ifndef TAP_XDP_H
#define TAP_XDP_H

#include <linux/types.h>

#include "user/interfaces.h"
#include "user/tapctl.h"

enum xdp_mode { XDP_ANY, XDP_NATIVE, XDP_GENERIC }; /* as --mode */

#define XDP_WHY_BYTES 160

/*
 * Attaches; a link's descriptor (not pinned yet), or a negative errno after fail(). *hook: which
 * of TAP_HOOK_XDP_NATIVE and _GENERIC it took; why: the reason for falling back, or "".
 */
int xdp_attach(const struct interface *interface, int prog_fd, enum xdp_mode mode, __u32 *hook,
	       char why[XDP_WHY_BYTES]);

/* fail() for an interface on which somebody else's program is. */
int xdp_occupied(const struct interface *interface);

#endif /* TAP_XDP_H */
