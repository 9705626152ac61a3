// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Records as the gate makes them, in a map of the gate's kind: new ones, and the same ones again.
 */
#define TAP_CONTEXT struct xdp_md
#define TAP_FRAME_BYTES(ctx) 0
#include "bpf/gate_maps.h"

__u64 next_new; /* number of the next new record */
__u64 found, lost, failed; /* repeated insertions: EEXIST, inserted, any other error */
const volatile __u32 newest; /* how many of the last ones come again */

static long make(__u32 i, void *context)
{
	struct tap_replay_key record = { .tag = __sync_fetch_and_add(&next_new, 1) };
	__u32 now = 1;

	if (bpf_map_update_elem(&tap_replay, &record, &now, BPF_NOEXIST))
		__sync_fetch_and_add(&failed, 1);
	return 0;
}

static long repeat(__u32 i, void *context)
{
	struct tap_replay_key record = { .tag = next_new - 1 - bpf_get_prandom_u32() % newest };
	__u32 now = 2;
	long error = bpf_map_update_elem(&tap_replay, &record, &now, BPF_NOEXIST);

	if (!error)
		__sync_fetch_and_add(&lost, 1);
	else if (error == -17 /* EEXIST */)
		++*(__u64 *)context;
	else
		__sync_fetch_and_add(&failed, 1);
	return 0;
}

SEC("syscall")
int full_make(__u32 *times)
{
	bpf_loop(*times, make, NULL, 0);
	return 0;
}

SEC("syscall")
int full_repeat(__u32 *times)
{
	__u64 seen = 0;

	bpf_loop(*times, repeat, &seen, 0);
	__sync_fetch_and_add(&found, seen);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
