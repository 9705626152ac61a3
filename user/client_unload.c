// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl client unload
 */
#include "user/unload.h"
#include "user/verbs.h"

int client_unload(const struct tapctl *tapctl, int argc, char **argv)
{
	return unload_command(tapctl, &client_side, argc, argv);
}
