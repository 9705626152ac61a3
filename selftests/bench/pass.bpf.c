// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lets all pass, unseen: what any XDP program costs, on devices that must remake each packet for
 * it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp.frags")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
