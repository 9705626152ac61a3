/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tapctl needs of the kernel and of the one who runs it, and what libbpf and libxdp have to
 * say when a program is refused.
 */
#ifndef TAP_KERNEL_H
#define TAP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

/* Takes the log of libbpf and libxdp; with TAPCTL_DEBUG in the environment it goes to stderr. */
void kernel_log_start(void);

/* The last line of that log that tells a cause, for an error message; "" when there is none. */
const char *kernel_log_cause(void);

/* Whether that cause is what follows when libbpf's own first tries of the kernel failed. */
bool kernel_log_misjudged(void);

/* Whether the capabilities are there that BPF and networking need; -EPERM after fail(). */
int kernel_check_privileges(void);

/* The same, and whether the kernel has what the programs call; to be done before a load. */
int kernel_check(void);

/* What XDP programs can call here besides helpers. */
struct kernel_functions {
	bool conntrack; /* bpf_xdp_ct_lookup: Linux 6.0, in a module that may not be loaded */
	bool pull; /* bpf_xdp_pull_data: Linux 6.18 */
};
struct kernel_functions kernel_functions(void);

#endif /* TAP_KERNEL_H */
