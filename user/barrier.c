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
#define BARRIER_PATH 96
#define BARRIER_WHY 192
#define BARRIER_MOMENT 2 /* seconds that nobody needs to be told of: a SYN is sent again anyway */

/* The realm's file; /run is emptied by a reboot, which barrier_start() allows for. */
static void newest_path(const struct tap_realm *realm, char path[BARRIER_PATH])
{
	char id[DERIVE_ID_TEXT];

	derive_id_text(realm->id, id);
	snprintf(path, BARRIER_PATH, BARRIER_DIR "/newest-%s", id);
}

/* The file that says that a gate of this realm was loaded in this pin directory. */
static void loaded_path(const struct tapctl *tapctl, const struct tap_realm *realm,
			char path[BARRIER_PATH])
{
	unsigned char hash[crypto_generichash_BYTES_MIN];
	char id[DERIVE_ID_TEXT], hex[2 * sizeof(hash) + 1];

	derive_id_text(realm->id, id);
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)tapctl->pin_dir,
			   strlen(tapctl->pin_dir), NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(path, BARRIER_PATH, BARRIER_DIR "/loaded-%s-%s", id, hex);
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

/* The latest time that an earlier gate may have admitted, 0: none; `why` where that is not known. */
static __u64 admitted_before(const struct tapctl *tapctl, const struct tap_realm *realm,
			     bool have_records, char why[BARRIER_WHY])
{
	char path[BARRIER_PATH], loaded[BARRIER_PATH];
	__u64 kept, latest = clock_now_ns() / NS_PER_SEC + realm->skew;
	int err;

	*why = '\0';
	newest_path(realm, path);
	loaded_path(tapctl, realm, loaded);
	err = barrier_kept(path, &kept);
	if (err) {
		snprintf(why, BARRIER_WHY, "; cannot read %s", path);
		return latest;
	}
	/* What cannot be looked at counts as there. */
	if (!have_records && (!access(loaded, F_OK) || errno != ENOENT)) {
		snprintf(why, BARRIER_WHY, "; the last gate went without `server unload` (%s)", loaded);
		return latest;
	}
	if (kept)
		snprintf(why, BARRIER_WHY, "; kept in %s", path);
	return kept;
}

void barrier_start(const struct tapctl *tapctl, struct tap_realm *realm, bool have_records)
{
	__s64 now = clock_now_ns(), start = now, earliest, up_ns;
	char at[BARRIER_TIME_BYTES], why[BARRIER_WHY];
	struct timespec up;
	__u64 newest;

	newest = admitted_before(tapctl, realm, have_records, why);
	if (newest && (__s64)(newest + 1) * NS_PER_SEC > start)
		start = (__s64)(newest + 1) * NS_PER_SEC;
	/* What was admitted before the reboot was made at most `skew` after it. */
	clock_gettime(CLOCK_BOOTTIME, &up);
	up_ns = up.tv_sec * NS_PER_SEC + up.tv_nsec;
	earliest = now + realm->skew * NS_PER_SEC - up_ns;
	if (earliest > start)
		start = earliest;
	realm->started_ns = start;
	realm->started_boot_ns = up_ns + (start - now);
	if (!barrier_waits(realm, at))
		return;
	note("the gate admits nobody before %s (%lld s from now): groups up to then could be "
	     "replays of what was admitted before its records began%s",
	     at, (long long)((start - now) / NS_PER_SEC + 1), why);
}

void barrier_mark(const struct tapctl *tapctl, const struct tap_realm *realm)
{
	char path[BARRIER_PATH];
	int fd = -1, err = 0;

	loaded_path(tapctl, realm, path);
	if (mkdir(BARRIER_DIR, 0700) && errno != EEXIST)
		err = -errno;
	if (!err) {
		fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		err = fd < 0 ? -errno : 0;
	}
	if (fd >= 0)
		close(fd);
	if (!err)
		return;
	note("cannot note in " BARRIER_DIR " that a gate is loaded: %s; should it go without `server "
	     "unload`, wait as long as --skew says before you load it again, or old groups may be "
	     "replayed",
	     cause_file(-err));
	forget_failure();
}

static int barrier_write(const char *path, __u64 newest)
{
	char temporary[BARRIER_PATH + 8], text[32];
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
	char path[BARRIER_PATH];
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
		newest_path(&realm, path);
		if (barrier_kept(path, &kept) || state.newest > kept)
			err = barrier_write(path, state.newest);
	}
	if (!err)
		loaded_path(tapctl, &realm, path);
	if (!err && unlink(path) && errno != ENOENT)
		err = -errno;
	sodium_munlock(&realm, sizeof(realm));
	if (!err)
		return;
	note("cannot keep the time of the last admission in " BARRIER_DIR ": %s; before you load the "
	     "gate again, wait as long as its --skew says, or old groups may be replayed",
	     cause_file(-err));
	forget_failure();
}
