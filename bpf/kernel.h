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

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "TAP's tables are laid out for little-endian machines"
#endif

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

#define TAP_NS_PER_SEC 1000000000ULL

/* Reads a word that another CPU may be writing, once and whole. */
#define TAP_READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define TAP_WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))

/*
 * A function that the verifier checks once, on its own, whatever its callers know: what comes after
 * a long search or loop does not multiply with the ways that lead there. Arguments are scalars, the
 * context, or pointers to memory of a fixed size, which must be compared with NULL first.
 */
#ifdef __bpf__
#define TAP_CHECKED_ALONE __noinline
#else
#define TAP_CHECKED_ALONE static inline
#endif

/*
 * Where the frame is. A program names its kind of context, and how to get the length of the whole
 * frame (TAP_FRAME_BYTES), before it includes anything else; code that runs alone on the host may
 * leave both out, and its frame is then a piece of memory.
 */
#ifdef TAP_CONTEXT
#define TAP_DATA(ctx) ((void *)(long)(ctx)->data)
#define TAP_DATA_END(ctx) ((void *)(long)(ctx)->data_end)
#define TAP_DATA_AGAIN(ctx) ((void *)(long)TAP_READ_ONCE((ctx)->data))
#elif defined(__bpf__)
#error "define TAP_CONTEXT as struct xdp_md or struct __sk_buff"
#else
struct tap_frame_memory {
	void *data;
	void *data_end;
};
#define TAP_CONTEXT struct tap_frame_memory
#define TAP_FRAME_BYTES(ctx) ((ctx)->data_end - (ctx)->data)
#define TAP_DATA(ctx) ((ctx)->data)
#define TAP_DATA_END(ctx) ((ctx)->data_end)
#define TAP_DATA_AGAIN(ctx) TAP_DATA(ctx)
#endif

/*
 * A number that the verifier does not know. What a bpf_loop() step both changes and decides by must
 * start as one, where it is on the stack: the verifier of Linux 6.1 looks at a step once, with
 * the context as it was before the first, and removes the branches that this one would not take.
 */
#ifdef __bpf__
static volatile __u32 tap_nothing; /* 0; in .bss, so it could be anything */
#define TAP_UNKNOWN(x) ((x) + tap_nothing)
#else
#define TAP_UNKNOWN(x) (x)
#endif

/* Keeps clang from moving arithmetic on x across this point. */
#define TAP_KEEP_ORDER(x) asm volatile("" : "+r"(x))

#endif /* TAP_BPF_KERNEL_H */
