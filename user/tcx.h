/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The splitter on the TCX egress hook (Linux 6.6), by a BPF link.
 */
#ifndef TAP_TCX_H
#define TAP_TCX_H

#include <linux/types.h>

#include "user/tapctl.h"

/* A link's descriptor, or -errno without fail(); -EINVAL: the kernel has no TCX. */
int tcx_attach(__u32 ifindex, int prog_fd);

/* Whether a program whose name begins with PREFIX is on the hook: 1, 0, or -errno after fail(). */
int tcx_has_program(__u32 ifindex, const char *prefix);

#endif /* TAP_TCX_H */
