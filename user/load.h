/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading and reloading, for both sides: attach the new programs where they are wanted, put them in
 * the place of the old ones everywhere else, all or nothing.
 */
#ifndef TAP_LOAD_H
#define TAP_LOAD_H

#include "user/devices.h"
#include "user/interfaces.h"
#include "user/ruleset.h"
#include "user/side.h"

#define LOAD_WHY_BYTES 160

/* One interface of a load. */
struct step {
	struct interface interface;
	struct device device;
	bool added; /* by this load; else its program is replaced */
	int old_prog; /* descriptor of the program that was replaced, or -1 */
	char why[LOAD_WHY_BYTES]; /* what people should know of how it went, or "" */
};

struct load {
	const struct tapctl *tapctl;
	const struct side *side;
	int ether_fd, l3_fd; /* the new programs: for frames with and without Ethernet header */
	/*
	 * Attaches to step->interface; calls load_record() before, when it knows the hook. Returns 0
	 * or a negative errno after fail(), with nothing attached.
	 */
	int (*attach)(struct load *load, struct step *step);
	/* Whether a device that is attached already is as the options want it; 0, or after fail(). */
	int (*agrees)(const struct load *load, const struct device *device);
	/* For TAP_HOOK_XDP_SHARED; 0 or a negative errno after fail(). */
	int (*replace_shared)(struct load *load, struct step *step);
	const void *options; /* of these three */
	struct tap_ruleset *rules_before; /* if their devices were resolved anew; else NULL */
	struct devices devices;
	size_t n;
	struct step steps[TAP_DEVICES_MAX];
};

/* The program for an interface. */
int load_program(const struct load *load, const struct interface *interface);

/* Writes the step's record with this hook. */
int load_record(struct load *load, struct step *step, __u32 hook);

/* Pins a new link and closes its descriptor. */
int load_pin_link(struct load *load, const struct step *step, int link_fd);

/*
 * Does it; all but tapctl, side, programs, callbacks and options is filled in. On failure all is
 * as before, and the negative errno comes back after fail(). Then load_undo() can still take it
 * back; load_end() is always due.
 */
int load_run(struct load *load, struct interfaces *wanted);
void load_undo(struct load *load);
void load_end(struct load *load);

/* Says for each interface how it went. */
int load_print(const struct load *load);

#endif /* TAP_LOAD_H */
