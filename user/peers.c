// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to the client's peers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <sodium.h>

#include "user/peers.h"
#include "user/pins.h"
#include "user/ruleset.h"

unsigned int peers_users(const struct peers *peers, int index)
{
	unsigned int users = 0;
	__u32 i;

	for (i = 0; i < peers->rules->n_rules; i++)
		users += peers->rules->rules[i].client.peer == index;
	return users;
}

/*
 * A `peer update` that was killed may have left the peer twice: the one that rules point to counts.
 * The other one is taken out of sight here, and wiped by the next command that writes.
 */
static int settle(struct peers *peers, bool write)
{
	int i, other, err = 0;

	for (i = 0; i < TAP_PEERS_MAX && !err; i++) {
		struct tap_peer *peer = &peers->entries[i];

		if (!peer->key_id || peers_users(peers, i))
			continue;
		for (other = 0; other < TAP_PEERS_MAX; other++) {
			if (other == i || !peers->entries[other].key_id ||
			    strcmp(peers->entries[other].name, peer->name))
				continue;
			sodium_memzero(peer, sizeof(*peer));
			if (write)
				err = peers_write(peers, i, peer);
			break;
		}
	}
	return err;
}

static int read_entries(struct peers *peers, bool write)
{
	__u32 i;

	peers->entries = sodium_malloc(TAP_PEERS_MAX * sizeof(*peers->entries));
	if (!peers->entries)
		return fail(ENOMEM, "cannot lock memory for the peers: raise RLIMIT_MEMLOCK");
	for (i = 0; i < TAP_PEERS_MAX; i++) {
		if (bpf_map_lookup_elem(peers->map, &i, &peers->entries[i]))
			return fail(errno, "cannot read the peers: %s", cause(errno));
		peers->entries[i].name[TAP_NAME_BYTES - 1] = '\0';
	}
	return settle(peers, write);
}

int peers_open(const struct tapctl *tapctl, bool write, struct peers *peers)
{
	int err;

	memset(peers, 0, sizeof(*peers));
	peers->map = -1;
	peers->lock = pins_open(tapctl, write ? PINS_WRITE : PINS_READ);
	if (peers->lock < 0)
		return peers->lock;
	peers->map = pins_map(tapctl, "tap_peers");
	if (peers->map < 0)
		return peers->map;
	err = ruleset_read(tapctl, RULESET_CLIENT, &peers->rules);
	return err ? err : read_entries(peers, write);
}

void peers_close(struct peers *peers)
{
	sodium_free(peers->entries); /* wipes them, too */
	free(peers->rules);
	if (peers->map >= 0)
		close(peers->map);
	if (peers->lock >= 0)
		close(peers->lock);
}

int peers_find(const struct peers *peers, const char *name)
{
	int i;

	for (i = 0; i < TAP_PEERS_MAX; i++)
		if (peers->entries[i].key_id && !strcmp(peers->entries[i].name, name))
			return i;
	return -1;
}

int peers_need(const struct peers *peers, const char *name)
{
	int index = peers_find(peers, name);

	if (index < 0)
		return fail(ENOENT, "there is no peer \"%s\": see 'tapctl peer list', or add it with "
			    "'tapctl peer add'", name);
	return index;
}

int peers_free_entry(const struct peers *peers)
{
	int i;

	for (i = 0; i < TAP_PEERS_MAX; i++)
		if (!peers->entries[i].key_id && !peers_users(peers, i))
			return i;
	return fail(ENOSPC, "there are %d peers, and no more are possible: delete one with 'tapctl peer "
		    "del'", TAP_PEERS_MAX);
}

int peers_check_realm(const struct peers *peers, const struct tap_peer *peer)
{
	int i;

	for (i = 0; i < TAP_PEERS_MAX; i++) {
		const struct tap_peer *other = &peers->entries[i];

		if (!other->key_id || !strcmp(other->name, peer->name) ||
		    memcmp(other->realm_id, peer->realm_id, sizeof(peer->realm_id)) ||
		    !memcmp(other->fingerprint, peer->fingerprint, sizeof(peer->fingerprint)))
			continue;
		return fail(EEXIST, "peer %s has this realm's ID already, under another secret: if this "
				    "secret replaces that one, 'tapctl peer update %s --realm-key FILE'; if "
				    "it is from somebody else, do not use it, for the ID is copied",
			    other->name, other->name);
	}
	return 0;
}

int peers_write(struct peers *peers, int index, const struct tap_peer *peer)
{
	__u32 entry = index;

	if (bpf_map_update_elem(peers->map, &entry, peer, BPF_ANY))
		return fail(errno, "cannot write the peer: %s", cause(errno));
	return 0;
}

int peers_show(const struct tapctl *tapctl, int argc, char **argv, peers_showing *show)
{
	struct peers peers;
	int err;

	if (argc > 1)
		return usage("'%s' is too much here", argv[1]);
	err = peers_open(tapctl, false, &peers);
	if (!err)
		err = show(tapctl, &peers);
	peers_close(&peers);
	return err;
}
