// SPDX-License-Identifier: GPL-2.0-only
/*
 * The names of what tapctl pins for the gate and for the splitter.
 */
#include <string.h>

#include "tap/maps.h"
#include "user/side.h"

#define NAME(map, layout) #map,
#define LAYOUT(map, layout) layout,
#define COUNT(map, layout) +1

static const char *const gate_maps[] = { TAP_GATE_MAPS(NAME) NULL };
static const char *const splitter_maps[] = { TAP_SPLITTER_MAPS(NAME) NULL };
static const unsigned int gate_layouts[] = { TAP_GATE_MAPS(LAYOUT) };
static const unsigned int splitter_layouts[] = { TAP_SPLITTER_MAPS(LAYOUT) };

_Static_assert(TAP_GATE_MAPS(COUNT) < TAP_LAYOUT_MAPS, "an empty name must end the list");
_Static_assert(TAP_SPLITTER_MAPS(COUNT) < TAP_LAYOUT_MAPS, "an empty name must end the list");

const struct side server_side = {
	.program = "gate",
	.object = "server",
	.settings = "tap_realm",
	.devices = "tap_gate_devices",
	.link_prefix = "xdp_",
	.kernel_name = "tap_gate",
	.layout = "tap_gate_layout",
	.maps = gate_maps,
	.layouts = gate_layouts,
	.n_maps = TAP_GATE_MAPS(COUNT),
};

const struct side client_side = {
	.program = "splitter",
	.object = "client",
	.settings = "tap_client",
	.devices = "tap_split_devices",
	.link_prefix = "tcx_",
	.kernel_name = "tap_split",
	.layout = "tap_split_layout",
	.maps = splitter_maps,
	.layouts = splitter_layouts,
	.n_maps = TAP_SPLITTER_MAPS(COUNT),
};

bool side_has_map(const struct side *side, const char *name)
{
	for (const char *const *map = side->maps; *map; map++)
		if (!strcmp(*map, name))
			return true;
	return false;
}
