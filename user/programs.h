/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening our BPF objects: maps that are pinned already are taken over, new ones are pinned, so
 * that a program replaces another one without losing anything.
 */
#ifndef TAP_PROGRAMS_H
#define TAP_PROGRAMS_H

#include <bpf/libbpf.h>

#include "user/side.h"
#include "user/tapctl.h"

#define PROGRAM_NAME_BYTES 16 /* in the kernel, with the NUL */

/* The name of the program in the kernel, "" for one that is gone; 0 or -errno after fail(). */
int program_name(__u32 prog_id, char name[PROGRAM_NAME_BYTES]);

/* Whether that name begins with PREFIX: 1 or 0, or a negative errno after fail(). */
int program_is(__u32 prog_id, const char *prefix);

/*
 * libbpf leaves names out when its first try to use one fails, for want of memory perhaps. Then
 * tapctl would not know its program again: fail().
 */
int program_check_name(const struct side *side, int prog_fd);

/* Lets an opened object use the maps that are pinned; 0 or a negative errno after fail(). */
int programs_take_maps(const struct tapctl *tapctl, const struct side *side, struct bpf_object *object);

/* Pins the loaded object's maps but the settings; 0 or a negative errno after fail(). */
int programs_pin_maps(const struct tapctl *tapctl, const struct side *side, struct bpf_object *object);

/* Pins the settings: from then on the set of maps is whole. */
int programs_pin_settings(const struct tapctl *tapctl, const struct side *side,
			  struct bpf_object *object);

/* For a load that failed: fail() with what libbpf and the verifier said. */
int programs_refused(const struct side *side, int error);

#endif /* TAP_PROGRAMS_H */
