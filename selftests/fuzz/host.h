/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's part of a BPF program that runs on the host: maps, clock, randomness, frames with a
 * red zone around them, and the helper functions that our programs call.
 */
#ifndef TAP_FUZZ_HOST_H
#define TAP_FUZZ_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

/* --- host_maps.c --- */

/* Declares a map of the program under its address; entries is what hash maps may hold. */
void host_map(const void *map, const char *name, unsigned int type, size_t key_size,
	      size_t value_size, unsigned int entries);
void host_map_resize(const void *map, unsigned int entries);

/* An array's value, or what an array of maps points to. NULL: there is none. */
void *host_map_at(const void *map, uint32_t index);
/* The inner map of an array of maps: an array with this one value, or NULL for none. */
void host_map_set_inner(const void *map, void *value);

/* Empties the map: all zero, or no entries. Costs as much as was touched. */
void host_map_clear(const void *map);

/* What was touched since it was last cleared: calls visit() with each index. */
void host_map_touched(const void *map, void (*visit)(void *context, uint32_t index), void *context);

/* The entries of a hash map: calls visit() with each. */
void host_map_entries(const void *map, void (*visit)(void *context, const void *key),
		      void *context);

void *host_map_lookup(const void *map, const void *key);
long host_map_update(const void *map, const void *key, const void *value, uint64_t flags);

/* --- host_frame.c --- */

#define HOST_FRAME_BYTES 65536 /* as long as a frame may be */

/* A copy of the frame with red zones, at an address below 4 GiB. One at a time for each slot. */
uint8_t *host_frame(unsigned int slot, const void *bytes, size_t length);
void host_frame_cut(unsigned int slot, size_t length); /* what is beyond may not be read any more */

/* The next call but so many of a helper that can fail does fail; 0: none. Counts down. */
extern unsigned int host_fail_in;
bool host_fails(void);

extern uint64_t host_clock_ns; /* CLOCK_TAI, stands still */
extern uint64_t host_monotonic_ns; /* the same of CLOCK_MONOTONIC, coarse and not */
extern uint64_t host_seed; /* of what bpf_get_prandom_u32() gives */
uint64_t host_tai_ns(void);
uint64_t host_coarse_ns(void);
uint32_t host_random(void);

extern size_t host_frame_bytes; /* of the XDP frame, however much of it is in the first buffer */
long host_xdp_adjust_tail(struct xdp_md *ctx, int delta);
uint64_t host_xdp_length(struct xdp_md *ctx);
long host_xdp_load_bytes(struct xdp_md *ctx, uint32_t at, void *to, uint32_t length);
int host_xdp_pull_data(struct xdp_md *ctx, __u32 bytes); /* an older kernel: refuses */

/* What this host knows of a connection. */
struct host_world {
	bool tracked;
	uint32_t state; /* of the socket */
};
extern struct host_world host_world;

/* Whether there is a socket for this tuple; NULL: none anywhere. */
extern bool (*host_has_socket)(const struct bpf_sock_tuple *tuple, uint32_t size);
struct bpf_sock *host_skc_lookup_tcp(void *ctx, struct bpf_sock_tuple *tuple, uint32_t size,
				     uint64_t netns, uint64_t flags);
long host_sk_release(void *sock);

/* --- host_skb.c --- */

#define HOST_SKBS 5 /* nested clones, and the frame itself */

/* A packet on its way out. ctx comes first: the program has a pointer to it. */
struct host_skb {
	struct __sk_buff ctx;
	unsigned int slot;
	bool partial; /* the checksum is left to the device */
	uint32_t uid; /* of the socket */
	uint8_t bytes[HOST_FRAME_BYTES]; /* all of it; the program sees the first part */
};

/* linear: how much of it is in one piece. */
struct host_skb *host_skb(unsigned int slot, const void *bytes, size_t length, size_t linear);

/* What a clone goes through: runs the program on it, and takes what comes out. */
extern void (*host_send_clone)(struct host_skb *clone);

long host_skb_load_bytes(const struct __sk_buff *skb, uint32_t at, void *to, uint32_t length);
long host_skb_store_bytes(struct __sk_buff *skb, uint32_t at, const void *from, uint32_t length,
			  uint64_t flags);
long host_skb_pull_data(struct __sk_buff *skb, uint32_t length);
long host_skb_change_tail(struct __sk_buff *skb, uint32_t length, uint64_t flags);
long host_l3_csum_replace(struct __sk_buff *skb, uint32_t at, uint64_t from, uint64_t to,
			  uint64_t size);
long host_l4_csum_replace(struct __sk_buff *skb, uint32_t at, uint64_t from, uint64_t to,
			  uint64_t flags);
int64_t host_csum_diff(const __be32 *from, uint32_t from_size, const __be32 *to, uint32_t to_size,
		       uint32_t seed);
long host_clone_redirect(struct __sk_buff *skb, uint32_t ifindex, uint64_t flags);
uint32_t host_socket_uid(struct __sk_buff *skb);

#endif /* TAP_FUZZ_HOST_H */
