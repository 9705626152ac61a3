/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters of both sides, summed over CPUs.
 */
#ifndef TAP_COUNTERS_H
#define TAP_COUNTERS_H

#include "tap/maps.h"
#include "user/tapctl.h"

struct counters {
	bool server; /* a gate is loaded */
	bool client; /* a splitter is loaded */
	__u64 reasons[TAP_REASON_COUNT];
	__u64 splits[TAP_SPLIT_COUNT];
};

/* Reads what is loaded; 0, or -errno after fail() (-ENOENT: nothing is loaded). */
int counters_read(const struct tapctl *tapctl, struct counters *counters);

/* Their names and what they mean, by enum tap_reason and enum tap_split. */
struct counter_label {
	const char *label;
	const char *text;
};
extern const struct counter_label reason_labels[TAP_REASON_COUNT];
extern const struct counter_label split_labels[TAP_SPLIT_COUNT];

#endif /* TAP_COUNTERS_H */
