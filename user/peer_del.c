// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl peer del: forgets a peer that no rule uses, and its keys.
 */
#include <errno.h>

#include "user/output.h"
#include "user/peers.h"
#include "user/verbs.h"

static int delete(const struct tapctl *tapctl, const char *name)
{
	static const struct tap_peer nobody;
	struct peers peers;
	unsigned int users;
	int index, err;

	err = peers_open(tapctl, true, &peers);
	if (err)
		goto out;
	index = peers_need(&peers, name);
	users = index < 0 ? 0 : peers_users(&peers, index);
	if (index < 0)
		err = index;
	else if (users)
		err = fail(EBUSY, "peer %s is used by %u rule%s: delete them first, see 'tapctl rule list'",
			   name, users, users == 1 ? "" : "s");
	else
		err = peers_write(&peers, index, &nobody);
out:
	peers_close(&peers);
	return err;
}

int peer_del(const struct tapctl *tapctl, int argc, char **argv)
{
	int err;

	if (argc != 2)
		return usage("missing: one peer's name, see 'tapctl peer list'");
	err = delete(tapctl, argv[1]);
	if (err)
		return err;
	return output_done(tapctl, json_pack("{s:s}", "deleted", argv[1]), "peer %s deleted", argv[1]);
}
