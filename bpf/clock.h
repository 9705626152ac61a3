/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What time it is, in UTC. BPF programs have CLOCK_TAI only, and what TAI minus UTC is, the kernel
 * believes to be 0 until a time daemon tells it (then 37 s): a program that kept the value from when
 * it was loaded would be wrong from then on, and let nobody in.
 *
 * No helper gives the offset, but the kernel's timers hold it: each CPU's timer base has the offsets
 * of CLOCK_REALTIME and CLOCK_TAI from the monotonic clock, set anew on all CPUs whenever either is
 * changed. Every task has a timer (of the deadline scheduler) that leads to such a base. The base
 * may be that of a CPU which was switched off since and knows of no change; it is then not in
 * accord with what CLOCK_TAI says now. Where all this cannot be had, the offset that tapctl stored
 * is taken.
 */
#ifndef TAP_CLOCK_BPF_H
#define TAP_CLOCK_BPF_H

#include "bpf/kernel.h"
#include "tap/maps.h"

#ifdef __bpf__
#include <bpf/bpf_core_read.h>

/* Of the kernel's structures only what is read; libbpf finds out where it is. */
#define TAP_KERNELS __attribute__((preserve_access_index))
struct hrtimer_clock_base {
	struct hrtimer_cpu_base *cpu_base;
	__s64 offset; /* from CLOCK_MONOTONIC, ns */
} TAP_KERNELS;
struct hrtimer_cpu_base {
	unsigned int online : 1; /* Linux 6.7, and older ones that got it later */
	struct hrtimer_clock_base clock_base[8];
} TAP_KERNELS;
struct hrtimer {
	struct hrtimer_clock_base *base;
} TAP_KERNELS;
struct sched_dl_entity {
	struct hrtimer dl_timer;
} TAP_KERNELS;
struct task_struct {
	struct sched_dl_entity dl;
} TAP_KERNELS;
enum hrtimer_base_type { HRTIMER_BASE_REALTIME = 1, HRTIMER_BASE_TAI = 3 };

/* Whether this kernel is built as the above expects: constants, once the program is loaded. */
static __always_inline bool clock_readable(void)
{
	struct hrtimer_clock_base *base = NULL;
	struct task_struct *task = NULL;

	return bpf_core_field_exists(task->dl.dl_timer.base) &&
	       bpf_core_field_exists(base->cpu_base->clock_base) &&
	       bpf_core_field_exists(base->offset) &&
	       bpf_core_enum_value(enum hrtimer_base_type, HRTIMER_BASE_REALTIME) ==
		       HRTIMER_BASE_REALTIME &&
	       bpf_core_enum_value(enum hrtimer_base_type, HRTIMER_BASE_TAI) == HRTIMER_BASE_TAI;
}

/* An offset that is none of the kernel's was stored on purpose: a test's clock. */
static __always_inline bool clock_offset_is_kernels(__u64 offset)
{
	return offset <= TAP_CLOCK_OFFSET_MAX * TAP_NS_PER_SEC && offset % TAP_NS_PER_SEC == 0;
}

static __always_inline const struct hrtimer_cpu_base *clock_bases(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();

	return task->dl.dl_timer.base->cpu_base;
}

/* Now, in Unix time; `stored` is TAI minus UTC as tapctl knows it. Both in nanoseconds. */
static __always_inline __u64 clock_utc_ns(__s64 stored)
{
	__u64 tai = bpf_ktime_get_tai_ns(), monotonic = bpf_ktime_get_coarse_ns();
	const struct hrtimer_cpu_base *bases;
	__s64 to_tai, to_utc;
	__u64 astray;

	if (!clock_readable() || !clock_offset_is_kernels(stored))
		return tai - stored;
	bases = clock_bases();
	to_utc = bases->clock_base[HRTIMER_BASE_REALTIME].offset;
	to_tai = bases->clock_base[HRTIMER_BASE_TAI].offset;
	/* The offset is whole seconds, so half of one shows a base that is out of date. */
	astray = tai - monotonic - to_tai + TAP_NS_PER_SEC / 2;
	if (!to_utc || astray > TAP_NS_PER_SEC)
		return tai - stored;
	return tai - (to_tai - to_utc);
}

/*
 * The same as of the kernel's last tick (10 ms at most, or as long as the CPU that keeps the time is
 * stopped), where the kernel says that the base is of a CPU that is switched on. It costs next to nothing;
 * the precise time takes longer than all that is looked up for a group.
 */
static __always_inline __u64 clock_utc_coarse_ns(__s64 stored)
{
	const struct hrtimer_cpu_base *bases = NULL;
	__s64 to_utc;

	if (!clock_readable() || !clock_offset_is_kernels(stored) ||
	    !bpf_core_field_exists(bases->online))
		return clock_utc_ns(stored);
	bases = clock_bases();
	to_utc = bases->clock_base[HRTIMER_BASE_REALTIME].offset;
	if (!to_utc || !BPF_CORE_READ_BITFIELD(bases, online))
		return clock_utc_ns(stored);
	return bpf_ktime_get_coarse_ns() + to_utc;
}

#else /* on the host the stored offset is the test's clock */

static __always_inline __u64 clock_utc_ns(__s64 stored)
{
	return bpf_ktime_get_tai_ns() - stored;
}

static __always_inline __u64 clock_utc_coarse_ns(__s64 stored)
{
	return clock_utc_ns(stored);
}

#endif

#endif /* TAP_CLOCK_BPF_H */
