/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's peers (tap_peers): whom rules point to, and the keys to use there. Functions return
 * 0, or -errno after fail(), unless they say otherwise. Entries hold secrets; a table keeps them in
 * locked memory and wipes them.
 */
#ifndef TAP_PEERS_H
#define TAP_PEERS_H

#include "tap/maps.h"
#include "user/derive.h"
#include "user/tapctl.h"

/* All peers and the rules that point to them, under the lock of the pin directory. */
struct peers {
	int lock;
	int map;
	struct tap_ruleset *rules;
	struct tap_peer *entries; /* TAP_PEERS_MAX */
};

int peers_open(const struct tapctl *tapctl, bool write, struct peers *peers);
void peers_close(struct peers *peers); /* also after peers_open() failed */

/* How many rules point to the entry. */
unsigned int peers_users(const struct peers *peers, int index);

/* The entry of that name, or -1 (without fail()). */
int peers_find(const struct peers *peers, const char *name);

/* The same, but -ENOENT after fail(). */
int peers_need(const struct peers *peers, const char *name);

/* An entry that is not in use, or -ENOSPC after fail(). */
int peers_free_entry(const struct peers *peers);

/*
 * Whoever runs another server can copy a realm's ID, and the user's tags would be good there: so no
 * second peer with an ID that one has already, unless under the same secret. 0, or -EEXIST after
 * fail() that names the one.
 */
int peers_check_realm(const struct peers *peers, const struct tap_peer *peer);

int peers_write(struct peers *peers, int index, const struct tap_peer *peer);

/* The options that `peer add` and `peer update` share. */
struct peer_options {
	char name[TAP_NAME_BYTES];
	const char *realm_key;
	const char *user_key;
	__u16 key_id; /* 0: not given, as with the following */
	bool has_encoding, has_bind, has_mark, has_ports;
	__u8 encoding, bind, mark_mode, ports_mode;
};

#define PEER_UNBOUND "none" /* --bind of a peer whose tags cover no address */

int peer_options_read(int argc, char **argv, struct peer_options *options);

/* The keys that were given; to be kept in locked memory. */
struct peer_keys {
	struct realm_key realm;
	unsigned char user[TAP_USER_KEY_BYTES];
};

/* Reads them. To be called before the lock is taken: standard input may take its time. */
int peer_options_keys(const struct peer_options *options, struct peer_keys *keys);

/* Puts what was given into the peer, which is in locked memory. */
int peer_options_apply(const struct peer_options *options, const struct peer_keys *keys,
		       struct tap_peer *peer);

extern const char *const peer_mark_modes[];
extern const char *const peer_ports_modes[];

/* What a verb without arguments shows of the peers and rules. */
typedef int peers_showing(const struct tapctl *tapctl, const struct peers *peers);
int peers_show(const struct tapctl *tapctl, int argc, char **argv, peers_showing *show);

#endif /* TAP_PEERS_H */
