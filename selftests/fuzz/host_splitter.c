// SPDX-License-Identifier: GPL-2.0-only
/*
 * The splitter, whole, compiled for the host; see host_splitter.h.
 */
#include "selftests/fuzz/host_bpf.h"

#define LICENSE splitter_license
#include "bpf/splitter.bpf.c"
#undef LICENSE

#include "selftests/fuzz/host_splitter.h"

void host_splitter_start(void)
{
	HOST_MAP(tap_client);
	HOST_MAP(tap_client_stats);
	HOST_MAP_OF_MAPS(tap_rules);
	HOST_MAP(tap_peers);
	HOST_MAP(tap_sent);
}

void host_splitter_rules(struct tap_ruleset *set)
{
	host_map_set_inner(&tap_rules, set);
}

struct tap_client *host_splitter_client(void)
{
	return host_map_at(&tap_client, 0);
}

struct tap_peer *host_splitter_peer(uint32_t index)
{
	return host_map_at(&tap_peers, index);
}

const struct tap_client_stats *host_splitter_stats(void)
{
	return host_map_at(&tap_client_stats, 0);
}

void host_splitter_forget(void)
{
	host_map_clear(&tap_sent);
	host_map_clear(&tap_client_stats);
}

int host_splitter_run(struct host_skb *skb, bool l3)
{
	return l3 ? tap_split_l3(&skb->ctx) : tap_split(&skb->ctx);
}
