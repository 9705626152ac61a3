// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of `peer add` and `peer update`, and what they make of a peer.
 */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "user/derive.h"
#include "user/keyfile.h"
#include "user/parse.h"
#include "user/peers.h"

const char *const peer_mark_modes[] = {
	[TAP_MARK_SEALED] = "sealed", [TAP_MARK_OPEN] = "open", NULL
};
const char *const peer_ports_modes[] = {
	[TAP_PORTS_DISTINCT] = "distinct", [TAP_PORTS_SHARED] = "shared", NULL
};

static int read_option(int option, struct peer_options *options)
{
	switch (option) {
	case 'r':
		options->realm_key = optarg;
		return 0;
	case 'u':
		options->user_key = optarg;
		return 0;
	case 'k':
		return parse_key_id(optarg, &options->key_id);
	case 'e':
		options->has_encoding = true;
		return parse_encoding(optarg, &options->encoding);
	case 'b':
		options->has_bind = true;
		return parse_bind(optarg, PEER_UNBOUND, &options->bind);
	case 'm':
		options->has_mark = true;
		return parse_choice("--mark", optarg, peer_mark_modes, &options->mark_mode);
	case 'p':
		options->has_ports = true;
		return parse_choice("--ports", optarg, peer_ports_modes, &options->ports_mode);
	default:
		return USAGE;
	}
}

int peer_options_read(int argc, char **argv, struct peer_options *options)
{
	static const struct option known[] = {
		{ "realm-key", required_argument, NULL, 'r' },
		{ "user-key", required_argument, NULL, 'u' },
		{ "key-id", required_argument, NULL, 'k' },
		{ "encoding", required_argument, NULL, 'e' },
		{ "frame", required_argument, NULL, 'e' }, /* its old name */
		{ "bind", required_argument, NULL, 'b' },
		{ "mark", required_argument, NULL, 'm' },
		{ "ports", required_argument, NULL, 'p' },
		{},
	};
	int option, word, err = 0;

	memset(options, 0, sizeof(*options));
	options_start();
	while (!err && (option = options_next(argc, argv, ":", known)) != OPTIONS_END)
		err = read_option(option, options);
	if (err)
		return err;
	word = options_words(argc, argv, 1, "the peer's name");
	return word < 0 ? word : parse_name("peer", argv[word], false, options->name);
}

static void list_marks(const struct tap_sipkey *mark, struct tap_peer *peer)
{
	__u64 bitmap[65536 / 64];
	__u32 m;

	sodium_mlock(bitmap, sizeof(bitmap));
	derive_marks(mark, bitmap);
	peer->n_marks = 0;
	memset(peer->marks, 0, sizeof(peer->marks));
	for (m = 0; m < 65536 && peer->n_marks < TAP_PEER_MARKS; m++)
		if (bitmap[m / 64] >> (m % 64) & 1)
			peer->marks[peer->n_marks++] = m;
	sodium_munlock(bitmap, sizeof(bitmap)); /* wipes it, too */
}

int peer_options_keys(const struct peer_options *options, struct peer_keys *keys)
{
	int err = 0;

	if (options->realm_key)
		err = keyfile_read(options->realm_key, (unsigned char *)&keys->realm,
				   sizeof(keys->realm));
	if (!err && options->user_key)
		err = keyfile_read(options->user_key, keys->user, sizeof(keys->user));
	if (!err && options->realm_key && options->user_key &&
	    !sodium_memcmp(keys->realm.secret, keys->user, sizeof(keys->user)))
		err = fail(EINVAL, "the user key is the realm's secret: others have that, too; make a "
				   "user key with `tapctl key gen`");
	return err;
}

/* What a peer has of the realm key. */
static int set_realm(const struct realm_key *realm, struct tap_peer *peer)
{
	struct tap_sipkey mark;
	int err;

	sodium_mlock(&mark, sizeof(mark));
	memcpy(peer->realm_id, realm->id, sizeof(peer->realm_id));
	err = derive_fingerprint_bytes(realm->secret, peer->fingerprint);
	if (!err)
		err = derive_veil(realm, &peer->veil);
	if (!err)
		err = derive_mark(realm, &mark);
	if (!err)
		list_marks(&mark, peer);
	sodium_munlock(&mark, sizeof(mark)); /* wipes it, too */
	return err;
}

int peer_options_apply(const struct peer_options *options, const struct peer_keys *keys,
		       struct tap_peer *peer)
{
	int err = 0;

	memcpy(peer->name, options->name, sizeof(peer->name));
	if (options->key_id)
		peer->key_id = options->key_id;
	if (options->has_encoding)
		peer->encoding = options->encoding;
	if (options->has_bind)
		peer->bind = options->bind;
	if (options->has_mark)
		peer->mark_mode = options->mark_mode;
	if (options->has_ports)
		peer->ports_mode = options->ports_mode;
	if (options->realm_key && !options->user_key &&
	    memcmp(peer->realm_id, keys->realm.id, sizeof(peer->realm_id)))
		return fail(EINVAL, "that is the key of another realm than peer %s has, not a newer one of "
				    "the same realm: for another realm give --user-key as well",
			    options->name);
	if (options->realm_key)
		err = set_realm(&keys->realm, peer);
	if (!err && options->user_key)
		err = derive_tag(keys->user, peer->realm_id, &peer->tag);
	return err;
}
