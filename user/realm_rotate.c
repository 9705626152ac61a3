// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl realm rotate: gives a running gate a new secret of its realm, while the old one works a
 * while longer. The settings go first, marked as unfinished, then the programs are replaced in
 * place: those without the new secret take the old one as before, those that have it take both.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "user/derive.h"
#include "user/gate.h"
#include "user/kernel.h"
#include "user/keyfile.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/pins.h"
#include "user/realm.h"
#include "user/server.h"
#include "user/verbs.h"

#define OVERLAP_DEFAULT 3600u
#define OVERLAP_MAX (10u * 366 * 86400)

struct arguments {
	const char *realm_key;
	unsigned int overlap;
	bool has_overlap;
};

/* All of it is in locked memory. */
struct rotation {
	struct realm_key key;
	struct tap_realm_secret secret;
	struct tap_realm realm, before;
	bool already; /* the gate has that secret */
	bool shortened; /* and its overlap ends sooner now */
};

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{ "realm-key", required_argument, NULL, 'k' },
		{ "overlap", required_argument, NULL, 'o' },
		{},
	};
	int option, err = 0;

	options_start();
	while (!err && (option = options_next(argc, argv, ":", options)) != OPTIONS_END) {
		if (option == 'k') {
			arguments->realm_key = optarg;
		} else if (option == 'o') {
			arguments->has_overlap = true;
			err = parse_number("--overlap", optarg, 0, OVERLAP_MAX,
					   &arguments->overlap);
		} else {
			err = USAGE;
		}
	}
	if (err)
		return err;
	option = options_words(argc, argv, 0, NULL);
	if (option < 0)
		return option;
	if (!arguments->realm_key)
		return usage("--realm-key FILE is missing: the realm's new key (`tapctl realm gen --rotate "
			     "OLD -o FILE` makes it)");
	return 0;
}

/* Whether the gate may change to this key now. */
static int check(struct rotation *rotation, __s64 now)
{
	const struct tap_realm *realm = &rotation->realm;
	char at[TIME_TEXT];
	int slot;

	if (memcmp(realm->id, rotation->key.id, sizeof(realm->id)))
		return fail(EINVAL, "that is the key of another realm than the gate's (`tapctl status` shows "
				    "its ID): a new secret of the same realm is made by `tapctl realm gen "
				    "--rotate OLD -o NEW`");
	slot = realm_slot(realm, rotation->key.secret);
	rotation->already = slot == realm->newest;
	if (slot >= 0 && !rotation->already)
		return fail(EINVAL, "that secret was replaced at %s: give the newest realm key, or a new one "
				    "(`tapctl realm gen --rotate OLD -o NEW`)",
			    time_text(realm->rotated, at));
	if (!rotation->already && realm_overlaps(realm, now))
		return fail(EBUSY, "the realm was rotated already, and its old secret is taken until %s: a "
				   "gate takes two secrets at most, so rotate again after that",
			    time_text(realm->before_until, at));
	return 0;
}

/* Loads the programs anew with the settings as they are, for what they have is older. */
static int reload(const struct tapctl *tapctl, struct rotation *rotation, bool attached)
{
	static const struct server_options nothing;
	struct server_change change = {
		.options = &nothing,
		.realm = &rotation->realm,
		.attached = attached,
	};

	if (!rotation->realm.rotating && !realm_overlapped(&rotation->realm, time(NULL)))
		return 0;
	if (!realm_overlaps(&rotation->realm, time(NULL)))
		realm_forget_older(&rotation->realm);
	return server_put(tapctl, &change);
}

/* Whether the overlap under way is to end sooner; sets its new end. */
static bool shorten(struct rotation *rotation, const struct arguments *arguments, __s64 now)
{
	struct tap_realm *realm = &rotation->realm;

	if (!rotation->already || !arguments->has_overlap ||
	    now + arguments->overlap >= realm->before_until)
		return false;
	realm->before_until = now + arguments->overlap;
	if (!arguments->overlap)
		realm_forget_older(realm);
	return true;
}

/*
 * First a reload where the programs may have a secret that is over: a new time until which the
 * older secret is taken would let that one in again.
 */
static int rotate(const struct tapctl *tapctl, const struct arguments *arguments,
		  struct rotation *rotation)
{
	static const struct server_options nothing;
	struct server_change change = {
		.options = &nothing,
		.realm = &rotation->realm,
		.before = &rotation->before,
	};
	int err;

	err = gate_read_settings(tapctl, &rotation->realm);
	if (!err)
		err = check(rotation, time(NULL));
	if (!err)
		err = derive_realm_secret(&rotation->key, &rotation->secret);
	if (!err)
		err = server_attached(tapctl, &change.attached);
	if (!err)
		err = reload(tapctl, rotation, change.attached);
	rotation->before = rotation->realm;
	if (!err)
		rotation->shortened = shorten(rotation, arguments, time(NULL));
	if (rotation->shortened)
		return server_put(tapctl, &change);
	if (err || rotation->already)
		return err;
	realm_rotate_to(&rotation->realm, &rotation->secret, time(NULL), arguments->overlap);
	rotation->realm.rotating = 1;
	return server_put(tapctl, &change);
}

static int report(const struct tapctl *tapctl, const struct rotation *rotation)
{
	const struct tap_realm *realm = &rotation->realm;
	bool already = rotation->already;
	char id[DERIVE_ID_TEXT], fingerprint[DERIVE_FINGERPRINT_BYTES], at[TIME_TEXT];
	char old[80] = "the old one is refused from now on";
	bool overlaps = realm_overlaps(realm, time(NULL));
	bool says_of_old = overlaps || !already || rotation->shortened;
	int err;

	err = derive_fingerprint(realm->secret[realm->newest].secret, fingerprint);
	if (err)
		return err;
	derive_id_text(realm->id, id);
	time_text(realm->before_until, at);
	if (overlaps)
		snprintf(old, sizeof(old), "the old one is taken until %s", at);
	return output_done(tapctl,
			   json_pack("{s:s, s:s, s:b, s:s?}", "rotated", id, "fingerprint",
				     fingerprint, "already", already, "old_secret_until",
				     overlaps ? at : NULL),
			   "realm %s %s the secret with fingerprint %s%s%s", id,
			   already ? "already has" : "now has", fingerprint,
			   says_of_old ? "; " : "", says_of_old ? old : "");
}

int realm_rotate(const struct tapctl *tapctl, int argc, char **argv)
{
	struct arguments arguments = { .overlap = OVERLAP_DEFAULT };
	struct rotation rotation = { 0 };
	int err, lock = -1;

	err = read_arguments(argc, argv, &arguments);
	if (!err)
		err = kernel_check();
	if (err)
		return err;
	sodium_mlock(&rotation, sizeof(rotation));
	err = keyfile_read(arguments.realm_key, (unsigned char *)&rotation.key,
			   sizeof(rotation.key));
	if (!err)
		err = lock = pins_open(tapctl, PINS_WRITE);
	if (err >= 0)
		err = rotate(tapctl, &arguments, &rotation);
	if (!err)
		err = report(tapctl, &rotation);
	sodium_munlock(&rotation, sizeof(rotation)); /* wipes it, too */
	if (lock >= 0)
		close(lock);
	return err;
}
