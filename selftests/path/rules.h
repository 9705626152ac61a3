/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the path does to the frames of a port, and the SYNs that belong together.
 */
#ifndef PATH_RULES_H
#define PATH_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GROUP_SYNS 4 /* SYN1, SYN2, SYN3, SYN0: as the splitter sends them */

enum twice { TWICE_NONE, TWICE_LAST, TWICE_ALL };

/* Times in which all is lost, and times in which nothing is. */
struct bursts {
	bool losing;
	uint64_t until_ns;
};

struct rule {
	uint16_t port; /* of either end */
	double loss; /* share of the frames, in each direction */
	double burst_ns; /* mean length of the times in which all is lost; 0: each frame on its own */
	double gap_ns; /* between one SYN of a group and the next */
	double jitter_ns; /* each frame is late by 0 to this */
	enum twice twice; /* which SYNs of a group go out twice, one behind the other */
	struct bursts bursts[2]; /* for each direction */
	unsigned long long frames, lost, groups, overtaken;
};

/* SYNs of one group, so far. */
struct group {
	struct rule *rule;
	uint32_t tsval;
	uint16_t window;
	uint8_t seen; /* this many went in */
	uint8_t highest; /* that went out: place + 1 */
};

/* Adds one from "PORT:loss=0.05,burst=10,gap=1,jitter=1,twice=all", times in ms. 0, or -EINVAL. */
int rule_add(char *text);

/* The rule for a frame, or NULL. *group: that of a SYN that a rule tells apart, else NULL. */
struct rule *rule_for(uint8_t *bytes, size_t length, struct group **group);

/* Whether to lose a frame that goes in this direction (0 or 1) now. Counts. */
bool rule_loses(struct rule *rule, int direction, uint64_t now_ns);

/* A place-th SYN of the group goes out. */
void group_leaves(struct group *group, unsigned int place);

/* {"PORT": {...}, ...} */
void rules_print(void);

#endif /* PATH_RULES_H */
