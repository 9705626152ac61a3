// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl key list: who may connect, and until when. Nothing of a secret is shown.
 */
#include <stdio.h>
#include <time.h>

#include "user/keytable.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/verbs.h"

struct listing {
	const struct keytable *table;
	struct output_table *rows;
	json_t *array;
	__s64 now;
	__u32 default_rate;
};

static json_t *json_time(__s64 seconds)
{
	char text[TIME_TEXT];

	if (seconds <= 0 || seconds == TAP_FOREVER)
		return json_null();
	return json_string(time_text(seconds, text));
}

/* Until when the old secret is taken; 0 if there is no such thing. */
static __s64 rotating_until(const struct tap_key *key, __s64 now)
{
	__s64 until = key->until[!key_newest(key)];

	return now < until ? until : 0;
}

/* Admissions a second; 0: no limit. */
static __u32 rate_of(const struct listing *listing, const struct tap_key *key)
{
	return key->rate == TAP_RATE_DEFAULT ? listing->default_rate : key->rate;
}

static json_t *json_rate(__u32 rate)
{
	return rate ? json_integer(rate) : json_null();
}

static void list_row(const struct listing *listing, __u32 id, const char *name,
		     const struct tap_key *key)
{
	char number[8], rate[16] = "no limit", state[80], from[TIME_TEXT] = "", to[TIME_TEXT] = "", until[TIME_TEXT];
	__s64 rotating = rotating_until(key, listing->now);

	snprintf(number, sizeof(number), "%u", id);
	snprintf(state, sizeof(state), "%s", key_state(key, listing->now));
	if (rotating)
		snprintf(state, sizeof(state), "%s until %s", key_state(key, listing->now),
			 time_text(rotating, until));
	if (key->not_before > 0)
		time_text(key->not_before, from);
	if (key->not_after > 0 && key->not_after != TAP_FOREVER)
		time_text(key->not_after, to);
	if (rate_of(listing, key))
		snprintf(rate, sizeof(rate), "%u/s", rate_of(listing, key));
	output_row(listing->rows, number, name, state, rate, from, to);
}

static int list_key(void *context, __u32 id, const struct tap_key *key)
{
	struct listing *listing = context;
	char name[TAP_NAME_BYTES];

	keytable_name(listing->table, id, name);
	if (!listing->array) {
		list_row(listing, id, name, key);
		return 0;
	}
	return json_array_append_new(
		listing->array,
		json_pack("{s:I, s:s, s:s, s:o, s:b, s:o, s:o, s:o}", "id", (json_int_t)id, "name", name, "state",
			  key_state(key, listing->now), "rate", json_rate(rate_of(listing, key)),
			  "rate_default", key->rate == TAP_RATE_DEFAULT, "not_before", json_time(key->not_before),
			  "not_after", json_time(key->not_after), "rotating_until",
			  json_time(rotating_until(key, listing->now))));
}

int key_list(const struct tapctl *tapctl, int argc, char **argv)
{
	struct keytable table;
	struct listing listing = { .table = &table, .now = time(NULL) };
	int err;

	if (argc > 1)
		return usage("'%s' is too much here", argv[1]);
	err = keytable_open(tapctl, false, &table);
	if (!err)
		err = keytable_default_rate(tapctl, &listing.default_rate);
	if (err)
		goto out;
	if (tapctl->json)
		listing.array = json_array();
	else
		listing.rows = output_table(">ID", "NAME", "STATE", ">RATE", "NOT BEFORE", "NOT AFTER", NULL);
	err = keytable_scan(&table, list_key, &listing);
	if (err)
		json_decref(listing.array);
	else if (tapctl->json)
		err = output_json(listing.array);
	if (listing.rows)
		err = output_table_end(listing.rows, "no keys: add one with 'tapctl key add'") ?: err;
out:
	keytable_close(&table);
	return err;
}
