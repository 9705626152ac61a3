// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define TAP_CONTEXT struct __sk_buff
#include "bpf/splitter_maps.h"
SEC("tc") int tap_split(struct __sk_buff *skb) { __u32 z = 0; struct tap_ruleset *r; void *m = bpf_map_lookup_elem(&tap_rules, &z); if (!m) return -1; r = bpf_map_lookup_elem(m, &z); if (r && r->n_rules) return -1; return -1; }
SEC("tc") int tap_split_l3(struct __sk_buff *skb) { return -1; }
char LICENSE[] SEC("license") = "Dual BSD/GPL";
