/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The gate's maps. What is in them: include/tap/maps.h. All are pinned by tapctl under their own
 * names; sizes marked "set at load" are replaced by tapctl.
 */
#ifndef TAP_GATE_MAPS_H
#define TAP_GATE_MAPS_H

#include "bpf/kernel.h"
#include "tap/maps.h"

/* Settings; read when a group is judged (clock offset, start of the records). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_realm);
} tap_realm SEC(".maps");

/* One counter for each reason; read by tapctl and bpftool. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_stats);
} tap_stats SEC(".maps");

/* The service rules in force: one published, immutable rule set, or none. */
struct tap_services_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct tap_ruleset)); /* clang keeps no BTF of it here */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct tap_services_inner);
} tap_services SEC(".maps");

/* Keys by key ID: an array, so that 65,535 keys cost a packet what one does. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAP_KEY_ID_MAX + 1);
	__type(key, __u32);
	__type(value, struct tap_key);
} tap_keys SEC(".maps");

/* Names of keys, for people; the gate never reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TAP_KEY_ID_MAX);
	__type(key, __u32);
	__type(value, struct tap_key_name);
} tap_key_names SEC(".maps");

/* What each key was admitted for, and when: its rate, and which of the realm's secrets it uses. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAP_KEY_ID_MAX + 1);
	__type(key, __u32);
	__type(value, struct tap_key_use);
} tap_key_use SEC(".maps");

/* Which keys may use which service. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAP_ACL_LISTS);
	__type(key, __u32);
	__type(value, struct tap_acl);
} tap_acl SEC(".maps");

/* Segments that wait for the rest of their group. Mmapable: its values start on a page. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TAP_PENDING_BUCKETS);
	__type(key, __u32);
	__type(value, struct tap_bucket);
} tap_pending SEC(".maps");

/* Every group admitted, against replay. Size set at load. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TAP_REPLAY_SIZE_DEFAULT);
	__type(key, struct tap_replay_key);
	__type(value, __u32);
} tap_replay SEC(".maps");

/* For each second of the groups' time: admissions before its first one. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAP_SECONDS);
	__type(key, __u32);
	__type(value, __u64);
} tap_seconds SEC(".maps");

/* Connections that the gate let begin. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TAP_FLOWS);
	__type(key, struct tap_flow);
	__type(value, __u8);
} tap_flows SEC(".maps");

/* Counters that the gate itself decides by. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_gate_state);
} tap_gate_state SEC(".maps");

/* The last groups judged, for `tapctl events`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * TAP_LOG_EVENTS);
	__type(key, __u32);
	__type(value, struct tap_event);
} tap_events SEC(".maps");

/* Where the gate is attached; tapctl's own. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TAP_DEVICES_MAX);
	__type(key, __u32);
	__type(value, struct tap_device);
} tap_gate_devices SEC(".maps");

/* The layouts of these maps; tapctl's own. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAP_LAYOUT_MAPS);
	__type(key, __u32);
	__type(value, struct tap_layout);
} tap_gate_layout SEC(".maps");

#endif /* TAP_GATE_MAPS_H */
