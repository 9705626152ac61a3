// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl peer update: changes a peer. The splitter may read an entry that a rule points to at any
 * moment, so the new values go into another entry, then all rules are turned to it at once, and
 * then the old one is wiped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "user/output.h"
#include "user/peers.h"
#include "user/ruleset.h"
#include "user/verbs.h"

static int check(const struct peer_options *options)
{
	if (options->key_id || options->realm_key || options->user_key || options->has_encoding ||
	    options->has_bind || options->has_mark || options->has_ports)
		return 0;
	return usage("nothing to change was given");
}

static int move(const struct tapctl *tapctl, struct peers *peers, int from,
		const struct tap_peer *peer)
{
	static const struct tap_peer nobody;
	int to = peers_free_entry(peers), err;
	__u32 i;

	err = to < 0 ? to : peers_write(peers, to, peer);
	if (err)
		return err;
	for (i = 0; i < peers->rules->n_rules; i++)
		if (peers->rules->rules[i].client.peer == from)
			peers->rules->rules[i].client.peer = to;
	err = ruleset_publish(tapctl, RULESET_CLIENT, peers->rules);
	if (err) {
		peers_write(peers, to, &nobody);
		return err;
	}
	/* No rule points to it any more: lists leave it out, the next command that writes wipes it. */
	if (peers_write(peers, from, &nobody)) {
		note("what the peer was before stays in memory until the next change: %s", failure());
		forget_failure();
	}
	return 0;
}

static int update(const struct tapctl *tapctl, const struct peer_options *options,
		  const struct peer_keys *keys, struct tap_peer *peer)
{
	const struct tap_peer *before;
	struct peers peers;
	int err, index;

	err = peers_open(tapctl, true, &peers);
	if (err)
		goto out;
	index = peers_need(&peers, options->name);
	if (index < 0) {
		err = index;
		goto out;
	}
	before = &peers.entries[index];
	*peer = *before;
	err = peer_options_apply(options, keys, peer);
	/* A new secret of its own realm is what this command is for. */
	if (!err && memcmp(before->realm_id, peer->realm_id, sizeof(peer->realm_id)))
		err = peers_check_realm(&peers, peer);
	if (err)
		goto out;
	if (peers_users(&peers, index))
		err = move(tapctl, &peers, index, peer);
	else
		err = peers_write(&peers, index, peer);
out:
	peers_close(&peers);
	return err;
}

int peer_update(const struct tapctl *tapctl, int argc, char **argv)
{
	struct peer_options options;
	struct {
		struct peer_keys keys;
		struct tap_peer peer;
	} locked;
	int err;

	err = peer_options_read(argc, argv, &options);
	if (!err)
		err = check(&options);
	if (err)
		return err;
	sodium_mlock(&locked, sizeof(locked));
	err = peer_options_keys(&options, &locked.keys);
	if (!err)
		err = update(tapctl, &options, &locked.keys, &locked.peer);
	sodium_munlock(&locked, sizeof(locked)); /* wipes it, too */
	if (err)
		return err;
	return output_done(tapctl, json_pack("{s:s}", "updated", options.name), "peer %s updated",
			   options.name);
}
