/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The figures of the cases, round by round, and how they are printed.
 */
#ifndef TAP_SELFTESTS_COST_FIGURES_H
#define TAP_SELFTESTS_COST_FIGURES_H

#include <stdbool.h>

#include "selftests/cost/feed.h"

#define ROUNDS_MAX 99

struct figure {
	const char *set; /* which table it belongs to */
	char name[64];
	double aim; /* at most so many times floor_parser; 0: none */
	unsigned int n; /* rounds so far */
	double ns[ROUNDS_MAX]; /* the test runner's own share included, the feeder's not */
	/* So many times the floors; 0: they are of another kind. */
	double times_drop[ROUNDS_MAX], times_parse[ROUNDS_MAX], times_parser[ROUNDS_MAX];
};

/* The figure of that name, made at the first call. */
struct figure *figure(const char *set, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What one round is compared with, for the same frames. */
struct floors {
	double runner, feeder, drop, parse, parser;
};
void floors_measure(struct floors *floors, unsigned int repeat);

/* One more round: ns is what feed_run() said. */
void figure_add(struct figure *figure, double ns, const struct floors *floors);

void figures_print(bool json);

#endif /* TAP_SELFTESTS_COST_FIGURES_H */
