// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints what one packet costs the gate and the splitter, next to the least that any program can do
 * with it, in the kernel's program test runner. Figures, not tests: a busy machine must not fail
 * it.
 *
 *   cost [-j] [-q] [-r ROUNDS] [SET...]     flood services passing groups splitter; default: all
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "selftests/common/check.h"
#include "selftests/cost/cases.h"
#include "selftests/cost/feed.h"
#include "selftests/cost/figures.h"
#include "selftests/cost/gates.h"

#define ROUNDS 15
#define REPEAT 100000
#define REPEAT_QUICK 10000

bool wanted(const struct effort *effort, const char *set)
{
	char **name = effort->sets;

	for (; *name; name++)
		if (!strcmp(*name, set))
			return true;
	return name == effort->sets;
}

int main(int argc, char **argv)
{
	struct effort effort = { .rounds = ROUNDS, .repeat = REPEAT };
	bool json = false;
	unsigned int i;
	int option;

	while ((option = getopt(argc, argv, "jqr:")) != -1) {
		if (option == 'j')
			json = true;
		else if (option == 'q')
			effort.repeat = REPEAT_QUICK;
		else if (option == 'r')
			effort.rounds = atoi(optarg);
		else
			effort.rounds = 0;
	}
	if (!effort.rounds || effort.rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: cost [-j] [-q] [-r ROUNDS] [SET...]\n");
		return 2;
	}
	effort.sets = argv + optind;
	if (sodium_init() < 0)
		give_up("libsodium does not start");
	feed_load();
	for (i = 0; i < effort.rounds; i++) {
		streams_round(&effort);
		groups_round(&effort);
		splits_round(&effort);
	}
	figures_print(json);
	splits_end();
	cost_gates_unload();
	feed_unload();
	return 0;
}
