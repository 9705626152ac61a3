// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl peer add: names a server and the key to use there.
 */
#include <errno.h>

#include <sodium.h>

#include "user/output.h"
#include "user/peers.h"
#include "user/verbs.h"

static int check(const struct peer_options *options)
{
	if (!options->realm_key)
		return usage("--realm-key FILE is missing: the server's realm key");
	if (!options->user_key)
		return usage("--user-key FILE is missing: the key to use there");
	if (!options->key_id)
		return usage("--key-id ID is missing: the ID under which the server knows the user key");
	return 0;
}

static int add(const struct tapctl *tapctl, const struct peer_options *options,
	       const struct tap_peer *peer)
{
	struct peers peers;
	int err, index;

	err = peers_open(tapctl, true, &peers);
	if (!err && peers_find(&peers, options->name) >= 0)
		err = fail(EEXIST, "peer %s exists already: change it with 'tapctl peer update %s'",
			   options->name, options->name);
	if (!err)
		err = peers_check_realm(&peers, peer);
	if (!err) {
		index = peers_free_entry(&peers);
		err = index < 0 ? index : peers_write(&peers, index, peer);
	}
	peers_close(&peers);
	return err;
}

int peer_add(const struct tapctl *tapctl, int argc, char **argv)
{
	struct {
		struct peer_keys keys;
		struct tap_peer peer;
	} locked = { .peer.encoding = TAP_ENCODING_VEILED };
	struct peer_options options;
	int err;

	err = peer_options_read(argc, argv, &options);
	if (!err)
		err = check(&options);
	if (err)
		return err;
	sodium_mlock(&locked, sizeof(locked));
	err = peer_options_keys(&options, &locked.keys);
	if (!err)
		err = peer_options_apply(&options, &locked.keys, &locked.peer);
	if (!err)
		err = add(tapctl, &options, &locked.peer);
	sodium_munlock(&locked, sizeof(locked)); /* wipes it, too */
	if (err)
		return err;
	return output_done(tapctl, json_pack("{s:s, s:i}", "added", options.name, "key_id",
					     options.key_id),
			   "peer %s added (key %u)", options.name, options.key_id);
}
