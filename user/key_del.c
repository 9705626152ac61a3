// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key del: forgets a key.
 */
#include <string.h>

#include "user/key_end.h"
#include "user/verbs.h"

/* The key first: it must stop working even if the rest fails. */
static int forget(const struct keytable *table, __u16 id, struct tap_key *key)
{
	int err = keytable_find(table, id, key);

	if (err)
		return err;
	memset(key, 0, sizeof(*key));
	err = keytable_put(table, id, key);
	if (!err && keytable_set_name(table, id, NULL)) {
		note("%s; the next key %u gets a name of its own", failure(), id);
		forget_failure();
	}
	return err;
}

int key_del(const struct tapctl *tapctl, int argc, char **argv)
{
	return key_end(tapctl, argc, argv, forget, "deleted");
}
