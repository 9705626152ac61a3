// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock offset of the programs: read from the kernel, kept fresh in the maps.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "tap/maps.h"
#include "user/clock.h"
#include "user/pins.h"

#define SECOND_NS 1000000000LL

__s64 clock_tai_minus_utc_ns(void)
{
	struct timex timex = { 0 };

	/* Reading never fails. */
	adjtimex(&timex);
	return timex.tai * SECOND_NS;
}

int clock_is_synchronised(void)
{
	struct timex timex = { 0 };
	int state = adjtimex(&timex);

	/* A container may be forbidden to ask. */
	if (state < 0)
		return -errno;
	return state != TIME_ERROR && !(timex.status & STA_UNSYNC);
}

__s64 clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

bool clock_offset_is_kernels(__s64 offset)
{
	return offset >= 0 && offset <= TAP_CLOCK_OFFSET_MAX * SECOND_NS && offset % SECOND_NS == 0;
}

/* The offset is the first field of both maps' values; VALUE may hold keys: locked, and wiped. */
static int refresh_map(const char *map, int fd, void *value)
{
	__s64 offset, now = clock_tai_minus_utc_ns();
	__u32 zero = 0;

	if (bpf_map_lookup_elem(fd, &zero, value))
		return fail(errno, "cannot read %s: %s", map, cause(errno));
	memcpy(&offset, value, sizeof(offset));
	if (offset == now || !clock_offset_is_kernels(offset))
		return 0;
	memcpy(value, &now, sizeof(now));
	if (bpf_map_update_elem(fd, &zero, value, BPF_ANY))
		return fail(errno, "cannot set the clock offset in %s: %s", map, cause(errno));
	return 0;
}

static int refresh(const struct tapctl *tapctl, const char *map, void *value, size_t bytes)
{
	int fd, err;

	if (!pins_have(tapctl, map))
		return 0;
	fd = pins_map(tapctl, map);
	if (fd < 0)
		return fd;
	sodium_mlock(value, bytes);
	err = refresh_map(map, fd, value);
	sodium_munlock(value, bytes); /* wipes it, too */
	close(fd);
	return err;
}

int clock_refresh(const struct tapctl *tapctl)
{
	struct tap_client client;
	struct tap_realm realm;
	int err;

	_Static_assert(offsetof(struct tap_realm, tai_minus_utc_ns) == 0, "refresh() relies on it");
	_Static_assert(offsetof(struct tap_client, tai_minus_utc_ns) == 0, "refresh() relies on "
									   "it");
	err = refresh(tapctl, "tap_realm", &realm, sizeof(realm));
	return err ? err : refresh(tapctl, "tap_client", &client, sizeof(client));
}
