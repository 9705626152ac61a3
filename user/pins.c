// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pin directory: open and lock it, find the maps in it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/bpffs.h"
#include "user/clock.h"
#include "user/layout.h"
#include "user/pins.h"
#include "user/realm.h"
#include "user/side.h"

#define LOCK_WAIT_MS 10000
#define LOCK_STEP_MS 20

static int open_directory(const struct tapctl *tapctl, enum pins_use use)
{
	const char *dir = tapctl->pin_dir;
	int fd, err, holds;

	if (use == PINS_CREATE) {
		err = bpffs_make(dir);
		if (err)
			return err;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd < 0 ? errno : 0;
	if (fd >= 0) {
		holds = bpffs_holds(dir);
		if (holds > 0)
			return fd;
		err = holds ? -holds : ENOENT;
		close(fd);
	}
	if (geteuid() && (err == ENOENT || err == ENOTDIR || err == EACCES || err == EPERM))
		return fail(EPERM, "only root can look into %s: run it as root (sudo)", dir);
	if (err == ENOENT || err == ENOTDIR)
		return fail(ENOENT,
			    "nothing is loaded in %s: run `tapctl server load` or `tapctl client "
			    "load` first, or give the --pin-dir it was loaded with",
			    dir);
	if (err == EACCES || err == EPERM)
		return fail(err, "cannot open %s: %s", dir, cause_file(err));
	return fail(err, "cannot open the pin directory %s: %s", dir, cause_file(err));
}

static int lock(const struct tapctl *tapctl, int fd, enum pins_use use)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };
	int how = (use == PINS_READ ? LOCK_SH : LOCK_EX) | LOCK_NB;

	for (int waited = 0; flock(fd, how); waited += LOCK_STEP_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(errno, "cannot lock %s: %s", tapctl->pin_dir, cause_file(errno));
		if (waited >= LOCK_WAIT_MS)
			return fail(EBUSY,
				    "another tapctl has been working on %s for 10 s: wait for it "
				    "to end, or see what it does: fuser -v %s",
				    tapctl->pin_dir, tapctl->pin_dir);
		nanosleep(&step, NULL);
	}
	return 0;
}

/* An unload may have removed the directory while this command waited for the lock. */
static bool still_there(const struct tapctl *tapctl, int fd)
{
	struct stat held, named;

	return !fstat(fd, &held) && !stat(tapctl->pin_dir, &named) && held.st_ino == named.st_ino &&
	       held.st_dev == named.st_dev;
}

int pins_open(const struct tapctl *tapctl, enum pins_use use)
{
	int fd, err;

	for (;;) {
		fd = open_directory(tapctl, use);
		if (fd < 0)
			return fd;
		err = lock(tapctl, fd, use);
		if (err)
			goto out;
		if (still_there(tapctl, fd))
			break;
		close(fd);
	}
	err = layout_check(tapctl);
	if (!err && use == PINS_WRITE)
		err = clock_refresh(tapctl);
	if (!err && use != PINS_READ)
		err = realm_wipe_older(tapctl);
out:
	if (!err)
		return fd;
	close(fd);
	if (use == PINS_CREATE && err != -EBUSY)
		pins_remove_directory(tapctl);
	return err;
}

void pins_path(const struct tapctl *tapctl, const char *name, char path[PINS_PATH_BYTES])
{
	snprintf(path, PINS_PATH_BYTES, "%s/%s", tapctl->pin_dir, name);
}

int pins_map(const struct tapctl *tapctl, const char *name)
{
	const struct side *side = side_has_map(&client_side, name) ? &client_side : &server_side;
	char path[PINS_PATH_BYTES];
	int fd, err;

	pins_path(tapctl, name, path);
	fd = bpf_obj_get(path);
	if (fd >= 0)
		return fd;
	err = errno;
	if (err == ENOENT)
		return fail(err, "no %s is loaded in %s: run `tapctl %s load` first", side->program,
			    tapctl->pin_dir, side->object);
	return fail(err, "cannot open the map %s: %s", path, cause(err));
}

bool pins_have(const struct tapctl *tapctl, const char *name)
{
	char path[PINS_PATH_BYTES];

	pins_path(tapctl, name, path);
	return !access(path, F_OK) || (errno != ENOENT && errno != ENOTDIR);
}

int pins_remove(const struct tapctl *tapctl, const char *name)
{
	char path[PINS_PATH_BYTES];

	pins_path(tapctl, name, path);
	if (!unlink(path) || errno == ENOENT)
		return 0;
	return fail(errno, "cannot remove the pin %s: %s", path, cause_file(errno));
}

void pins_remove_directory(const struct tapctl *tapctl)
{
	if (rmdir(tapctl->pin_dir) && (errno == EPERM || errno == EACCES || errno == EROFS))
		note("cannot remove the pin directory %s, which is empty now: %s", tapctl->pin_dir,
		     cause_file(errno));
}
