// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF file system that pins live on: find it, or mount it where the system expects it.
 */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "user/bpffs.h"
#include "user/tapctl.h"

int bpffs_holds(const char *path)
{
	char parent[PATH_MAX];
	struct statfs fs;
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	while (statfs(parent, &fs)) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
		slash = strrchr(parent, '/');
		if (!slash || slash == parent)
			return 0;
		*slash = '\0';
	}
	return fs.f_type == BPF_FS_MAGIC;
}

static ino_t mount_namespace(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	return stat(path, &st) ? 0 : st.st_ino;
}

/* The parent of a process, or 0. Its name, which may hold anything, ends at the last ')'. */
static pid_t parent_of(pid_t pid)
{
	char path[64], line[512] = "", *end;
	pid_t parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file) && (end = strrchr(line, ')')) &&
	    sscanf(end + 1, " %*c %d", &parent) != 1)
		parent = 0;
	fclose(file);
	return parent;
}

/*
 * What is mounted in a private mount namespace goes away with the last process in it, and the pins
 * and links with it: the gate would silently vanish. `ip netns exec` makes such a namespace; then
 * a process further up lives in another one. What cannot be looked at is taken for no sign of it.
 */
static bool mounts_are_private(void)
{
	ino_t own = mount_namespace(getpid()), other;

	for (pid_t pid = getppid(); pid > 0; pid = parent_of(pid)) {
		other = mount_namespace(pid);
		if (other && other != own)
			return true;
	}
	return false;
}

static int fail_to_look(const char *path, int err)
{
	return fail(-err, "cannot tell whether %s is on a bpffs: %s", path, cause_file(-err));
}

int bpffs_mount(void)
{
	int holds = bpffs_holds(BPFFS_MOUNT);

	if (holds)
		return holds < 0 ? fail_to_look(BPFFS_MOUNT, holds) : 0;
	if (mounts_are_private())
		return fail(ENODEV, "no bpffs at " BPFFS_MOUNT ", and one mounted by this command "
							       "would vanish with it (as under `ip "
							       "netns exec`): use `nsenter "
							       "--net=/run/netns/NAME tapctl ...`, "
							       "or --pin-dir on a bpffs of your "
							       "own");
	if (mount("bpf", BPFFS_MOUNT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return fail(errno,
			    "cannot mount a bpffs at " BPFFS_MOUNT ": %s; mount it by hand: mount "
								   "-t bpf bpf " BPFFS_MOUNT,
			    cause_file(errno));
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
			return fail(errno, "cannot make the pin directory %s: %s", part,
				    cause_file(errno));
	}
	return 0;
}

int bpffs_make(const char *path)
{
	int err, holds = bpffs_holds(path);
	struct stat st;

	if (holds < 0)
		return fail_to_look(path, holds);
	if (!holds) {
		if (strncmp(path, BPFFS_MOUNT "/", sizeof(BPFFS_MOUNT)))
			return fail(ENODEV,
				    "%s is on no bpffs: choose a --pin-dir below " BPFFS_MOUNT
				    ", or mount one there first: mkdir -p DIR && mount -t bpf bpf "
				    "DIR",
				    path);
		err = bpffs_mount();
		if (err)
			return err;
		holds = bpffs_holds(path);
		if (holds < 0)
			return fail_to_look(path, holds);
		if (!holds)
			return fail(ENODEV, "%s leads out of " BPFFS_MOUNT ": write it without ..", path);
	}
	err = make_directories(path);
	if (err)
		return err;
	if (stat(path, &st))
		return fail(errno, "cannot look at the pin directory %s: %s", path,
			    cause_file(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(ENOTDIR, "%s is no directory: choose another --pin-dir", path);
	/* A bpffs is open to all unless told otherwise, and its owner can take pins away. */
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return fail(EPERM, "others can change the pin directory %s (owner %u, mode %04o): run 'chown "
			    "root %s && chmod 700 %s', or choose another --pin-dir",
			    path, st.st_uid, st.st_mode & 07777, path, path);
	return 0;
}
