// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layouts of the pinned maps: written at each load, checked by every command.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tap/maps.h"
#include "user/layout.h"
#include "user/pins.h"

int layout_write(const struct side *side, struct bpf_object *object)
{
	int fd = bpf_object__find_map_fd_by_name(object, side->layout);
	__u32 at = 0;

	for (; side->maps[at]; at++) {
		struct tap_layout layout = { .layout = side->layouts[at] };

		strncpy(layout.map, side->maps[at], sizeof(layout.map) - 1);
		if (bpf_map_update_elem(fd, &at, &layout, BPF_ANY))
			return fail(errno, "cannot write down the layouts of the %s's maps: %s",
				    side->program, cause(errno));
	}
	return 0;
}

/* The number of this tapctl's layout of a map; 0: it has no such map. */
static __u32 known(const struct side *side, const char *map)
{
	for (size_t i = 0; side->maps[i]; i++)
		if (!strcmp(side->maps[i], map))
			return side->layouts[i];
	return 0;
}

static int refuse(const struct tapctl *tapctl, const struct side *side, const char *map,
		  const char *has, const char *knows)
{
	return fail(EPROTO,
		    "%s in %s has %s and this tapctl (%s) works with %s, so it changes nothing "
		    "there: use the tapctl that loaded the %s (`tapctl %s unload` with that one, then "
		    "load with this one)",
		    map, tapctl->pin_dir, has, TAP_PROGRAM_VERSION, knows, side->program, side->object);
}

static int compare(const struct tapctl *tapctl, const struct side *side,
		   const struct tap_layout *layout)
{
	__u32 wanted = known(side, layout->map);
	char has[24], knows[24] = "no such map";

	if (layout->layout == wanted)
		return 0;
	snprintf(has, sizeof(has), "layout %u", layout->layout);
	if (wanted)
		snprintf(knows, sizeof(knows), "layout %u", wanted);
	return refuse(tapctl, side, layout->map, has, knows);
}

/* Compares all that is listed, and counts it. */
static int compare_all(const struct tapctl *tapctl, const struct side *side, int fd, __u32 *n)
{
	struct tap_layout layout;
	int err;

	for (*n = 0; *n < TAP_LAYOUT_MAPS; ++*n) {
		if (bpf_map_lookup_elem(fd, n, &layout))
			return fail(errno, "cannot read %s: %s", side->layout, cause(errno));
		layout.map[sizeof(layout.map) - 1] = '\0';
		if (!*layout.map)
			return 0;
		err = compare(tapctl, side, &layout);
		if (err)
			return err;
	}
	return 0;
}

/* Whether values of the map are as large as ours: a map of the same name may be anything. */
static bool is_layout_map(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &length) && info.type == BPF_MAP_TYPE_ARRAY &&
	       info.value_size == sizeof(struct tap_layout) && info.max_entries == TAP_LAYOUT_MAPS;
}

static int check_side(const struct tapctl *tapctl, const struct side *side)
{
	char has[24], knows[24];
	__u32 n = 0;
	int fd, err;

	if (!pins_have(tapctl, side->layout)) {
		/* Without settings: what a killed load or unload left, attached nowhere. */
		if (!pins_have(tapctl, side->settings))
			return 0;
		snprintf(knows, sizeof(knows), "layout %u", known(side, side->settings));
		return refuse(tapctl, side, side->settings, "the layout of an older TAP", knows);
	}
	fd = pins_map(tapctl, side->layout);
	if (fd < 0)
		return fd;
	err = is_layout_map(fd) ? compare_all(tapctl, side, fd, &n) :
				  refuse(tapctl, side, side->layout, "another form", "its own");
	close(fd);
	if (err || n == side->n_maps)
		return err;
	snprintf(has, sizeof(has), "%u maps", n);
	snprintf(knows, sizeof(knows), "%zu maps", side->n_maps);
	return refuse(tapctl, side, side->layout, has, knows);
}

int layout_check(const struct tapctl *tapctl)
{
	int err = check_side(tapctl, &server_side);

	return err ? err : check_side(tapctl, &client_side);
}
