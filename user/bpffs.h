/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF file system that pins live on: find it, or mount it where the system expects it.
 */
#ifndef TAP_BPFFS_H
#define TAP_BPFFS_H

#define BPFFS_MOUNT "/sys/fs/bpf"

/*
 * 1 if PATH, or the nearest of its parents that exists, lies on a bpffs, else 0; a negative errno,
 * without fail(), if that cannot be told: which is no reason to mount one over it.
 */
int bpffs_holds(const char *path);

/*
 * Makes sure that the directory PATH exists on a bpffs, mode 0700. Mounts a bpffs at /sys/fs/bpf
 * when PATH lies there and none is mounted, and says so. 0 or a negative errno after fail().
 */
int bpffs_make(const char *path);

/* Mounts a bpffs at /sys/fs/bpf unless there is one; 0 or a negative errno after fail(). */
int bpffs_mount(void);

#endif /* TAP_BPFFS_H */
