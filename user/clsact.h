/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The splitter as a classic tc filter on a clsact qdisc, for kernels before 6.6. Functions return 0
 * or a negative errno after fail().
 */
#ifndef TAP_CLSACT_H
#define TAP_CLSACT_H

#include <linux/types.h>

#include "user/tapctl.h"

/* Of all splitters, so that a second one is noticed. */
#define CLSACT_HANDLE 0x746170u /* "tap" */
#define CLSACT_PRIORITY 1u /* a filter before it could end the walk and keep SYNs from it */

/* The id of the program in the splitter's place; 0: none. */
int clsact_program(__u32 ifindex, __u32 *id);

/* Whether a clsact qdisc is there, as far as can be told. */
bool clsact_has_qdisc(__u32 ifindex);

/* Makes the qdisc where it is missing; *made says whether. */
int clsact_make_qdisc(const char *name, __u32 ifindex, bool *made);

/* Puts the program in the splitter's place; replace: over the one that is there. */
int clsact_attach(const char *name, __u32 ifindex, int prog_fd, bool replace);

/* fail() for an interface that has a splitter already. */
int clsact_occupied(const char *name);

/* Takes the filter away; gone already is fine. */
int clsact_detach(const char *name, __u32 ifindex);

/* Removes a qdisc that tapctl made, unless somebody else uses it by now. */
void clsact_remove_empty_qdisc(__u32 ifindex);

#endif /* TAP_CLSACT_H */
