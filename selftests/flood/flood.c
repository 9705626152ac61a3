// SPDX-License-Identifier: GPL-2.0-only
/*
 * A SYN flood for tests, a few million frames a second from one core: live frames that the program
 * beside this file makes. To be run only where its frames can go nowhere, in a network namespace
 * made for it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selftests/flood/flood.h"
#include "selftests/flood/live.h"
#include "flood.skel.h"

static const char help[] =
	"usage: flood --dev DEV --dst-mac MAC --dst ADDRESS --dport PORT [--seconds S] [--count N]\n"
	"             [--window any|N] [--rate N] [-6]\n"
	"Sends SYNs from invented addresses of 10.0.0.0/8 or 2001:db8:f::/96. Ends after S seconds\n"
	"(default 1, at most 600) or N frames. --rate: frames a second (default: as many as it can).\n";

static int parse(struct live *live, long *window, int argc, char **argv)
{
	static const struct option longs[] = {
		LIVE_LONGS, { "window", 1, NULL, 'w' }, { "help", 0, NULL, 'h' }, { 0 },
	};
	int c;

	live_start(live);
	*window = FLOOD_WINDOW_ANY;
	while ((c = getopt_long(argc, argv, "6", longs, NULL)) != -1) {
		switch (c) {
		case 'w':
			*window = strcmp(optarg, "any") ? strtol(optarg, NULL, 0) : FLOOD_WINDOW_ANY;
			break;
		case 'h': fputs(help, stdout); exit(0);
		default:
			if (live_option(live, c, optarg))
				return -EINVAL;
		}
	}
	if (*window > 65535 || optind != argc)
		return -EINVAL;
	return live_check(live);
}

static int run(const struct live *live, long window)
{
	struct flood_bpf *skel = flood_bpf__open();
	struct live_program program;
	double took;
	int err;

	if (!skel)
		return -errno;
	memcpy((void *)&skel->rodata->settings, &live->settings, sizeof(live->settings));
	skel->rodata->flood_window = window;
	err = flood_bpf__load(skel);
	if (err)
		goto out;
	program = (struct live_program){ .fd = bpf_program__fd(skel->progs.flood),
					 .sent = &skel->bss->sent,
					 .start_ns = &skel->bss->start_ns };
	err = live_run(live, &program, &took);
	if (!err)
		printf("sent %llu seconds %.3f rate %.0f\n", (unsigned long long)*program.sent, took,
		       *program.sent / took);
out:
	flood_bpf__destroy(skel);
	return err;
}

int main(int argc, char **argv)
{
	struct live live;
	long window;
	int err;

	err = parse(&live, &window, argc, argv);
	if (err) {
		fputs(help, stderr);
		return 2;
	}
	err = live_frame(&live, "", 0);
	if (!err)
		err = run(&live, window);
	if (err)
		fprintf(stderr, "flood: %s\n", strerror(-err));
	return err ? 1 : 0;
}
