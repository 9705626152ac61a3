// SPDX-License-Identifier: GPL-2.0-only
/*
 * The splitter on the TCX egress hook (Linux 6.6), by a BPF link.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "user/programs.h"
#include "user/tcx.h"

#define TCX_EGRESS ((enum bpf_attach_type)47) /* BPF_TCX_EGRESS; the headers may be older */
#define TCX_PROGRAMS_MAX 64		      /* the kernel's own limit */

int tcx_attach(__u32 ifindex, int prog_fd)
{
	int fd = bpf_link_create(prog_fd, ifindex, TCX_EGRESS, NULL);

	return fd < 0 ? -errno : fd;
}

/* Asks which programs are on the hook; their number, or -errno. */
static int query(__u32 ifindex, __u32 *ids)
{
	LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = ids, .prog_cnt = TCX_PROGRAMS_MAX);

	if (!bpf_prog_query_opts(ifindex, TCX_EGRESS, &opts))
		return opts.prog_cnt;
	/* ENOENT: the hook is there and nothing is on it. */
	return errno == ENOENT ? 0 : -errno;
}

int tcx_has_program(__u32 ifindex, const char *prefix)
{
	__u32 ids[TCX_PROGRAMS_MAX];
	int n = query(ifindex, ids), found = 0;

	/* EINVAL: this kernel has no TCX. */
	if (n < 0 && n != -EINVAL)
		return fail(-n, "cannot look at the TCX programs of interface %u: %s", ifindex,
			    cause(-n));
	for (int i = 0; i < n && !found; i++)
		found = program_is(ids[i], prefix);
	return found;
}
