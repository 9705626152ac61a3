/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every part of the programs includes first. Code that unit tests and fuzzers run on the host
 * includes it too: there it stands in for the few things that the kernel's side provides.
 */
#ifndef TAP_BPF_KERNEL_H
#define TAP_BPF_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/bpf.h>

#ifdef __bpf__

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#else /* on the host */

#include <arpa/inet.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#define bpf_ntohs(x) ntohs(x)
#define bpf_htons(x) htons(x)
#define bpf_ntohl(x) ntohl(x)
#define bpf_htonl(x) htonl(x)

static inline long bpf_loop(__u32 times, long (*step)(__u32, void *), void *context, __u64 flags)
{
	__u32 i;

	(void)flags;
	for (i = 0; i < times; i++)
		if (step(i, context))
			return i + 1;
	return i;
}

#endif

/* Reads a word that another CPU may be writing, once and whole. */
#define TAP_READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define TAP_WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))

#endif /* TAP_BPF_KERNEL_H */
