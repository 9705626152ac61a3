/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layouts of the pinned maps. Each load writes down which it has (tap_gate_layout,
 * tap_split_layout), and no tapctl touches maps of a layout that it does not know: it would misread
 * them, or give a running gate values that it misreads.
 */
#ifndef TAP_LAYOUT_H
#define TAP_LAYOUT_H

#include <bpf/libbpf.h>

#include "user/side.h"
#include "user/tapctl.h"

/* Writes them into the map of a loaded object, before it is pinned; 0 or -errno after fail(). */
int layout_write(const struct side *side, struct bpf_object *object);

/* 0 if this tapctl knows the layouts of all that is pinned, of both sides; or -errno after fail(). */
int layout_check(const struct tapctl *tapctl);

#endif /* TAP_LAYOUT_H */
