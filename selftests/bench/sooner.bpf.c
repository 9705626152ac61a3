// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lets the connections of a cgroup send their first SYN again after AGAIN_MS, where the kernel would
 * wait for a second: a prototype, to measure what that gains on a path that loses.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define AGAIN_MS 200

extern int CONFIG_HZ __kconfig;

SEC("sockops")
int sooner(struct bpf_sock_ops *ops)
{
	ops->reply = ops->op == BPF_SOCK_OPS_TIMEOUT_INIT ? AGAIN_MS * (__u32)CONFIG_HZ / 1000 : -1;
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
