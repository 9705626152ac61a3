// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key revoke: refuses a key from now on, and keeps it listed, so that people see why.
 */
#include <errno.h>
#include <string.h>

#include "user/key_end.h"
#include "user/verbs.h"

/* The secrets go; that the key was there stays, and its rate. */
static int revoke(const struct keytable *table, __u16 id, struct tap_key *key)
{
	int err = keytable_find(table, id, key);
	__u32 rate;

	if (err)
		return err;
	if (key->not_after == TAP_REVOKED)
		return fail(EALREADY, "key %u is revoked already", id);
	rate = key->rate;
	memset(key, 0, sizeof(*key));
	key->rate = rate;
	key->not_after = TAP_REVOKED;
	return keytable_put(table, id, key);
}

int key_revoke(const struct tapctl *tapctl, int argc, char **argv)
{
	return key_end(tapctl, argc, argv, revoke, "revoked");
}
