// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key gen: makes a user key.
 */
#include "user/secret.h"
#include "user/verbs.h"

int key_gen(const struct tapctl *tapctl, int argc, char **argv)
{
	return secret_gen(tapctl, argc, argv, "user key", false);
}
