/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the gate (server) and the splitter (client), where the rest of loading,
 * attaching and unloading is the same.
 */
#ifndef TAP_SIDE_H
#define TAP_SIDE_H

#include <stdbool.h>
#include <stddef.h>

struct side {
	const char *program; /* "gate" */
	const char *object; /* "server", as in `tapctl server load` */
	const char *settings; /* pinned last: while it is missing, the others are leftovers */
	const char *devices; /* struct tap_device by ifindex */
	const char *link_prefix; /* a device's pinned link is "xdp_<ifindex>" */
	const char *kernel_name; /* how the names of its programs in the kernel begin */
	const char *layout; /* struct tap_layout: which layouts its maps have */
	const char *const *maps; /* all of its pinned maps, up to a NULL */
	const unsigned int *layouts; /* of each of them */
	size_t n_maps;
};

extern const struct side server_side, client_side;

bool side_has_map(const struct side *side, const char *name);

#endif /* TAP_SIDE_H */
