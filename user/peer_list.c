// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl peer list: the peers and how groups for them look. Nothing of a secret is shown.
 */
#include <stdio.h>

#include "user/derive.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/peers.h"
#include "user/verbs.h"

static json_t *as_json(const struct tap_peer *peer, unsigned int rules)
{
	char id[DERIVE_ID_TEXT], fingerprint[DERIVE_FINGERPRINT_BYTES];

	derive_id_text(peer->realm_id, id);
	derive_fingerprint_text(peer->fingerprint, fingerprint);
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "name", peer->name, "key_id",
			 peer->key_id, "realm_id", id, "fingerprint", fingerprint, "encoding",
			 encoding_text(peer->encoding), "mark", peer_mark_modes[peer->mark_mode],
			 "ports", peer_ports_modes[peer->ports_mode], "bind",
			 bind_text(peer->bind, PEER_UNBOUND), "rules", rules);
}

static void as_row(struct output_table *rows, const struct tap_peer *peer, unsigned int rules)
{
	char id[DERIVE_ID_TEXT], fingerprint[DERIVE_FINGERPRINT_BYTES], key_id[12], users[12];

	derive_id_text(peer->realm_id, id);
	derive_fingerprint_text(peer->fingerprint, fingerprint);
	snprintf(key_id, sizeof(key_id), "%u", peer->key_id);
	snprintf(users, sizeof(users), "%u", rules);
	output_row(rows, peer->name, key_id, id, fingerprint, encoding_text(peer->encoding),
		   peer_mark_modes[peer->mark_mode], peer_ports_modes[peer->ports_mode],
		   bind_text(peer->bind, PEER_UNBOUND), users);
}

static int list(const struct tapctl *tapctl, const struct peers *peers)
{
	struct output_table *rows = NULL;
	json_t *array = NULL;
	int i;

	if (tapctl->json)
		array = json_array();
	else
		rows = output_table("NAME", ">KEY", "REALM", "SECRET", "ENCODING", "MARK", "PORTS", "BIND", ">RULES", NULL);
	for (i = 0; i < TAP_PEERS_MAX; i++) {
		const struct tap_peer *peer = &peers->entries[i];

		if (!peer->key_id)
			continue;
		if (tapctl->json)
			json_array_append_new(array, as_json(peer, peers_users(peers, i)));
		else
			as_row(rows, peer, peers_users(peers, i));
	}
	if (tapctl->json)
		return output_json(array);
	return output_table_end(rows, "no peers: add one with 'tapctl peer add'");
}

int peer_list(const struct tapctl *tapctl, int argc, char **argv)
{
	return peers_show(tapctl, argc, argv, list);
}
