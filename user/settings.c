// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of `server load`, and how they become the gate's settings.
 */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "user/clock.h"
#include "user/cookies.h"
#include "user/derive.h"
#include "user/parse.h"
#include "user/realm.h"
#include "user/settings.h"

/* Indexed by enum xdp_mode, enum tap_mark_mode, TAP_GROUP_BY_* - 1. */
static const char *const modes[] = { "auto", "native", "generic", NULL };
static const char *const marks[] = { "sealed", "open", NULL };
static const char *const group_bys[] = { "mark", "ts", "mark,ts", NULL };
static const char *const switches[] = { "off", "on", NULL };

static const struct option long_options[] = {
	{ "interface", required_argument, NULL, 'i' },
	{ "realm-key", required_argument, NULL, 'k' },
	{ "mode", required_argument, NULL, 'm' },
	{ "shared", no_argument, NULL, 's' },
	{ "encoding", required_argument, NULL, 'e' },
	{ "frame", required_argument, NULL, 'e' }, /* its old name */
	{ "mark", required_argument, NULL, 'M' },
	{ "group-by", required_argument, NULL, 'g' },
	{ "skew", required_argument, NULL, 'S' },
	{ "replay-size", required_argument, NULL, 'r' },
	{ "monitor", optional_argument, NULL, 'o' },
	{ 0 },
};

static int read_choice(const char *what, const char *const *words, __u8 base, __u8 *value,
		       bool *given)
{
	__u8 index;
	int err;

	err = parse_choice(what, optarg, words, &index);
	if (err)
		return err;
	*value = base + index;
	*given = true;
	return 0;
}

static int read_option(int option, struct server_options *o)
{
	bool ignored;
	__u8 value;
	int err;

	switch (option) {
	case 'i':
		options_again(option);
		return interfaces_add(&o->interfaces, optarg);
	case 'k':
		o->realm_key = optarg;
		return 0;
	case 's':
		o->shared = true;
		return 0;
	case 'm':
		err = read_choice("--mode", modes, 0, &value, &ignored);
		if (!err)
			o->mode = value;
		return err;
	case 'e':
		o->has_encoding = true;
		return parse_encoding(optarg, &o->encoding);
	case 'M':
		return read_choice("--mark", marks, 0, &o->mark_mode, &o->has_mark);
	case 'g':
		return read_choice("--group-by", group_bys, 1, &o->group_by, &o->has_group_by);
	case 'S':
		o->has_skew = true;
		return parse_number("--skew", optarg, 1, TAP_SKEW_MAX, &o->skew);
	case 'r':
		o->has_replay_size = true;
		return parse_number("--replay-size", optarg, 1, TAP_REPLAY_SIZE_MAX,
				    &o->replay_size);
	case 'o':
		o->monitor = o->has_monitor = true;
		return optarg ? read_choice("--monitor", switches, 0, &o->monitor, &ignored) : 0;
	}
	return USAGE;
}

int settings_read_options(int argc, char **argv, struct server_options *o)
{
	int option, err;

	memset(o, 0, sizeof(*o));
	options_start();
	while ((option = options_next(argc, argv, ":i:", long_options)) != OPTIONS_END) {
		err = read_option(option, o);
		if (err)
			return err;
	}
	if (optind < argc && o->has_monitor &&
	    (!strcmp(argv[optind], "on") || !strcmp(argv[optind], "off")))
		return usage("unexpected word \"%s\": write --monitor=%s", argv[optind], argv[optind]);
	if (optind < argc)
		return usage("unexpected word \"%s\": interfaces are named by -i", argv[optind]);
	if (!o->interfaces.n)
		return usage("which interface? -i eth0");
	if (!o->realm_key)
		return usage("the realm key is missing: --realm-key FILE, for a reload the one it was "
			     "loaded with (for a new server `tapctl realm gen -o FILE` makes one)");
	return 0;
}

static void change(const struct server_options *o, struct tap_realm *realm)
{
	if (o->has_encoding)
		realm->encoding = o->encoding;
	if (o->has_mark)
		realm->mark_mode = o->mark_mode;
	if (o->has_group_by)
		realm->group_by = o->group_by;
	if (o->has_skew)
		realm->skew = o->skew;
	if (o->has_monitor)
		realm->monitor = o->monitor;
	realm->cookie_acks = cookies_taken_by() != NULL;
	realm->tai_minus_utc_ns = clock_tai_minus_utc_ns();
}

int settings_make(const struct server_options *o, const struct realm_key *key,
		  struct tap_realm *realm)
{
	int err;

	memset(realm, 0, sizeof(*realm));
	memcpy(realm->id, key->id, sizeof(realm->id));
	err = derive_realm_secret(key, &realm->secret[0]);
	if (err)
		return err;
	randombytes_buf(&realm->place, sizeof(realm->place));
	realm->encoding = TAP_ENCODING_VEILED;
	realm->mark_mode = TAP_MARK_SEALED;
	realm->group_by = TAP_GROUP_BY_MARK | TAP_GROUP_BY_TS;
	realm->skew = TAP_SKEW_DEFAULT;
	realm->replay_size = o->has_replay_size ? o->replay_size : TAP_REPLAY_SIZE_DEFAULT;
	change(o, realm);
	return 0;
}

static int check_realm(const struct realm_key *key, const struct tap_realm *realm)
{
	int slot = realm_slot(realm, key->secret);
	char at[TIME_TEXT];

	if (memcmp(realm->id, key->id, sizeof(key->id)))
		return fail(EEXIST, "this is another realm key than the gate was loaded with (`tapctl "
				    "status` shows that one's ID and fingerprint): give that one, because "
				    "the keys were derived for it");
	if (slot == realm->newest)
		return 0;
	if (slot >= 0)
		return fail(EEXIST, "this realm key's secret was replaced at %s: give the newest key file",
			    time_text(realm->rotated, at));
	if (realm->rotated)
		return fail(EEXIST, "this is another secret of the same realm than the gate has since %s: "
				    "give the newest key file; `tapctl realm rotate --realm-key FILE` "
				    "brings in a new one",
			    time_text(realm->rotated, at));
	return fail(EEXIST, "this is another secret of the same realm than the gate has: `tapctl realm "
			    "rotate --realm-key FILE` brings it in, without a gap");
}

int settings_change(const struct server_options *o, const struct realm_key *key,
		    struct tap_realm *realm)
{
	int err = check_realm(key, realm);

	if (err)
		return err;
	if (o->has_replay_size && o->replay_size != realm->replay_size)
		return fail(EEXIST,
			    "the gate is loaded with --replay-size %u, which cannot change while "
			    "it remembers admissions: leave the option out",
			    realm->replay_size);
	change(o, realm);
	return 0;
}

const char *settings_encoding_text(__u8 value)
{
	return encoding_text(value);
}

const char *settings_group_by_text(__u8 value)
{
	return value >= 1 && value <= 3 ? group_bys[value - 1] : "nothing";
}
