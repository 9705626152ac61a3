// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl server unload
 */
#include "user/unload.h"
#include "user/verbs.h"

int server_unload(const struct tapctl *tapctl, int argc, char **argv)
{
	return unload_command(tapctl, &server_side, argc, argv);
}
