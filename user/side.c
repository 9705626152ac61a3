// SPDX-License-Identifier: GPL-2.0-only
/*
 * The names of what tapctl pins for the gate and for the splitter.
 */
#include <string.h>

#include "user/side.h"

static const char *const gate_maps[] = {
	"tap_realm", "tap_stats", "tap_services", "tap_keys", "tap_key_names", "tap_acl",
	"tap_pending", "tap_pending_tsecr", "tap_replay", "tap_seconds", "tap_flows", "tap_gate_state",
	"tap_events", "tap_gate_devices", NULL,
};

static const char *const splitter_maps[] = {
	"tap_client", "tap_client_stats", "tap_rules", "tap_peers", "tap_sent",
	"tap_split_devices", NULL,
};

const struct side server_side = {
	.program = "gate",
	.object = "server",
	.settings = "tap_realm",
	.devices = "tap_gate_devices",
	.link_prefix = "xdp_",
	.kernel_name = "tap_gate",
	.maps = gate_maps,
};

const struct side client_side = {
	.program = "splitter",
	.object = "client",
	.settings = "tap_client",
	.devices = "tap_split_devices",
	.link_prefix = "tcx_",
	.kernel_name = "tap_split",
	.maps = splitter_maps,
};

bool side_has_map(const struct side *side, const char *name)
{
	for (const char *const *map = side->maps; *map; map++)
		if (!strcmp(*map, name))
			return true;
	return false;
}
