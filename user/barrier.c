// SPDX-License-Identifier: GPL-2.0-only
/*
 * From when on a gate without replay records may admit groups: see barrier.h.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/barrier.h"
#include "user/clock.h"
#include "user/derive.h"
#include "user/gate.h"
#include "user/pins.h"

#define NS_PER_SEC 1000000000LL
#define BARRIER_DIR "/run/tapctl"
#define BARRIER_MOMENT 2 /* seconds that nobody needs to be told of: a SYN is sent again anyway */

/* The file of a realm; /run is emptied by a reboot, which barrier_start_ns() allows for. */
static int barrier_path(const struct tap_realm *realm, char path[64])
{
	char fingerprint[17];
	int err = derive_fingerprint(realm->realm_key, fingerprint);

	if (!err)
		snprintf(path, 64, BARRIER_DIR "/newest-%s", fingerprint);
	return err;
}

/* *sec: 0 where nothing is kept. -errno, without fail(), for what is kept but cannot be read. */
static int barrier_kept(const char *path, __u64 *sec)
{
	char text[32] = "", *end;
	ssize_t bytes;
	int fd, err;

	*sec = 0;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	bytes = read(fd, text, sizeof(text) - 1);
	err = bytes < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;
	*sec = strtoull(text, &end, 10);
	return bytes > 0 && *end == '\n' && *sec < INT64_MAX / NS_PER_SEC ? 0 : -EUCLEAN;
}

static void time_text(__s64 ns, char text[BARRIER_TIME_BYTES])
{
	time_t sec = ns / NS_PER_SEC;
	struct tm tm;

	strftime(text, BARRIER_TIME_BYTES, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&sec, &tm));
}

bool barrier_waits(const struct tap_realm *realm, char at[BARRIER_TIME_BYTES])
{
	time_text(realm->started_ns, at);
	return realm->started_ns > clock_now_ns() + BARRIER_MOMENT * NS_PER_SEC;
}

__s64 barrier_start_ns(const struct tap_realm *realm, __u64 newest)
{
	__s64 now = clock_now_ns(), start = now, earliest;
	struct timespec up;
	char path[64] = "", at[BARRIER_TIME_BYTES];
	__u64 kept;
	int err;

	err = barrier_path(realm, path);
	if (!err)
		err = barrier_kept(path, &kept);
	/* What is not known may be as late as a group can be. */
	if (err)
		kept = now / NS_PER_SEC + realm->skew;
	if (kept > newest)
		newest = kept;
	if (newest && (__s64)(newest + 1) * NS_PER_SEC > start)
		start = (__s64)(newest + 1) * NS_PER_SEC;
	/* What was admitted before the reboot was made at most `skew` after it. */
	clock_gettime(CLOCK_BOOTTIME, &up);
	earliest = now + (realm->skew - (__s64)up.tv_sec) * NS_PER_SEC;
	if (earliest > start)
		start = earliest;
	if (start > now + BARRIER_MOMENT * NS_PER_SEC) {
		time_text(start, at);
		note("the gate admits nobody before %s (%lld s from now): groups up to then could be "
		     "replays of what was admitted before its records began%s%s",
		     at, (long long)((start - now) / NS_PER_SEC + 1),
		     err	? "; no word is to be had from "
		     : newest	? "; kept in "
				: "",
		     err || newest ? path : "");
	}
	return start;
}

static int barrier_write(const char *path, __u64 newest)
{
	char temporary[80], text[32];
	int fd, length, err = 0;

	if (mkdir(BARRIER_DIR, 0700) && errno != EEXIST)
		return -errno;
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	length = snprintf(text, sizeof(text), "%" PRIu64 "\n", (uint64_t)newest);
	if (write(fd, text, length) != length)
		err = errno ? -errno : -EIO;
	close(fd);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}

void barrier_save(const struct tapctl *tapctl)
{
	struct tap_gate_state state;
	struct tap_realm realm;
	__u32 zero = 0;
	__u64 kept;
	char path[64];
	int fd, err;

	/* Half a gate, left by a killed tapctl, has admitted nobody. */
	if (!pins_have(tapctl, "tap_gate_state") || !pins_have(tapctl, "tap_realm"))
		return;
	sodium_mlock(&realm, sizeof(realm));
	fd = pins_map(tapctl, "tap_gate_state");
	err = fd < 0 ? fd : bpf_map_lookup_elem(fd, &zero, &state);
	if (fd >= 0)
		close(fd);
	if (!err)
		err = gate_read_settings(tapctl, &realm);
	if (!err && state.newest) {
		err = barrier_path(&realm, path);
		if (!err && (barrier_kept(path, &kept) || state.newest > kept))
			err = barrier_write(path, state.newest);
	}
	sodium_munlock(&realm, sizeof(realm));
	if (!err)
		return;
	note("cannot keep the time of the last admission in " BARRIER_DIR ": %s; before you load the "
	     "gate again, wait as long as its --skew says, or old groups may be replayed",
	     cause_file(-err));
	forget_failure();
}
