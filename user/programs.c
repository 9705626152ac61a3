// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening our BPF objects: take over pinned maps, pin new ones.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/kernel.h"
#include "user/layout.h"
#include "user/pins.h"
#include "user/programs.h"

int program_name(__u32 prog_id, char name[PROGRAM_NAME_BYTES])
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);
	int fd, err = 0;

	fd = prog_id ? bpf_prog_get_fd_by_id(prog_id) : -1;
	if (fd < 0)
		err = prog_id && errno != ENOENT ? -errno : 0;
	else if (bpf_obj_get_info_by_fd(fd, &info, &length))
		err = -errno;
	if (fd >= 0)
		close(fd);
	snprintf(name, PROGRAM_NAME_BYTES, "%s", info.name);
	return err ? fail(-err, "cannot look at the BPF program %u: %s", prog_id, cause(-err)) : 0;
}

int program_is(__u32 prog_id, const char *prefix)
{
	char name[PROGRAM_NAME_BYTES];
	int err = program_name(prog_id, name);

	return err ? err : !strncmp(name, prefix, strlen(prefix));
}

int program_check_name(const struct side *side, int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &length))
		return fail(errno, "cannot look at the %s just loaded: %s", side->program,
			    cause(errno));
	if (!strncmp(info.name, side->kernel_name, strlen(side->kernel_name)))
		return 0;
	return fail(EIO,
		    "the kernel took the %s without its name, by which tapctl knows it again: is "
		    "memory short? Run it again",
		    side->program);
}

/*
 * Maps of another tapctl may have values of another size: the program would misread them. 1 or 0,
 * or a negative errno after fail().
 */
static int fits(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return fail(errno, "cannot look at the map %s: %s", bpf_map__name(map),
			    cause(errno));
	return info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map);
}

static int take_map(const struct tapctl *tapctl, const struct side *side, struct bpf_map *map)
{
	int fd, err;

	fd = pins_map(tapctl, bpf_map__name(map));
	if (fd < 0)
		return fd;
	err = fits(map, fd);
	if (err < 0)
		goto out;
	if (!err)
		err = fail(EINVAL,
			   "%s in %s was made by another version of tapctl, and this one cannot go "
			   "on with it: use that version, or see OTHER VERSIONS in tapctl(8)",
			   bpf_map__name(map), tapctl->pin_dir);
	else if ((err = bpf_map__reuse_fd(map, fd)))
		err = fail(-err, "cannot take over %s: %s", bpf_map__name(map), cause(-err));
out:
	close(fd);
	return err;
}

int programs_take_maps(const struct tapctl *tapctl, const struct side *side,
		       struct bpf_object *object)
{
	struct bpf_map *map;
	int err;

	bpf_object__for_each_map (map, object) {
		if (!side_has_map(side, bpf_map__name(map)) ||
		    !pins_have(tapctl, bpf_map__name(map)))
			continue;
		err = take_map(tapctl, side, map);
		if (err)
			return err;
	}
	return 0;
}

static __u32 map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) ? 0 : info.id;
}

/* Whether what is pinned is the very map that the program has. */
static bool is_pinned(const struct bpf_map *map, const char *path)
{
	int fd = bpf_obj_get(path);
	__u32 id = fd < 0 ? 0 : map_id(fd);

	if (fd >= 0)
		close(fd);
	return id && id == map_id(bpf_map__fd(map));
}

/* A program whose map is not the pinned one would heed no command: its ports might be open. */
static int pin_map(const struct tapctl *tapctl, const struct bpf_map *map)
{
	char path[PINS_PATH_BYTES];
	int err;

	pins_path(tapctl, bpf_map__name(map), path);
	err = bpf_obj_pin(bpf_map__fd(map), path) ? errno : 0;
	if (!err || (err == EEXIST && is_pinned(map, path)))
		return 0;
	return fail(err, "cannot pin %s: %s", path, cause_file(err));
}

int programs_pin_maps(const struct tapctl *tapctl, const struct side *side,
		      struct bpf_object *object)
{
	struct bpf_map *map;
	int err;

	err = layout_write(side, object);
	if (err)
		return err;
	bpf_object__for_each_map (map, object) {
		const char *name = bpf_map__name(map);

		if (!side_has_map(side, name) || !strcmp(name, side->settings))
			continue;
		err = pin_map(tapctl, map);
		if (err)
			return err;
	}
	return 0;
}

int programs_pin_settings(const struct tapctl *tapctl, const struct side *side,
			  struct bpf_object *object)
{
	return pin_map(tapctl, bpf_object__find_map_by_name(object, side->settings));
}

int programs_refused(const struct side *side, int error)
{
	if (error == -ENOMEM)
		return fail(ENOMEM, "not enough memory for the maps of the %s%s", side->program,
			    side == &server_side ? ": a smaller --replay-size needs less" : "");
	if (error == -EPERM)
		return fail(EPERM,
			    "the kernel does not let us load the %s: run as root, outside "
			    "containers; kernel lockdown may forbid it too",
			    side->program);
	if (kernel_log_misjudged())
		return fail(-error,
			    "libbpf found less in this kernel than there is, for want of memory perhaps: "
			    "run it again (%s)",
			    kernel_log_cause());
	if (error == -ESRCH)
		return fail(ESRCH,
			    "cannot read the kernel's types (/sys/kernel/btf/vmlinux): the kernel lacks "
			    "CONFIG_DEBUG_INFO_BTF, or memory is short (%s)",
			    kernel_log_cause());
	/* These two come from the verifier, whose log tells why. */
	return fail(-error,
		    "the kernel refuses the %s: %s (%s); TAPCTL_DEBUG=1 shows its whole log",
		    side->program,
		    error == -EACCES || error == -EINVAL ? strerror(-error) : cause(-error),
		    kernel_log_cause());
}
