/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of `server load`, and how they become the gate's settings.
 */
#ifndef TAP_SETTINGS_H
#define TAP_SETTINGS_H

#include "tap/maps.h"
#include "user/derive.h"
#include "user/interfaces.h"
#include "user/xdp.h"

/* What was given; pointers and the like are as on the command line. */
struct server_options {
	struct interfaces interfaces;
	const char *realm_key; /* a file's name */
	enum xdp_mode mode;
	bool shared;
	bool has_encoding, has_mark, has_group_by, has_skew, has_replay_size, has_monitor;
	__u8 encoding, mark_mode, group_by, monitor;
	__u32 skew, replay_size;
};

/* 0 or USAGE after usage(). */
int settings_read_options(int argc, char **argv, struct server_options *options);

/* The settings of a first load; 0 or a negative errno after fail(). */
int settings_make(const struct server_options *options, const struct realm_key *key,
		  struct tap_realm *realm);

/*
 * Changes the settings in force by what was given. 0, or a negative errno after fail() for what
 * cannot change: realm, secret (that is for `realm rotate`) and replay size.
 */
int settings_change(const struct server_options *options, const struct realm_key *key,
		    struct tap_realm *realm);

/* For status: "veiled", "mark,ts". */
const char *settings_encoding_text(__u8 encoding);
const char *settings_group_by_text(__u8 group_by);

#endif /* TAP_SETTINGS_H */
