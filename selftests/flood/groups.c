// SPDX-License-Identifier: GPL-2.0-only
/*
 * A flood of well-formed groups for tests, some 500,000 a second from one core: what someone can
 * send who has the realm's key and a user key, be it wrong, revoked or right; or who captured a mark
 * and has no key at all. To be run only where its frames can go nowhere, in a network namespace
 * made for it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selftests/flood/groups.h"
#include "selftests/flood/live.h"
#include "user/clock.h"
#include "user/peers.h"
#include "groups.skel.h"

static const char help[] =
	"usage: groups --dev DEV --dst-mac MAC --dst ADDRESS --dport PORT [--seconds S] [--count N]\n"
	"              [--rate N] [-6] --realm-key FILE --user-key FILE --key-id ID [--noise]\n"
	"Sends groups of four SYNs, made with these keys, from invented addresses of 10.0.0.0/8 or\n"
	"2001:db8:f::/96. Ends after S seconds (default 1, at most 600) or N groups. --rate: groups a\n"
	"second (default: as many as it can). --noise: one mark of the realm for all, and else random\n"
	"numbers.\n";

struct options {
	struct live live;
	struct peer_options peer;
	bool noise;
};

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		LIVE_LONGS, { "realm-key", 1, NULL, 'R' }, { "user-key", 1, NULL, 'U' },
		{ "key-id", 1, NULL, 'K' }, { "noise", 0, NULL, 'N' }, { "help", 0, NULL, 'h' },
		{ 0 },
	};
	int c;

	memset(o, 0, sizeof(*o));
	live_start(&o->live);
	while ((c = getopt_long(argc, argv, "6", longs, NULL)) != -1) {
		switch (c) {
		case 'R': o->peer.realm_key = optarg; break;
		case 'U': o->peer.user_key = optarg; break;
		case 'K': o->peer.key_id = strtoul(optarg, NULL, 10); break;
		case 'N': o->noise = true; break;
		case 'h': fputs(help, stdout); exit(0);
		default:
			if (live_option(&o->live, c, optarg))
				return -EINVAL;
		}
	}
	if (!o->peer.realm_key || !o->peer.user_key || !o->peer.key_id || optind != argc)
		return -EINVAL;
	/* From here on in frames. */
	o->live.rate *= TAP_GROUP_SEGMENTS;
	if (o->live.count != ~0ull)
		o->live.count *= TAP_GROUP_SEGMENTS;
	return live_check(&o->live);
}

/* A SYN with the options of Linux's: MSS, SACK permitted, timestamps, window scale. */
static int build(struct live *live)
{
	static const __u8 options[GROUPS_OPTIONS_BYTES] = {
		2, 4, 1460 >> 8, 1460 & 0xff, 4, 2, 8, 10, [16] = 1, 3, 3, 7
	};

	return live_frame(live, options, sizeof(options));
}

/* Derives the keys as `tapctl peer add` does. */
static int settings_fill(const struct options *o, struct groups_settings *settings)
{
	struct peer_keys keys = { 0 };
	int err = peer_options_keys(&o->peer, &keys);

	settings->peer.encoding = TAP_ENCODING_VEILED;
	if (!err)
		err = peer_options_apply(&o->peer, &keys, &settings->peer);
	if (err)
		return err;
	settings->tai_minus_utc_ns = clock_tai_minus_utc_ns();
	settings->port = o->live.dport;
	settings->noise = o->noise ? settings->peer.marks[0] : 0;
	return 0;
}

static int run(const struct options *o, const struct groups_settings *settings)
{
	struct groups_bpf *skel = groups_bpf__open();
	struct live_program program;
	unsigned long long made;
	double took;
	int err;

	if (!skel)
		return -errno;
	memcpy((void *)&skel->rodata->settings, &o->live.settings, sizeof(o->live.settings));
	memcpy((void *)&skel->rodata->groups_settings, settings, sizeof(*settings));
	err = groups_bpf__load(skel);
	if (err)
		goto out;
	program = (struct live_program){ .fd = bpf_program__fd(skel->progs.groups),
					 .sent = &skel->bss->sent,
					 .start_ns = &skel->bss->start_ns };
	err = live_run(&o->live, &program, &took);
	made = *program.sent / TAP_GROUP_SEGMENTS;
	if (!err)
		printf("sent %llu seconds %.3f rate %.0f\n", made, took, made / took);
out:
	groups_bpf__destroy(skel);
	return err;
}

int main(int argc, char **argv)
{
	static struct groups_settings settings;
	struct options options;
	int err;

	err = parse(&options, argc, argv);
	if (err) {
		fputs(help, stderr);
		return 2;
	}
	err = build(&options.live);
	if (!err)
		err = settings_fill(&options, &settings);
	if (!err)
		err = run(&options, &settings);
	if (err)
		fprintf(stderr, "groups: %s\n", failure() ?: strerror(-err));
	return err ? 1 : 0;
}
