/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The splitter as it runs on the host: the very source of the program, with maps that the fuzz
 * targets read and write.
 */
#ifndef TAP_FUZZ_HOST_SPLITTER_H
#define TAP_FUZZ_HOST_SPLITTER_H

#include "selftests/fuzz/host.h"
#include "tap/maps.h"

void host_splitter_start(void); /* once, before all else */
void host_splitter_rules(struct tap_ruleset *set);

/* Values in the maps, to be read and written in place. */
struct tap_client *host_splitter_client(void);
struct tap_peer *host_splitter_peer(uint32_t index);
const struct tap_client_stats *host_splitter_stats(void);

void host_splitter_forget(void); /* the SYNs that it sent, and the counters */

/* One packet on its way out; what the program returns. Clones go to host_send_clone(). */
int host_splitter_run(struct host_skb *skb, bool l3);

#endif /* TAP_FUZZ_HOST_SPLITTER_H */
