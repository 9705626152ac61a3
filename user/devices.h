/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the gate or the splitter is attached: the records in tap_gate_devices and
 * tap_split_devices, next to what the kernel says about them.
 */
#ifndef TAP_DEVICES_H
#define TAP_DEVICES_H

#include "tap/maps.h"
#include "user/interfaces.h"
#include "user/pins.h"
#include "user/side.h"

enum device_state {
	DEVICE_ATTACHED,
	DEVICE_GONE, /* the interface was removed, or the program was taken off it */
	DEVICE_ELSEWHERE, /* attached, in another network namespace than this command runs in */
};

struct device {
	__u32 ifindex;
	struct tap_device record;
	enum device_state state;
	char name[16]; /* as it is called now; as it was called when attached, if it is not here */
};

struct devices {
	int map; /* descriptor of the records */
	size_t n;
	struct device at[TAP_DEVICES_MAX];
};

/* Reads the records; 0 or a negative errno after fail(). Undo with devices_close(). */
int devices_open(const struct tapctl *tapctl, const struct side *side, struct devices *devices);
void devices_close(struct devices *devices);

/* Whether any is attached, here or in another network namespace. */
bool devices_any(const struct devices *devices);

/* -EXDEV after fail() if an interface is attached in another network namespace than this. */
int devices_check_netns(const struct devices *devices, const struct side *side);

/* Writes or removes one record; 0 or a negative errno after fail(). */
int device_record(const struct devices *devices, const struct device *device);
int device_forget(const struct devices *devices, __u32 ifindex);

/* Whether NAME means this record: by its present name, or by its old one once it is gone. */
bool device_is(const struct device *device, const char *name);

/* Detaches, and removes pin and record, whatever is left of them; 0 or a negative errno. */
int device_remove(const struct tapctl *tapctl, const struct side *side, const struct devices *devices,
		  const struct device *device);

/* The id of the program that is attached there now; 0 or a negative errno after fail(). */
int device_program(const struct tapctl *tapctl, const struct side *side,
		   const struct device *device, __u32 *id);

/* The pin of a device's link. */
void device_link_path(const struct tapctl *tapctl, const struct side *side, __u32 ifindex,
		      char path[PINS_PATH_BYTES]);

/* For people, "native XDP"; for JSON, "native". */
const char *hook_text(__u32 hook);
const char *hook_label(__u32 hook);

#endif /* TAP_DEVICES_H */
