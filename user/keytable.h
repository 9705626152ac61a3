/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server's keys: tap_keys, tap_key_names and tap_key_use. Functions return 0, or -errno after fail(), unless
 * they say otherwise. A struct tap_key holds secrets: lock and wipe it.
 */
#ifndef TAP_KEYTABLE_H
#define TAP_KEYTABLE_H

#include "tap/maps.h"
#include "user/tapctl.h"

/* The maps and the lock on the pin directory. */
struct keytable {
	int lock;
	int keys;
	int names;
	int uses;
	int lists; /* of access */
};

int keytable_open(const struct tapctl *tapctl, bool write, struct keytable *table);
void keytable_close(struct keytable *table); /* also after keytable_open() failed */

int keytable_get(const struct keytable *table, __u16 id, struct tap_key *key);
int keytable_put(const struct keytable *table, __u16 id, const struct tap_key *key);

/*
 * Puts these keys on the list of all that there are (struct tap_acl, TAP_ACL_ANY), or takes them off;
 * keytable_put() does it, too.
 */
int keytable_list(const struct keytable *table, const struct tap_acl *ids, bool exist);

/* What the gate admitted the key for. Forgotten for new keys, whose IDs may have been another's. */
int keytable_use(const struct keytable *table, __u32 id, struct tap_key_use *use);
int keytable_forget_uses(const struct keytable *table, const __u32 *ids, __u32 n);

/* The name, "" if it has none. */
void keytable_name(const struct keytable *table, __u32 id, char name[TAP_NAME_BYTES]);
/* TAP_NAME_BYTES of name; NULL or "" takes the name away. */
int keytable_set_name(const struct keytable *table, __u16 id, const char *name);

/* -ENOENT after fail() if there is no such key. */
int keytable_find(const struct keytable *table, __u16 id, struct tap_key *key);

/* Calls visit() for every key there is, in the order of IDs, until it returns non-zero. */
typedef int keytable_visit(void *context, __u32 id, const struct tap_key *key);
int keytable_scan(const struct keytable *table, keytable_visit *visit, void *context);

bool key_exists(const struct tap_key *key);
bool key_usable(const struct tap_key *key, __s64 now); /* the gate takes it now */
/* The live secret that ends last, 0 or 1. */
int key_newest(const struct tap_key *key);
/* "active", "rotating", "not yet valid", "expired" or "revoked". */
const char *key_state(const struct tap_key *key, __s64 now);

/* A key as a file has it; to be kept in locked memory. */
struct key_input {
	unsigned char bytes[TAP_USER_KEY_BYTES];
	bool tag_key; /* it is the tag key itself, in the first TAP_DERIVED_KEY_BYTES */
};

/* Reads a key file. To be called before the lock is taken: standard input may take its time. */
int keytable_read_input(const char *path, bool tag_key, struct key_input *input);

/* K_tag in the realm that is loaded. */
int keytable_secret(const struct tapctl *tapctl, const struct key_input *input,
		    struct tap_sipkey *secret);

/* The rate of keys with TAP_RATE_DEFAULT, as the gate has it. */
int keytable_default_rate(const struct tapctl *tapctl, __u32 *rate);

/* The ID of the realm that is loaded. */
int keytable_realm_id(const struct tapctl *tapctl, unsigned char id[TAP_REALM_ID_BYTES]);

#endif /* TAP_KEYTABLE_H */
