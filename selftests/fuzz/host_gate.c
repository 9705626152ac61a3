// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate, whole, compiled for the host; see host_gate.h.
 */
#include "selftests/fuzz/host_bpf.h"

#define LICENSE gate_license
#include "bpf/gate.bpf.c"
#undef LICENSE

#include <sys/mman.h>
#include <unistd.h>

#include "selftests/fuzz/fuzz.h"
#include "selftests/fuzz/host_gate.h"

struct nf_conn *host_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
				   __u32 tuple_bytes, struct bpf_ct_opts___tap *opts,
				   __u32 opts_bytes)
{
	static struct nf_conn connection;

	MUST(opts->protocol == IPPROTO_TCP, "%u", opts->protocol);
	return host_world.tracked ? &connection : NULL;
}

void host_ct_release(struct nf_conn *connection)
{
}

void host_gate_start(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)&gate & ~(page - 1);
	uintptr_t end = (uintptr_t)(&gate + 1);

	HOST_MAP(tap_realm);
	HOST_MAP(tap_stats);
	HOST_MAP_OF_MAPS(tap_services);
	HOST_MAP(tap_keys);
	HOST_MAP(tap_key_use);
	HOST_MAP(tap_acl);
	HOST_MAP(tap_pending);
	HOST_MAP(tap_replay);
	HOST_MAP(tap_seconds);
	HOST_MAP(tap_flows);
	HOST_MAP(tap_recent);
	HOST_MAP(tap_gate_state);
	HOST_MAP(tap_events);
	HOST_MAP(tap_judgement);
	/* As tapctl does before it loads the program: constants can be written, once. */
	MUST(!mprotect((void *)from, end - from, PROT_READ | PROT_WRITE), "the gate's constants");
}

void host_gate_constants(const struct tap_gate_constants *constants)
{
	void *to = (void *)(uintptr_t)&gate;

	asm volatile("" : "+r"(to)); /* or clang drops what is written to a constant */
	memcpy(to, constants, sizeof(*constants));
}

void host_gate_services(struct tap_ruleset *set)
{
	host_map_set_inner(&tap_services, set);
}

struct tap_key *host_gate_key(uint16_t id)
{
	return host_map_at(&tap_keys, id);
}

void host_gate_set_key(uint16_t id, const struct tap_key *key)
{
	struct tap_acl *all = host_map_at(&tap_acl, TAP_ACL_ANY);

	*host_gate_key(id) = key ? *key : (struct tap_key){};
	if (key)
		all->allowed[id / 64] |= 1ULL << (id % 64);
	else
		all->allowed[id / 64] &= ~(1ULL << (id % 64));
}

const struct tap_key_use *host_gate_key_use(uint16_t id)
{
	return host_map_at(&tap_key_use, id);
}

struct tap_acl *host_gate_acl(uint32_t list)
{
	return host_map_at(&tap_acl, list);
}

struct tap_realm *host_gate_realm(void)
{
	return host_map_at(&tap_realm, 0);
}

struct tap_stats *host_gate_stats(void)
{
	return host_map_at(&tap_stats, 0);
}

struct tap_gate_state *host_gate_state(void)
{
	return host_map_at(&tap_gate_state, 0);
}

struct tap_event *host_gate_event(uint32_t at)
{
	return host_map_at(&tap_events, at);
}

void host_gate_replay_size(uint32_t entries)
{
	host_map_resize(&tap_replay, entries);
}

void host_gate_forget(const struct host_gate_forgetting *too, void *context)
{
	if (too) {
		host_map_touched(&tap_pending, too->bucket, context);
		host_map_touched(&tap_seconds, too->second, context);
		host_map_touched(&tap_recent, too->recent, context);
		host_map_touched(&tap_key_use, too->use, context);
		host_map_entries(&tap_replay, too->record, context);
		host_map_entries(&tap_flows, too->flow, context);
	}
	host_map_clear(&tap_pending);
	host_map_clear(&tap_replay);
	host_map_clear(&tap_seconds);
	host_map_clear(&tap_key_use);
	host_map_clear(&tap_flows);
	host_map_clear(&tap_recent);
	host_map_clear(&tap_gate_state);
	host_map_clear(&tap_events);
	host_map_clear(&tap_stats);
}

int host_gate_run(const void *frame, size_t length, bool l3, uint32_t ifindex,
		  struct host_output *out)
{
	struct xdp_md ctx = { .ingress_ifindex = ifindex };

	ctx.data = (uintptr_t)host_frame(0, frame, length);
	ctx.data_end = ctx.data + length;
	host_frame_bytes = length;
	out->verdict = l3 ? tap_gate_l3(&ctx) : tap_gate(&ctx);
	out->bytes = (const uint8_t *)(uintptr_t)ctx.data;
	out->length = ctx.data_end - ctx.data;
	return out->verdict;
}
