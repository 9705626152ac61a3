/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate through libxdp's dispatcher (--shared), beside other XDP programs. Functions return 0 or
 * a negative errno after fail().
 */
#ifndef TAP_XDP_SHARED_H
#define TAP_XDP_SHARED_H

#include <bpf/libbpf.h>

#include "user/xdp.h"

/*
 * Attaches the program NAME of an object that is open and not loaded. Returns -EOPNOTSUPP, without
 * fail(), where the driver has no native XDP. *alone: the kernel has no dispatcher and libxdp fell
 * back to attaching the program by itself.
 */
int xdp_shared_attach(const struct interface *interface, struct bpf_object *object, const char *name,
		      bool generic, bool *alone);

struct xdp_shared_gate {
	__u32 id; /* of the gate that was attached last; 0: none is there */
	bool alone; /* as above */
	bool generic; /* after the driver */
};

/* Looks which gate is there. */
int xdp_shared_find(__u32 ifindex, struct xdp_shared_gate *gate);

/* Puts a loaded program in the place of one that is attached alone. */
int xdp_shared_replace_alone(const struct interface *interface, int prog_fd);

/* Detaches every gate but the one with the id KEEP_ID (0: all). Gone already is fine. */
int xdp_shared_detach(__u32 ifindex, __u32 keep_id);

#endif /* TAP_XDP_SHARED_H */
