// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF file system that pins live on: find it, or mount it where the system expects it.
 */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "user/bpffs.h"
#include "user/tapctl.h"

bool bpffs_holds(const char *path)
{
	char parent[PATH_MAX];
	struct statfs fs;
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	while (statfs(parent, &fs)) {
		slash = strrchr(parent, '/');
		if (!slash || slash == parent)
			return false;
		*slash = '\0';
	}
	return fs.f_type == BPF_FS_MAGIC;
}

/*
 * What is mounted in a private mount namespace goes away with the last process in it, and the pins
 * and links with it: the gate would silently vanish. `ip netns exec` makes such a namespace.
 */
static bool mounts_are_private(void)
{
	struct stat own, init;

	if (stat("/proc/self/ns/mnt", &own) || stat("/proc/1/ns/mnt", &init))
		return false;
	return own.st_ino != init.st_ino;
}

int bpffs_mount(void)
{
	if (bpffs_holds(BPFFS_MOUNT))
		return 0;
	if (mounts_are_private())
		return fail(ENODEV, "no bpffs at " BPFFS_MOUNT ", and one mounted by this command would vanish "
			    "with it (as under `ip netns exec`): use `nsenter --net=/run/netns/NAME tapctl ...`, "
			    "or --pin-dir on a bpffs of your own");
	if (mount("bpf", BPFFS_MOUNT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return fail(errno, "cannot mount a bpffs at " BPFFS_MOUNT ": %s; mount it by hand: "
			    "mount -t bpf bpf " BPFFS_MOUNT, strerror(errno));
	note("mounted a bpffs at " BPFFS_MOUNT);
	return 0;
}

/* Makes PATH and its missing parents. */
static int make_directories(const char *path)
{
	char part[PATH_MAX];

	for (const char *at = path; at;) {
		at = strchr(at + 1, '/');
		snprintf(part, sizeof(part), "%.*s", at ? (int)(at - path) : PATH_MAX - 1, path);
		if (mkdir(part, 0700) && errno != EEXIST)
			return fail(errno, "cannot make the pin directory %s: %s", part, strerror(errno));
	}
	return 0;
}

int bpffs_make(const char *path)
{
	struct stat st;
	int err;

	if (!bpffs_holds(path)) {
		if (strncmp(path, BPFFS_MOUNT "/", sizeof(BPFFS_MOUNT)))
			return fail(ENODEV, "%s is on no bpffs: choose a --pin-dir below " BPFFS_MOUNT ", or mount "
				    "one there first: mkdir -p DIR && mount -t bpf bpf DIR", path);
		err = bpffs_mount();
		if (err)
			return err;
	}
	err = make_directories(path);
	if (err)
		return err;
	if (stat(path, &st))
		return fail(errno, "cannot look at the pin directory %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(ENOTDIR, "%s is no directory: choose another --pin-dir", path);
	return 0;
}
