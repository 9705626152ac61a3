/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for the kernel where a whole BPF program is compiled for the host: included before it,
 * in place of libbpf's headers. Frames are in memory below 4 GiB, so that the 32-bit pointers of
 * the real contexts hold. A helper or a map that a program uses for the first time needs a line
 * here or in host_gate.c, host_splitter.c.
 */
#ifndef TAP_FUZZ_HOST_BPF_H
#define TAP_FUZZ_HOST_BPF_H

#include "selftests/fuzz/host.h"

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name
#define __ksym
#define __weak
#define __array(name, value) typeof(value) *name[]

/* Under names of their own: libbpf's functions of these names may be in the same program. */
#define bpf_map_lookup_elem host_map_lookup
#define bpf_map_update_elem host_map_update
#define bpf_ktime_get_tai_ns host_tai_ns
#define bpf_ktime_get_coarse_ns host_coarse_ns
#define bpf_ktime_get_boot_ns host_coarse_ns
#define bpf_get_prandom_u32 host_random
#define bpf_xdp_adjust_tail host_xdp_adjust_tail
#define bpf_xdp_get_buff_len host_xdp_length
#define bpf_xdp_load_bytes host_xdp_load_bytes
#define bpf_xdp_pull_data host_xdp_pull_data
#define bpf_skb_load_bytes host_skb_load_bytes
#define bpf_skb_store_bytes host_skb_store_bytes
#define bpf_skb_pull_data host_skb_pull_data
#define bpf_skb_change_tail host_skb_change_tail
#define bpf_l3_csum_replace host_l3_csum_replace
#define bpf_l4_csum_replace host_l4_csum_replace
#define bpf_csum_diff host_csum_diff
#define bpf_clone_redirect host_clone_redirect
#define bpf_get_socket_uid host_socket_uid
#define bpf_skc_lookup_tcp host_skc_lookup_tcp
#define bpf_sk_release host_sk_release
#define bpf_xdp_ct_lookup host_xdp_ct_lookup
#define bpf_ct_release host_ct_release

/* One of the program's maps, for the function that declares them all to host_map(). */
#define HOST_MAP(map)                                                                              \
	host_map(&map, #map, HOST_NUMBER(map, type), sizeof(*map.key), sizeof(*map.value),         \
		 HOST_NUMBER(map, max_entries))
#define HOST_MAP_OF_MAPS(map)                                                                      \
	host_map(&map, #map, HOST_NUMBER(map, type), sizeof(*map.key), 0, 1)
#define HOST_NUMBER(map, name) (sizeof(*map.name) / sizeof(int))

#endif /* TAP_FUZZ_HOST_BPF_H */
