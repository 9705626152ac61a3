/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `key del` and `key revoke` share: one key, named by its ID, that opens nothing any more.
 */
#ifndef TAP_KEY_END_H
#define TAP_KEY_END_H

#include "user/keytable.h"

/* Changes the key in the table, with *key to work in; 0 or a negative errno after fail(). */
typedef int key_ending(const struct keytable *table, __u16 id, struct tap_key *key);

/* Runs the command; `done` is what happened to the key, "deleted". */
int key_end(const struct tapctl *tapctl, int argc, char **argv, key_ending *end, const char *done);

#endif /* TAP_KEY_END_H */
