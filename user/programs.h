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

/* The name of the program in the kernel, or "" where it is not to be had. */
void program_name(__u32 prog_id, char name[PROGRAM_NAME_BYTES]);

/* Whether that name begins with PREFIX. */
bool program_is(__u32 prog_id, const char *prefix);

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
