// SPDX-License-Identifier: GPL-2.0-only
/*
 * The splitter as a classic tc filter on a clsact qdisc, for kernels before 6.6.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <time.h>

#include "user/clsact.h"

static struct bpf_tc_hook egress(__u32 ifindex)
{
	return (struct bpf_tc_hook){ .sz = sizeof(struct bpf_tc_hook),
				     .ifindex = ifindex,
				     .attach_point = BPF_TC_EGRESS };
}

static struct bpf_tc_opts our_place(void)
{
	return (struct bpf_tc_opts){ .sz = sizeof(struct bpf_tc_opts),
				     .handle = CLSACT_HANDLE,
				     .priority = CLSACT_PRIORITY };
}

/* EINVAL: there is no clsact qdisc. */
static bool is_absence(int err)
{
	return err == -ENOENT || err == -EINVAL || err == -ENODEV;
}

int clsact_program(__u32 ifindex, __u32 *id)
{
	struct bpf_tc_hook hook = egress(ifindex);
	struct bpf_tc_opts opts = our_place();
	int err = bpf_tc_query(&hook, &opts);

	*id = err ? 0 : opts.prog_id;
	if (!err || is_absence(err))
		return 0;
	return fail(-err, "cannot look at the tc filters of interface %u: %s", ifindex,
		    cause(-err));
}

bool clsact_has_qdisc(__u32 ifindex)
{
	struct bpf_tc_hook hook = egress(ifindex);
	struct bpf_tc_opts opts = our_place();

	return bpf_tc_query(&hook, &opts) != -EINVAL;
}

int clsact_make_qdisc(const char *name, __u32 ifindex, bool *made)
{
	struct bpf_tc_hook hook = egress(ifindex);
	int err;

	err = bpf_tc_hook_create(&hook);
	*made = !err;
	if (!err || err == -EEXIST)
		return 0;
	return fail(-err,
		    "cannot make a clsact qdisc on %s: %s; the kernel needs CONFIG_NET_CLS_ACT and "
		    "sch_ingress",
		    name, cause(-err));
}

int clsact_occupied(const char *name)
{
	return fail(EBUSY,
		    "%s already has a splitter as a tc filter, which this pin directory does not "
		    "know: detach it with its own --pin-dir, or remove it: tc filter del dev %s "
		    "egress pref %u handle 0x%x bpf",
		    name, name, CLSACT_PRIORITY, CLSACT_HANDLE);
}

/* After an error: the kernel may have attached it all the same, and only its answer was lost. */
static void take_back(const struct bpf_tc_hook *hook, int prog_fd)
{
	struct bpf_tc_opts opts = our_place();
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &length) || bpf_tc_query(hook, &opts) ||
	    opts.prog_id != info.id)
		return;
	opts = our_place();
	bpf_tc_detach(hook, &opts);
}

int clsact_attach(const char *name, __u32 ifindex, int prog_fd, bool replace)
{
	struct bpf_tc_hook hook = egress(ifindex);
	struct bpf_tc_opts opts = our_place();
	int err;

	opts.prog_fd = prog_fd;
	opts.flags = replace ? BPF_TC_F_REPLACE : 0;
	err = bpf_tc_attach(&hook, &opts);
	if (!err)
		return 0;
	if (err == -EEXIST)
		return clsact_occupied(name);
	if (!replace)
		take_back(&hook, prog_fd);
	return fail(-err,
		    "cannot attach the splitter to %s as a tc filter: %s; see what holds "
		    "preference %u: tc filter show dev %s egress",
		    name, cause(-err), CLSACT_PRIORITY, name);
}

static int count_filter(const struct nlmsghdr *header, void *count)
{
	if (header->nlmsg_type == RTM_NEWTFILTER)
		++*(unsigned int *)count;
	return MNL_CB_OK;
}

/* How many filters PARENT has; a failure counts as some, so that nothing of others is removed. */
static unsigned int count_filters(struct mnl_socket *socket, __u32 ifindex, __u32 parent)
{
	char buffer[8192];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	unsigned int sequence = time(NULL), count = 0;
	struct tcmsg *message;
	ssize_t length;
	int more = 1;

	header->nlmsg_type = RTM_GETTFILTER;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = sequence;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->tcm_family = AF_UNSPEC;
	message->tcm_ifindex = ifindex;
	message->tcm_parent = parent;
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return 1;
	while (more > 0) {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (length < 0)
			return 1;
		more = mnl_cb_run(buffer, length, sequence, mnl_socket_get_portid(socket),
				  count_filter, &count);
	}
	return more < 0 ? 1 : count;
}

static bool qdisc_is_empty(__u32 ifindex)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	bool empty = false;

	if (!socket)
		return false;
	if (!mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID))
		empty = !count_filters(socket, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) &&
			!count_filters(socket, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
	mnl_socket_close(socket);
	return empty;
}

int clsact_detach(const char *name, __u32 ifindex)
{
	struct bpf_tc_hook hook = egress(ifindex);
	struct bpf_tc_opts opts = our_place();
	int err;

	err = bpf_tc_detach(&hook, &opts);
	if (!err || is_absence(err))
		return 0;
	return fail(-err, "cannot take the splitter's tc filter off %s: %s", name, cause(-err));
}

void clsact_remove_empty_qdisc(__u32 ifindex)
{
	struct bpf_tc_hook hook = egress(ifindex);

	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	if (qdisc_is_empty(ifindex))
		bpf_tc_hook_destroy(&hook);
}
