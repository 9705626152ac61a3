/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cases, by kind. Each function runs one round of its kind and adds to the figures; sets is a
 * list of tables that are wanted, NULL for all.
 */
#ifndef TAP_SELFTESTS_COST_CASES_H
#define TAP_SELFTESTS_COST_CASES_H

#include <stdbool.h>

/* How long a measurement is. */
struct effort {
	unsigned int rounds;
	unsigned int repeat; /* runs of a program in one measurement, where it may be any number */
	char **sets; /* wanted, NULL at the end */
};

bool wanted(const struct effort *effort, const char *set);

void streams_round(const struct effort *effort); /* single segments: floods, data */
void groups_round(const struct effort *effort); /* groups of four, whole */
void splits_round(const struct effort *effort); /* SYNs in the splitter */
void splits_end(void);

#endif /* TAP_SELFTESTS_COST_CASES_H */
