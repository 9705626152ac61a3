/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the two halves of the replay property test share: how a run is to be, and what it counted.
 */
#ifndef TAP_SELFTESTS_PROPERTY_H
#define TAP_SELFTESTS_PROPERTY_H

#include <linux/types.h>

#include "tap/maps.h"

#define PROPERTY_KEY 7 /* key ID of the one key */
#define PROPERTY_PORT 443
#define PROPERTY_BORN 131072 /* power of two: groups that can be replayed, the last ones made */
#define PROPERTY_GROUPS_MAX (1u << 30)
#define PROPERTY_ERAS 8 /* power of two: times that the clock is set to, seconds from the right */
#define PROPERTY_ERA_SECONDS { 0, 0, 0, -3, -40, -100, TAP_SECONDS, -3 * TAP_SECONDS }

/* Ways to spoil the gate: each must make the test find groups that are admitted twice. */
enum property_spoiled {
	PROPERTY_WHOLE,
	PROPERTY_NO_WINDOW, /* the records' completeness is not asked for */
	PROPERTY_NO_RECORD, /* records are overwritten instead of found */
};

struct property_settings {
	__u32 spoiled; /* enum property_spoiled */
	__u32 groups_per_second; /* of the gate's time, about */
	__u32 replay_share; /* of 256 attempts, so many are with a group that was made before */
	__u32 replay_age; /* half of these are no older than so many groups */
	__u32 steps; /* 1: the clock is set back and forth */
	__u32 one_in_stalls; /* one in so many replays is held up just before it asks the record */
	__u32 skew;
};

/* One for each CPU. */
struct property_counts {
	__u64 random; /* generator's state */
	__u64 attempts;
	__u64 made; /* attempts with a new group; the others are replays */
	__u64 twice; /* groups that were admitted when they had been before: none */
	__u64 stalls;
	__u64 reasons[TAP_REASON_COUNT];
};

#endif /* TAP_SELFTESTS_PROPERTY_H */
