/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The splitter's maps. What is in them: include/tap/maps.h. All are pinned by tapctl under their
 * own names.
 */
#ifndef TAP_SPLITTER_MAPS_H
#define TAP_SPLITTER_MAPS_H

#include "bpf/kernel.h"
#include "tap/maps.h"

/* Settings: clock offset, range of own source ports. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_client);
} tap_client SEC(".maps");

/* What became of the SYNs; read by tapctl and bpftool. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_client_stats);
} tap_client_stats SEC(".maps");

/* The client rules in force: one published, immutable rule set, or none. */
struct tap_rules_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct tap_ruleset)); /* clang keeps no BTF of it here */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct tap_rules_inner);
} tap_rules SEC(".maps");

/* Whom the rules point to: keys and form of the groups. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAP_PEERS_MAX);
	__type(key, __u32);
	__type(value, struct tap_peer);
} tap_peers SEC(".maps");

/* SYNs that the splitter made, to be left alone when they are seen again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TAP_SENT_ENTRIES);
	__type(key, struct tap_sent_key);
	__type(value, __u32);
} tap_sent SEC(".maps");

/* Where the splitter is attached; tapctl's own. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TAP_DEVICES_MAX);
	__type(key, __u32);
	__type(value, struct tap_device);
} tap_split_devices SEC(".maps");

/* The layouts of these maps; tapctl's own. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAP_LAYOUT_MAPS);
	__type(key, __u32);
	__type(value, struct tap_layout);
} tap_split_layout SEC(".maps");

#endif /* TAP_SPLITTER_MAPS_H */
