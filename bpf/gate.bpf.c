// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf/gate_maps.h"
const volatile struct tap_gate_constants gate;
SEC("xdp") int tap_gate(struct xdp_md *ctx) { __u32 z = 0; struct tap_ruleset *r; void *m = bpf_map_lookup_elem(&tap_services, &z); if (!m) return XDP_PASS; r = bpf_map_lookup_elem(m, &z); return gate.sealed && r && r->n_rules ? XDP_PASS : XDP_PASS; }
SEC("xdp") int tap_gate_l3(struct xdp_md *ctx) { return XDP_PASS; }
char LICENSE[] SEC("license") = "Dual BSD/GPL";
