/* SPDX-License-Identifier: GPL-2.0-only */
/* What programs share that have many connections open at once: the clock, and leave to open so many. */
#ifndef TAP_BENCH_MANY_H
#define TAP_BENCH_MANY_H

#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

#define NS_PER_S 1000000000ull

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* So many connections, and a few descriptors more. Returns -1 with errno set if they are not granted. */
static inline int allow_connections(unsigned int count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	if (limit.rlim_cur < count + 16)
		limit.rlim_cur = count + 16;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

#endif /* TAP_BENCH_MANY_H */
