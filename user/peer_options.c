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

const char *const peer_frames[] = {
	[TAP_FRAME_CLASSIC] = "classic", [TAP_FRAME_VEILED] = "veiled", NULL
};
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
	case 'f':
		options->has_frame = true;
		return parse_choice("--frame", optarg, peer_frames, &options->frame);
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
		{ "frame", required_argument, NULL, 'f' },
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

	derive_marks(mark, bitmap);
	peer->n_marks = 0;
	memset(peer->marks, 0, sizeof(peer->marks));
	for (m = 0; m < 65536 && peer->n_marks < TAP_PEER_MARKS; m++)
		if (bitmap[m / 64] >> (m % 64) & 1)
			peer->marks[peer->n_marks++] = m;
	sodium_memzero(bitmap, sizeof(bitmap));
}

int peer_options_keys(const struct peer_options *options, struct tap_peer *keys)
{
	struct {
		unsigned char realm[TAP_REALM_KEY_BYTES];
		unsigned char user[TAP_USER_KEY_BYTES];
		struct tap_sipkey mark;
	} key;
	int err;

	if (!options->realm_key)
		return 0;
	sodium_mlock(&key, sizeof(key));
	err = keyfile_read(options->realm_key, key.realm, sizeof(key.realm));
	if (!err)
		err = keyfile_read(options->user_key, key.user, sizeof(key.user));
	if (!err && !sodium_memcmp(key.realm, key.user, sizeof(key.user)))
		err = fail(EINVAL, "--realm-key and --user-key are the same key: one names the "
				   "server, the other the user");
	if (!err)
		err = derive_tag(key.user, key.realm, &keys->tag);
	if (!err)
		err = derive_veil(key.realm, &keys->veil);
	if (!err)
		err = derive_mark(key.realm, &key.mark);
	if (!err)
		list_marks(&key.mark, keys);
	sodium_munlock(&key, sizeof(key)); /* wipes them, too */
	return err;
}

void peer_options_apply(const struct peer_options *options, const struct tap_peer *keys,
			struct tap_peer *peer)
{
	memcpy(peer->name, options->name, sizeof(peer->name));
	if (options->key_id)
		peer->key_id = options->key_id;
	if (options->has_frame)
		peer->frame = options->frame;
	if (options->has_mark)
		peer->mark_mode = options->mark_mode;
	if (options->has_ports)
		peer->ports_mode = options->ports_mode;
	if (!options->realm_key)
		return;
	peer->tag = keys->tag;
	peer->veil = keys->veil;
	peer->n_marks = keys->n_marks;
	memcpy(peer->marks, keys->marks, sizeof(peer->marks));
}
