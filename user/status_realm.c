// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of tapctl status that concern the realm's secrets and the keys' rates.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/clock.h"
#include "user/derive.h"
#include "user/keytable.h"
#include "user/parse.h"
#include "user/realm.h"
#include "user/status.h"

#define NS_PER_SEC 1000000000
#define KEYS_NAMED 8 /* then "and N more" */

/* --- Who still uses the old secret --- */

struct users {
	const struct keytable *table;
	const struct tap_realm *realm;
	__s64 now;
	json_t *list; /* of JSON: id, name, last */
	int err;
};

/*
 * When the key was last admitted under a secret; 0: never. What is older than the secret is of the
 * one that had its place before.
 */
static __s64 last_use(const struct tap_key_use *use, __u32 slot, __s64 since)
{
	return use->admitted[slot] >= since ? use->admitted[slot] : 0;
}

static int visit_user(void *context, __u32 id, const struct tap_key *key)
{
	struct users *users = context;
	const struct tap_realm *realm = users->realm;
	char name[TAP_NAME_BYTES], last[TIME_TEXT];
	struct tap_key_use use;
	__s64 old;

	users->err = keytable_use(users->table, id, &use);
	if (users->err)
		return 1;
	old = last_use(&use, !realm->newest, realm->rotated_before);
	if (!key_usable(key, users->now) || !old ||
	    old <= last_use(&use, realm->newest, realm->rotated))
		return 0;
	keytable_name(users->table, id, name);
	json_array_append_new(users->list, json_pack("{s:I, s:s, s:s}", "id", (json_int_t)id, "name",
						     name, "last", time_text(old, last)));
	return 0;
}

static int find_users(const struct tapctl *tapctl, struct users *users)
{
	struct keytable table;
	int err;

	users->table = &table;
	err = keytable_open(tapctl, false, &table);
	if (!err)
		err = keytable_scan(&table, visit_user, users);
	keytable_close(&table);
	return err ? err : users->err;
}

/* "7 (alice), 9 and 2 more" */
static void name_keys(const json_t *list, char *text, size_t bytes)
{
	size_t i, length = 0, n = json_array_size(list);

	*text = '\0';
	for (i = 0; i < n && i < KEYS_NAMED && length < bytes; i++) {
		const json_t *key = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(key, "name"));

		length += snprintf(text + length, bytes - length, "%s%lld%s%s%s", i ? ", " : "",
				   (long long)json_integer_value(json_object_get(key, "id")),
				   *name ? " (" : "", name, *name ? ")" : "");
	}
	if (n > KEYS_NAMED && length < bytes)
		snprintf(text + length, bytes - length, " and %zu more", n - KEYS_NAMED);
}

static int add_users(const struct tapctl *tapctl, const struct tap_realm *realm, json_t *server,
		     json_t *warnings)
{
	struct users users = {
		.realm = realm,
		.now = clock_now_ns() / NS_PER_SEC,
		.list = json_array(),
	};
	char keys[KEYS_NAMED * (TAP_NAME_BYTES + 12)], until[TIME_TEXT];
	int err;

	err = find_users(tapctl, &users);
	if (!err && json_array_size(users.list)) {
		name_keys(users.list, keys, sizeof(keys));
		status_warn(warnings, "old_secret_in_use",
			    "the realm's old secret ends at %s, and these keys used it last: %s; their "
			    "clients need the new realm key: `tapctl peer update NAME --realm-key FILE`",
			    time_text(realm->before_until, until), keys);
	}
	json_object_set_new(server, "old_secret_keys", users.list);
	return err;
}

static void add_end(const struct tap_realm *realm, json_t *server)
{
	char text[TIME_TEXT];
	bool wiped = realm->before_until == REALM_LONG_OVER;

	json_object_set_new(server, "old_secret",
			    json_sprintf("ended%s%s; `tapctl server load` takes it out of the program",
					 wiped ? "" : " at ",
					 wiped ? "" : time_text(realm->before_until, text)));
}

int status_realm(const struct tapctl *tapctl, const struct tap_realm *realm, json_t *server,
		 json_t *warnings)
{
	char id[DERIVE_ID_TEXT], fingerprint[DERIVE_FINGERPRINT_BYTES], text[TIME_TEXT];
	__s64 now = clock_now_ns() / NS_PER_SEC;
	int err;

	derive_id_text(realm->id, id);
	err = derive_fingerprint(realm->secret[realm->newest].secret, fingerprint);
	if (err)
		return err;
	json_object_set_new(server, "realm_id", json_string(id));
	json_object_set_new(server, "fingerprint", json_string(fingerprint));
	if (realm->rotated)
		json_object_set_new(server, "rotated", json_string(time_text(realm->rotated, text)));
	if (realm->rotating)
		status_warn(warnings, "unfinished",
			    "a `tapctl realm rotate` did not finish, so the gate may not take the newest "
			    "secret, and from %s on it may let nobody in: run it again, or reload "
			    "(`tapctl server load -i IF --realm-key NEW`)",
			    realm->before_until ? time_text(realm->before_until, text) : "now");
	if (realm_overlapped(realm, now))
		add_end(realm, server);
	if (!realm_overlaps(realm, now))
		return 0;
	json_object_set_new(server, "old_secret",
			    json_sprintf("taken until %s", time_text(realm->before_until, text)));
	return add_users(tapctl, realm, server, warnings);
}

/* --- Who can fill the replay window --- */

struct rates {
	__s64 now;
	__u32 default_rate;
	__u32 n, unlimited; /* keys with and without a limit */
	__u32 *rates; /* of those with one */
	__u32 fastest; /* ID of the key with the greatest rate */
	__u64 greatest; /* that; TAP_FOREVER: no limit */
};

static int collect_rate(void *context, __u32 id, const struct tap_key *key)
{
	struct rates *rates = context;
	__u32 rate = key->rate == TAP_RATE_DEFAULT ? rates->default_rate : key->rate;

	if (!key_usable(key, rates->now))
		return 0;
	if (rate)
		rates->rates[rates->n++] = rate;
	else
		rates->unlimited++;
	if ((rate ? rate : TAP_FOREVER) > rates->greatest) {
		rates->greatest = rate ? rate : TAP_FOREVER;
		rates->fastest = id;
	}
	return 0;
}

static int descending(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return (x < y) - (x > y);
}

/* The fewest keys that fill the window together; 0: all of them cannot. */
static unsigned int fewest(struct rates *rates, const struct tap_realm *realm)
{
	__u64 seconds = 2 * realm->skew + 2, sum = 0;

	if (rates->unlimited)
		return 1;
	qsort(rates->rates, rates->n, sizeof(*rates->rates), descending);
	for (__u32 i = 0; i < rates->n; i++) {
		sum += rates->rates[i] * seconds;
		if (sum >= realm->replay_size)
			return i + 1;
	}
	return 0;
}

static int collect_rates(const struct tapctl *tapctl, struct rates *rates)
{
	struct keytable table;
	int err;

	err = keytable_open(tapctl, false, &table);
	if (!err)
		err = keytable_scan(&table, collect_rate, rates);
	keytable_close(&table);
	return err;
}

int status_rates(const struct tapctl *tapctl, const struct tap_realm *realm, json_t *server,
		 json_t *warnings)
{
	struct rates rates = {
		.now = clock_now_ns() / NS_PER_SEC,
		.default_rate = tap_default_rate(realm->replay_size, realm->skew),
		.rates = calloc(TAP_KEY_ID_MAX, sizeof(*rates.rates)),
	};
	unsigned int keys;
	int err;

	if (!rates.rates)
		return fail(ENOMEM, "out of memory");
	err = collect_rates(tapctl, &rates);
	if (err)
		goto out;
	keys = fewest(&rates, realm);
	json_object_set_new(server, "replay_keys", keys ? json_integer(keys) : json_null());
	if (keys == 1)
		status_warn(warnings, "replay_rate",
			    "key %u alone can fill the replay window of %u admissions within the %u s "
			    "that it is for, and then nobody else gets in: add it anew with a lower "
			    "--rate (`tapctl key del`, `tapctl key add`)",
			    rates.fastest, realm->replay_size, 2 * realm->skew + 2);
out:
	free(rates.rates);
	return err;
}
