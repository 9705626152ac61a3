// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinned BPF links, of XDP and of TCX: look, replace, remove.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "user/link.h"

int link_alive(const char *path, __u32 *prog_id)
{
	struct bpf_link_info info = { 0 };
	__u32 length = sizeof(info);
	int fd, err = 0;

	fd = bpf_obj_get(path);
	if (fd < 0 && errno == ENOENT)
		return 0;
	/* A TCX link has its ifindex where an XDP link has it; libbpf 1.1 knows only the latter. */
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		err = fail(errno, "cannot look at the link %s: %s", path, cause(errno));
	if (fd >= 0)
		close(fd);
	*prog_id = info.prog_id;
	return err ? err : info.xdp.ifindex != 0;
}

int link_remove(const char *path)
{
	int fd;

	fd = bpf_obj_get(path);
	if (fd >= 0) {
		/* Without this it would go some time after its last reference. Fails for shells. */
		bpf_link_detach(fd);
		close(fd);
	}
	if (!unlink(path) || errno == ENOENT)
		return 0;
	return fail(errno, "cannot remove the pinned link %s: %s", path, cause_file(errno));
}

int link_replace(const char *path, int prog_fd)
{
	int fd, err = 0;

	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	if (bpf_link_update(fd, prog_fd, NULL))
		err = -errno;
	close(fd);
	return err;
}
