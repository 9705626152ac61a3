/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Notes on what an administrator would otherwise find out from users: services that no key opens.
 */
#ifndef TAP_ADVICE_H
#define TAP_ADVICE_H

#include "tap/maps.h"
#include "user/ruleset.h"
#include "user/tapctl.h"

#define ADVICE_PORTS 8 /* then "and N more" */

/* The tap services that nobody can connect to, for lack of a key that is usable now. */
struct advice_closed {
	unsigned int n; /* how many; 0: none */
	bool stealth; /* one of them has stealth on */
	bool any_key; /* there are usable keys, but they are not allowed there */
	char ports[ADVICE_PORTS * 16 + 32]; /* "22, 80", at most ADVICE_PORTS of them */
};

/* Finds those from number `first` (from 1) to `last`. 0 or -errno after fail(). */
int advice_closed_services(const struct tapctl *tapctl, const struct tap_ruleset *set,
			   unsigned int first, unsigned int last, struct advice_closed *closed);

/* The number of an earlier rule that takes all of number `at`'s SYNs, from 1; 0: none. */
unsigned int advice_covered_by(const struct tap_ruleset *set, enum ruleset_side side,
			       unsigned int at);

/*
 * Notes which tap services from number `first` (from 1) to `last` nobody can connect to, for lack of
 * a key that is usable now. Best effort: says nothing if the maps cannot be read.
 */
void advise_on_services(const struct tapctl *tapctl, const struct tap_ruleset *set,
			unsigned int first, unsigned int last);

/*
 * Notes which services never match for another that comes before them, where the one or the other is
 * from number `first` to `last`.
 */
void advise_on_order(const struct tap_ruleset *set, unsigned int first, unsigned int last);

/*
 * Notes that services from number `first` to `last` cut connections of hosts behind this one, where
 * that may be so.
 */
void advise_on_hiding(const struct tapctl *tapctl, const struct tap_ruleset *set,
		      unsigned int first, unsigned int last);

/* The same for all services in force, after a load, where it is SYN cookies that the gate looks for. */
void advise_on_cookies(const struct tapctl *tapctl);

/*
 * Notes a service behind a port forward that wants the dialled address in the tag, and does not know
 * that address.
 */
void advise_on_binding(const struct tap_ruleset *set, unsigned int first, unsigned int last);

/*
 * Notes what a load opened to strangers by looking up the services' devices again: a device that took
 * the name of another one takes its services. `before`: the services before it; NULL: it changed none.
 */
void advise_on_opened(const struct tapctl *tapctl, const struct tap_ruleset *before);

/* The first for all services in force. */
void advise_on_all_services(const struct tapctl *tapctl);

#endif /* TAP_ADVICE_H */
