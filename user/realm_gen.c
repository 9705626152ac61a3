// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl realm gen: makes a realm key.
 */
#include "user/secret.h"
#include "user/verbs.h"

int realm_gen(const struct tapctl *tapctl, int argc, char **argv)
{
	return secret_gen(tapctl, argc, argv, "realm key", true);
}
