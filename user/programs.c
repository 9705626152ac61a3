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
#include "user/pins.h"
#include "user/programs.h"

void program_name(__u32 prog_id, char name[PROGRAM_NAME_BYTES])
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);
	int fd;

	fd = bpf_prog_get_fd_by_id(prog_id);
	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, &info, &length);
		close(fd);
	}
	snprintf(name, PROGRAM_NAME_BYTES, "%s", info.name);
}

bool program_is(__u32 prog_id, const char *prefix)
{
	char name[PROGRAM_NAME_BYTES];

	program_name(prog_id, name);
	return !strncmp(name, prefix, strlen(prefix));
}

/* Maps of another tapctl may have values of another size: the program would misread them. */
static bool fits(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &length) && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map);
}

static int take_map(const struct tapctl *tapctl, const struct side *side, struct bpf_map *map)
{
	int fd, err;

	fd = pins_map(tapctl, bpf_map__name(map));
	if (fd < 0)
		return fd;
	if (!fits(map, fd))
		err = fail(EINVAL,
			   "%s in %s was made by another version of tapctl: unload it first, "
			   "`tapctl %s unload`, then load and add keys and rules again",
			   bpf_map__name(map), tapctl->pin_dir, side->object);
	else if ((err = bpf_map__reuse_fd(map, fd)))
		err = fail(-err, "cannot take over %s: %s", bpf_map__name(map), strerror(-err));
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

static int pin_map(const struct tapctl *tapctl, const struct bpf_map *map)
{
	char path[PINS_PATH_BYTES];

	pins_path(tapctl, bpf_map__name(map), path);
	if (pins_have(tapctl, bpf_map__name(map)) || !bpf_obj_pin(bpf_map__fd(map), path))
		return 0;
	return fail(errno, "cannot pin %s: %s", path, strerror(errno));
}

int programs_pin_maps(const struct tapctl *tapctl, const struct side *side,
		      struct bpf_object *object)
{
	struct bpf_map *map;
	int err;

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
	return fail(-error,
		    "the kernel refuses the %s: %s (%s); TAPCTL_DEBUG=1 shows its whole log",
		    side->program, strerror(-error), kernel_log_cause());
}
