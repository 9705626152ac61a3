// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to the server's keys, and what state a key is in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <sodium.h>

#include "user/derive.h"
#include "user/gate.h"
#include "user/keyfile.h"
#include "user/keytable.h"
#include "user/parse.h"
#include "user/pins.h"

#define SCAN_KEYS 2048 /* read at once */

int keytable_open(const struct tapctl *tapctl, bool write, struct keytable *table)
{
	table->keys = -1;
	table->names = -1;
	table->uses = -1;
	table->lists = -1;
	table->lock = pins_open(tapctl, write ? PINS_WRITE : PINS_READ);
	if (table->lock < 0)
		return table->lock;
	table->keys = pins_map(tapctl, "tap_keys");
	if (table->keys < 0)
		return table->keys;
	table->names = pins_map(tapctl, "tap_key_names");
	if (table->names < 0)
		return table->names;
	table->uses = pins_map(tapctl, "tap_key_use");
	if (table->uses < 0)
		return table->uses;
	table->lists = pins_map(tapctl, "tap_acl");
	return table->lists < 0 ? table->lists : 0;
}

void keytable_close(struct keytable *table)
{
	if (table->lists >= 0)
		close(table->lists);
	if (table->uses >= 0)
		close(table->uses);
	if (table->names >= 0)
		close(table->names);
	if (table->keys >= 0)
		close(table->keys);
	if (table->lock >= 0)
		close(table->lock);
}

int keytable_get(const struct keytable *table, __u16 id, struct tap_key *key)
{
	__u32 entry = id;

	if (bpf_map_lookup_elem(table->keys, &entry, key))
		return fail(errno, "cannot read key %u: %s", id, cause(errno));
	return 0;
}

int keytable_list(const struct keytable *table, const struct tap_acl *ids, bool exist)
{
	__u32 slot = TAP_ACL_ANY;
	struct tap_acl list;

	if (bpf_map_lookup_elem(table->lists, &slot, &list))
		return fail(errno, "cannot read the list of keys: %s", cause(errno));
	for (unsigned int i = 0; i < 65536 / 64; i++)
		list.allowed[i] = exist ? list.allowed[i] | ids->allowed[i] :
					  list.allowed[i] & ~ids->allowed[i];
	if (bpf_map_update_elem(table->lists, &slot, &list, BPF_ANY))
		return fail(errno, "cannot write the list of keys: %s", cause(errno));
	return 0;
}

int keytable_put(const struct keytable *table, __u16 id, const struct tap_key *key)
{
	struct tap_acl ids = { 0 };
	__u32 entry = id;
	int err = 0;

	ids_add(&ids, id, id);
	if (key_exists(key))
		err = keytable_list(table, &ids, true);
	if (err)
		return err;
	if (bpf_map_update_elem(table->keys, &entry, key, BPF_ANY))
		return fail(errno, "cannot write key %u: %s", id, cause(errno));
	/* A key that stays on the list costs the gate a look now and then, and nothing else. */
	if (!key_exists(key) && keytable_list(table, &ids, false))
		forget_failure();
	return 0;
}

int keytable_use(const struct keytable *table, __u32 id, struct tap_key_use *use)
{
	if (bpf_map_lookup_elem(table->uses, &id, use))
		return fail(errno, "cannot read what key %u was used for: %s", id, cause(errno));
	return 0;
}

int keytable_forget_uses(const struct keytable *table, const __u32 *ids, __u32 n)
{
	struct tap_key_use *never = calloc(n, sizeof(*never));
	int err = 0;

	if (!never)
		return fail(ENOMEM, "out of memory");
	if (bpf_map_update_batch(table->uses, ids, never, &n, NULL))
		err = fail(errno, "cannot write what keys were used for: %s", cause(errno));
	free(never);
	return err;
}

void keytable_name(const struct keytable *table, __u32 id, char name[TAP_NAME_BYTES])
{
	if (bpf_map_lookup_elem(table->names, &id, name))
		*name = '\0';
	name[TAP_NAME_BYTES - 1] = '\0';
}

int keytable_set_name(const struct keytable *table, __u16 id, const char *name)
{
	bool given = name && *name;
	__u32 entry = id;
	int err;

	if (given)
		err = bpf_map_update_elem(table->names, &entry, name, BPF_ANY);
	else
		err = bpf_map_delete_elem(table->names, &entry);
	if (err && !(errno == ENOENT && !given))
		return fail(errno, "cannot write the name of key %u: %s", id, cause(errno));
	return 0;
}

int keytable_find(const struct keytable *table, __u16 id, struct tap_key *key)
{
	int err = keytable_get(table, id, key);

	if (!err && !key_exists(key))
		return fail(ENOENT, "there is no key %u: see 'tapctl key list'", id);
	return err;
}

/* One chunk of the scan, with room for its secrets. */
struct chunk {
	struct tap_key keys[SCAN_KEYS];
	__u32 ids[SCAN_KEYS];
};

static int visit_chunk(const struct chunk *chunk, __u32 count, keytable_visit *visit, void *context)
{
	__u32 i;
	int stop = 0;

	for (i = 0; i < count && !stop; i++)
		if (key_exists(&chunk->keys[i]))
			stop = visit(context, chunk->ids[i], &chunk->keys[i]);
	return stop;
}

int keytable_scan(const struct keytable *table, keytable_visit *visit, void *context)
{
	struct chunk *chunk = sodium_malloc(sizeof(*chunk));
	bool first = true, last = false;
	__u32 position, count;
	int err = 0;

	if (!chunk)
		return fail(ENOMEM, "cannot lock memory for the keys: raise RLIMIT_MEMLOCK");
	while (!last && !err) {
		count = SCAN_KEYS;
		sodium_memzero(chunk, sizeof(*chunk)); /* what is not read is no key */
		last = bpf_map_lookup_batch(table->keys, first ? NULL : &position, &position,
					    chunk->ids, chunk->keys, &count, NULL);
		if (last && errno != ENOENT)
			err = fail(errno, "cannot read the keys: %s", cause(errno));
		else if (visit_chunk(chunk, count, visit, context))
			break;
		first = false;
	}
	sodium_free(chunk); /* wipes it, too */
	return err;
}

bool key_exists(const struct tap_key *key)
{
	return key->until[0] || key->until[1] || key->not_after;
}

bool key_usable(const struct tap_key *key, __s64 now)
{
	return now >= key->not_before && now < key->not_after &&
	       (now < key->until[0] || now < key->until[1]);
}

int key_newest(const struct tap_key *key)
{
	return key->until[1] > key->until[0];
}

const char *key_state(const struct tap_key *key, __s64 now)
{
	if (key->not_after == TAP_REVOKED)
		return "revoked";
	if (now >= key->not_after || (now >= key->until[0] && now >= key->until[1]))
		return "expired";
	if (now < key->not_before)
		return "not yet valid";
	return now < key->until[!key_newest(key)] ? "rotating" : "active";
}

int keytable_realm_id(const struct tapctl *tapctl, unsigned char id[TAP_REALM_ID_BYTES])
{
	struct tap_realm realm;
	int err;

	sodium_mlock(&realm, sizeof(realm));
	err = gate_read_settings(tapctl, &realm);
	memcpy(id, realm.id, TAP_REALM_ID_BYTES);
	sodium_munlock(&realm, sizeof(realm)); /* wipes it, too */
	return err;
}

int keytable_default_rate(const struct tapctl *tapctl, __u32 *rate)
{
	struct tap_realm realm;
	int err;

	sodium_mlock(&realm, sizeof(realm));
	err = gate_read_settings(tapctl, &realm);
	*rate = err ? 0 : tap_default_rate(realm.replay_size, realm.skew);
	sodium_munlock(&realm, sizeof(realm)); /* wipes it, too */
	return err;
}

int keytable_read_input(const char *path, bool tag_key, struct key_input *input)
{
	input->tag_key = tag_key;
	return keyfile_read(path, input->bytes, tag_key ? TAP_DERIVED_KEY_BYTES : TAP_USER_KEY_BYTES);
}

int keytable_secret(const struct tapctl *tapctl, const struct key_input *input,
		    struct tap_sipkey *secret)
{
	unsigned char realm_id[TAP_REALM_ID_BYTES];
	int err;

	if (input->tag_key) {
		derive_from_bytes(input->bytes, secret);
		return 0;
	}
	err = keytable_realm_id(tapctl, realm_id);
	return err ? err : derive_tag(input->bytes, realm_id, secret);
}
