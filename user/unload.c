// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unloading, for both sides. Devices go first and the settings before the other maps, so that a
 * tapctl killed on the way leaves what the next load or unload takes for leftovers.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/barrier.h"
#include "user/devices.h"
#include "user/link.h"
#include "user/openings.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/pins.h"
#include "user/ruleset.h"
#include "user/sight.h"
#include "user/unload.h"

#define OUTCOME_TEXT (512 + OPENINGS_TEXT + 256)

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

/*
 * What strangers reach when the gate goes off the devices that are marked (NULL: off all). Best effort:
 * what cannot be read is said to be open.
 */
static void find_openings(const struct tapctl *tapctl, const bool *marked, struct openings *openings)
{
	struct tap_ruleset *set = NULL, *none = calloc(1, sizeof(*none));
	struct sight *sight = calloc(1, sizeof(*sight));
	__u32 numbers[TAP_DEVICES_MAX];
	size_t n = 0;

	*openings = (struct openings){ .more = true };
	if (!none || !sight || ruleset_read(tapctl, RULESET_SERVER, &set) ||
	    sight_open(tapctl, &server_side, sight))
		goto out;
	for (size_t i = 0; i < sight->devices.n && n < TAP_DEVICES_MAX; i++)
		if (sight->devices.at[i].state != DEVICE_GONE && (!marked || marked[i]))
			n += sight_numbers(sight, &sight->devices.at[i], numbers + n,
					   TAP_DEVICES_MAX - n);
	openings_find(set, none, numbers, n, openings);
out:
	forget_failure();
	if (sight)
		sight_close(sight);
	free(sight);
	free(set);
	free(none);
}

/* How it went. */
struct outcome {
	size_t left; /* interfaces that have the program still */
	struct openings openings; /* server: what is open now */
};

/*
 * Detaches from some interfaces. The rest stays even if it was the last: only an unload without -i
 * forgets keys and services.
 */
static int unload_named(const struct tapctl *tapctl, const struct side *side,
			const struct interfaces *named, struct outcome *outcome)
{
	bool marked[TAP_DEVICES_MAX] = { false };
	struct devices devices;
	int err;

	err = devices_open(tapctl, side, &devices);
	if (err)
		return err;
	err = devices_check_netns(&devices, side);
	if (!err)
		err = find_named(tapctl, side, &devices, named, marked);
	if (!err && side == &server_side)
		find_openings(tapctl, marked, &outcome->openings);
	for (size_t i = 0; !err && i < devices.n; i++) {
		if (marked[i])
			err = device_remove(tapctl, side, &devices, &devices.at[i]);
		else
			outcome->left += devices.at[i].state == DEVICE_ATTACHED;
	}
	/* Another pin directory may get the realm now, and must not take what this gate took. */
	if (!err && !outcome->left && side == &server_side)
		barrier_save(tapctl);
	devices_close(&devices);
	return err;
}

static int unload_every(const struct tapctl *tapctl, const struct side *side, struct outcome *outcome)
{
	if (side == &server_side && pins_have(tapctl, side->settings))
		find_openings(tapctl, NULL, &outcome->openings);
	return unload_all(tapctl, side);
}

static void print_named(const struct side *side, const char *names, const struct outcome *outcome,
			char text[OUTCOME_TEXT])
{
	const struct openings *openings = &outcome->openings;
	char open[OPENINGS_TEXT];
	int n;

	n = snprintf(text, OUTCOME_TEXT, "%s: %s detached", names, side->program);
	if (openings->n || openings->more)
		n += snprintf(text + n, OUTCOME_TEXT - n, "; %s: open to everybody there now",
			      openings_text(openings, open));
	if (!outcome->left)
		snprintf(text + n, OUTCOME_TEXT - n,
			 "; it is on no interface now: %s stay, and `tapctl %s load -i IF ...` "
			 "attaches it again",
			 side == &server_side ? "keys, services and replay records" : "peers and rules",
			 side->object);
}

static int say_done(const struct tapctl *tapctl, const struct side *side,
		    const struct interfaces *named, const struct outcome *outcome)
{
	const char *forgotten =
		side == &server_side ?
			"the ports are open to everybody, keys, services and replay records" :
			"peers and rules";
	json_t *names = json_array(), *value;
	char list[512] = "", text[OUTCOME_TEXT];

	for (size_t i = 0; i < named->n; i++) {
		size_t used = strlen(list);

		json_array_append_new(names, json_string(named->at[i].name));
		snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
			 named->at[i].name);
	}
	value = json_pack("{s:o, s:b, s:I}", "unloaded", names, "all", !named->n, "attached",
			  (json_int_t)outcome->left);
	if (value && side == &server_side) {
		json_object_set_new(value, "open",
				    json_boolean(outcome->openings.n || outcome->openings.more));
		json_object_set_new(value, "opened", openings_json(&outcome->openings));
	}
	if (!named->n)
		return output_done(tapctl, value, "%s unloaded from %s: %s are forgotten",
				   side->program, tapctl->pin_dir, forgotten);
	print_named(side, list, outcome, text);
	return output_done(tapctl, value, "%s", text);
}

static int unload(const struct tapctl *tapctl, const struct side *side,
		  const struct interfaces *named)
{
	struct outcome outcome = { 0 };
	int err;

	if (!unload_anything_there(tapctl, side))
		return fail(ENOENT, "no %s is loaded in %s: nothing to unload", side->program,
			    tapctl->pin_dir);
	err = named->n ? unload_named(tapctl, side, named, &outcome) :
			 unload_every(tapctl, side, &outcome);
	return err ? err : say_done(tapctl, side, named, &outcome);
}

int unload_command(const struct tapctl *tapctl, const struct side *side, int argc, char **argv)
{
	static const struct option options[] = { { "interface", required_argument, NULL, 'i' },
						 { 0 } };
	struct interfaces named = { 0 };
	int option, lock, err;

	options_start();
	while ((option = options_next(argc, argv, ":i:", options)) != OPTIONS_END) {
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
