/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a change of the services opens to strangers: the connections that a tap or drop service
 * decided before, and that nothing or a pass service decides after it. Found by asking for one
 * connection of each kind that the services tell apart, so order and overlaps count as they do in the
 * gate. Only where there are too many kinds is the answer "something may be open".
 */
#ifndef TAP_OPENINGS_H
#define TAP_OPENINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "tap/maps.h"

#define OPENINGS_MAX 64

struct opening {
	struct tap_port_range ports;
	struct tap_prefix dst;
	struct tap_prefix src;
	__u32 ifindex; /* 0: any */
	char device[16]; /* the name of that device in its service */
	bool part; /* some of these connections are other services' */
	__u32 rules[2]; /* the service that shut them, the one that passes them; for joining ranges */
};

struct openings {
	size_t n;
	bool more; /* there are, or may be, others */
	struct opening at[OPENINGS_MAX];
};

/*
 * What is open after a change from `before` to `after`. `devices`: only what comes in by these; NULL:
 * by any. Returns whether there is anything; never false where something opens.
 */
bool openings_find(const struct tap_ruleset *before, const struct tap_ruleset *after,
		   const __u32 *devices, size_t n_devices, struct openings *openings);

#define OPENINGS_TEXT 640
/* "port 22 from 192.0.2.0/24 on eth0, port 80": all of it, or the first ones and how many more. */
const char *openings_text(const struct openings *openings, char text[OPENINGS_TEXT]);

/* An array of {"ports", "dst", "src", "dev", "part"}; null stands for any. */
json_t *openings_json(const struct openings *openings);

#endif /* TAP_OPENINGS_H */
