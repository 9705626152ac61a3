// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unloading, for both sides. Devices go first and the settings before the other maps, so that a
 * tapctl killed on the way leaves what the next load or unload takes for leftovers.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/barrier.h"
#include "user/devices.h"
#include "user/link.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/pins.h"
#include "user/unload.h"

bool unload_anything_there(const struct tapctl *tapctl, const struct side *side)
{
	for (const char *const *map = side->maps; *map; map++)
		if (pins_have(tapctl, *map))
			return true;
	return false;
}

/* Links without a record, in case somebody removed the records by hand. */
static int remove_stray_links(const struct tapctl *tapctl, const struct side *side)
{
	char path[PINS_PATH_BYTES];
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	dir = opendir(tapctl->pin_dir);
	if (!dir)
		return fail(errno, "cannot list %s: %s", tapctl->pin_dir, cause_file(errno));
	while (!err && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, side->link_prefix, strlen(side->link_prefix)) ||
		    strlen(entry->d_name) > 32)
			continue;
		pins_path(tapctl, entry->d_name, path);
		err = link_remove(path);
	}
	closedir(dir);
	return err;
}

static int remove_devices(const struct tapctl *tapctl, const struct side *side)
{
	struct devices devices;
	int err;

	if (!pins_have(tapctl, side->devices))
		return 0;
	err = devices_open(tapctl, side, &devices);
	if (err)
		return err;
	err = devices_check_netns(&devices, side);
	for (size_t i = 0; !err && i < devices.n; i++)
		err = device_remove(tapctl, side, &devices, &devices.at[i]);
	devices_close(&devices);
	return err;
}

int unload_all(const struct tapctl *tapctl, const struct side *side)
{
	int err;

	err = remove_devices(tapctl, side);
	if (!err)
		err = remove_stray_links(tapctl, side);
	if (!err && side == &server_side)
		barrier_save(tapctl);
	if (!err)
		err = pins_remove(tapctl, side->settings);
	for (const char *const *map = side->maps; !err && *map; map++)
		err = pins_remove(tapctl, *map);
	return err;
}

/* Every name must be attached, or nothing is done. */
static int find_named(const struct tapctl *tapctl, const struct side *side,
		      const struct devices *devices, const struct interfaces *named,
		      bool marked[TAP_DEVICES_MAX])
{
	for (size_t i = 0; i < named->n; i++) {
		bool found = false;

		for (size_t j = 0; j < devices->n; j++) {
			if (!device_is(&devices->at[j], named->at[i].name))
				continue;
			marked[j] = found = true;
		}
		if (!found)
			return fail(ENOENT,
				    "no %s of %s is attached to %s: `tapctl status` lists where it "
				    "is",
				    side->program, tapctl->pin_dir, named->at[i].name);
	}
	return 0;
}

/* Detaches from some interfaces. *left: how many are still attached, or were and are gone. */
static int unload_named(const struct tapctl *tapctl, const struct side *side,
			const struct interfaces *named, size_t *left)
{
	bool marked[TAP_DEVICES_MAX] = { false };
	struct devices devices;
	int err;

	err = devices_open(tapctl, side, &devices);
	if (err)
		return err;
	*left = 0;
	err = devices_check_netns(&devices, side);
	if (!err)
		err = find_named(tapctl, side, &devices, named, marked);
	for (size_t i = 0; !err && i < devices.n; i++) {
		if (marked[i])
			err = device_remove(tapctl, side, &devices, &devices.at[i]);
		else
			++*left;
	}
	devices_close(&devices);
	return err;
}

static int say_done(const struct tapctl *tapctl, const struct side *side,
		    const struct interfaces *named, bool all)
{
	const char *forgotten =
		side == &server_side ? "the ports are open to everybody, keys, services and replay records" :
				       "peers and rules";
	json_t *names = json_array();
	char list[512] = "";

	for (size_t i = 0; i < named->n; i++) {
		size_t used = strlen(list);

		json_array_append_new(names, json_string(named->at[i].name));
		snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
			 named->at[i].name);
	}
	if (all && named->n)
		return output_done(tapctl, json_pack("{s:o, s:b}", "unloaded", names, "all", 1),
				   "%s: %s detached; it was the last interface: %s are "
				   "forgotten",
				   list, side->program, forgotten);
	if (all)
		return output_done(tapctl, json_pack("{s:o, s:b}", "unloaded", names, "all", 1),
				   "%s unloaded from %s: %s are forgotten", side->program,
				   tapctl->pin_dir, forgotten);
	return output_done(tapctl, json_pack("{s:o, s:b}", "unloaded", names, "all", 0),
			   "%s: %s detached", list, side->program);
}

static int unload(const struct tapctl *tapctl, const struct side *side,
		  const struct interfaces *named)
{
	size_t left = 0;
	int err;

	if (!unload_anything_there(tapctl, side))
		return fail(ENOENT, "no %s is loaded in %s: nothing to unload", side->program,
			    tapctl->pin_dir);
	err = named->n ? unload_named(tapctl, side, named, &left) : 0;
	if (!err && !left)
		err = unload_all(tapctl, side);
	return err ? err : say_done(tapctl, side, named, !left);
}

int unload_command(const struct tapctl *tapctl, const struct side *side, int argc, char **argv)
{
	static const struct option options[] = { { "interface", required_argument, NULL, 'i' },
						 { 0 } };
	struct interfaces named = { 0 };
	int option, lock, err;

	options_start();
	while ((option = options_next(argc, argv, "i:", options)) != OPTIONS_END) {
		if (option != 'i')
			return USAGE;
		options_again(option);
		err = interfaces_add(&named, optarg);
		if (err)
			return err;
	}
	if (optind < argc)
		return usage("unexpected word \"%s\": interfaces are named by -i", argv[optind]);
	lock = pins_open(tapctl, PINS_WRITE);
	if (lock < 0)
		return lock;
	err = unload(tapctl, side, &named);
	pins_remove_directory(tapctl);
	close(lock);
	return err;
}
