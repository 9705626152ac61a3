// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds SYN proxies by their rules: a proxy is in use as soon as a rule, or an object of nftables,
 * names it. No other sign is as good. /proc/net/stat/synproxy is in every namespace as soon as the
 * module is loaded or built in, and what it counts is 0 until the first SYN; the list of hooks
 * (nfnetlink_hook) is a module that many kernels lack. But without that file there is no proxy,
 * and nothing has to be asked that would load modules.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>

/* After <netinet/in.h>: they want its structs. */
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "user/synproxy.h"

#define TRIES 5 /* whenever the rules change while they are read */
#define DUMP_BYTES 32768 /* as much as the kernel puts into one message */

/* --- nftables --- */

static bool is_text(const struct nlattr *attr, const char *text)
{
	return mnl_attr_validate(attr, MNL_TYPE_STRING) >= 0 &&
	       !strncmp(mnl_attr_get_str(attr), text, mnl_attr_get_payload_len(attr));
}

/* Whether a nest has an attribute of this type with this text. */
static bool has_text(const struct nlattr *nest, unsigned int type, const char *text)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == type && is_text(attr, text))
			return true;
	return false;
}

/* A statement of nftables' own, or one of iptables' targets, as iptables-nft puts it there. */
static bool is_synproxy(const struct nlattr *expression)
{
	const struct nlattr *attr;

	if (has_text(expression, NFTA_EXPR_NAME, "synproxy"))
		return true;
	if (!has_text(expression, NFTA_EXPR_NAME, "target"))
		return false;
	mnl_attr_for_each_nested(attr, expression)
		if (mnl_attr_get_type(attr) == NFTA_EXPR_DATA &&
		    has_text(attr, NFTA_TARGET_NAME, "SYNPROXY"))
			return true;
	return false;
}

/* For mnl_cb_run(): one rule. */
static int look_at_rule(const struct nlmsghdr *header, void *context)
{
	const struct nlattr *attr, *expression;
	bool *found = context;

	mnl_attr_for_each(attr, header, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFTA_RULE_EXPRESSIONS)
			continue;
		mnl_attr_for_each_nested(expression, attr)
			*found |= is_synproxy(expression);
	}
	return MNL_CB_OK;
}

/* One object: rules name it by its own name, or by a map. */
static int look_at_object(const struct nlmsghdr *header, void *context)
{
	const struct nlattr *attr;
	bool *found = context;

	mnl_attr_for_each(attr, header, sizeof(struct nfgenmsg))
		*found |= mnl_attr_get_type(attr) == NFTA_OBJ_TYPE &&
			  mnl_attr_validate(attr, MNL_TYPE_U32) >= 0 &&
			  ntohl(mnl_attr_get_u32(attr)) == NFT_OBJECT_SYNPROXY;
	return MNL_CB_OK;
}

/* All families' rules or objects; false with errno if that failed. */
static bool dump(struct mnl_socket *socket, __u16 what, mnl_cb_t look, bool *found)
{
	static char buffer[DUMP_BYTES];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *message;
	ssize_t length;
	int more;

	header->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | what;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->nfgen_family = AF_UNSPEC;
	message->version = NFNETLINK_V0;
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return false;
	do {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (length < 0)
			return false;
		more = mnl_cb_run(buffer, length, 0, mnl_socket_get_portid(socket), look, found);
	} while (more > MNL_CB_STOP);
	return more == MNL_CB_STOP;
}

/* One try; false with errno: the answer is not whole. */
static bool ask_nftables(bool *found)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_NETFILTER);
	bool whole;
	int error;

	if (!socket)
		return false;
	whole = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) >= 0 &&
		dump(socket, NFT_MSG_GETRULE, look_at_rule, found) &&
		dump(socket, NFT_MSG_GETOBJ, look_at_object, found);
	error = errno;
	mnl_socket_close(socket);
	errno = error;
	return whole;
}

static bool in_nftables(void)
{
	bool found = false;

	for (int i = 0; i < TRIES && !found; i++) {
		if (ask_nftables(&found))
			return found;
		/* Kernels without nftables, or without netlink for netfilter at all. */
		if (errno == EINVAL || errno == EPROTONOSUPPORT)
			return found;
	}
	return true;
}

/* --- iptables --- */

/* The same for both families, but for where things are in an entry. */
static const struct xtables {
	const char *names; /* the tables that there are; to ask for others would make them */
	int family, level;
	size_t entry, target_offset, next_offset;
} xtables[] = {
	{ "/proc/net/ip_tables_names", AF_INET, IPPROTO_IP, sizeof(struct ipt_entry),
	  offsetof(struct ipt_entry, target_offset), offsetof(struct ipt_entry, next_offset) },
	{ "/proc/net/ip6_tables_names", AF_INET6, IPPROTO_IPV6, sizeof(struct ip6t_entry),
	  offsetof(struct ip6t_entry, target_offset), offsetof(struct ip6t_entry, next_offset) },
};

_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo) &&
		       offsetof(struct ipt_get_entries, entrytable) ==
			       offsetof(struct ip6t_get_entries, entrytable) &&
		       IPT_SO_GET_INFO == IP6T_SO_GET_INFO &&
		       IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES,
	       "one code reads both");

static bool entries_have(const struct xtables *x, const char *entries, size_t bytes)
{
	const struct xt_entry_target *target;
	__u16 target_offset, next_offset;
	size_t at;

	for (at = 0; at + x->entry <= bytes; at += next_offset) {
		memcpy(&target_offset, entries + at + x->target_offset, sizeof(target_offset));
		memcpy(&next_offset, entries + at + x->next_offset, sizeof(next_offset));
		if (next_offset < x->entry || at + next_offset > bytes ||
		    target_offset + sizeof(*target) > next_offset)
			return true; /* of a kind that is not known here */
		target = (const void *)(entries + at + target_offset);
		if (!strncmp(target->u.user.name, "SYNPROXY", sizeof(target->u.user.name)))
			return true;
	}
	return false;
}

/* One try: 1 found, 0 not, or -1. */
static int ask_table(const struct xtables *x, int fd, const char *table)
{
	struct ipt_getinfo info = { 0 };
	struct ipt_get_entries *entries;
	socklen_t length = sizeof(info);
	int found = -1;

	memcpy(info.name, table, strnlen(table, sizeof(info.name) - 1));
	if (getsockopt(fd, x->level, IPT_SO_GET_INFO, &info, &length))
		return -1;
	length = sizeof(*entries) + info.size;
	entries = calloc(1, length);
	if (!entries)
		return -1;
	memcpy(entries->name, info.name, sizeof(entries->name));
	entries->size = info.size;
	if (!getsockopt(fd, x->level, IPT_SO_GET_ENTRIES, entries, &length))
		found = entries_have(x, (const char *)entries->entrytable, info.size);
	free(entries);
	return found;
}

static bool in_table(const struct xtables *x, const char *table)
{
	int fd = socket(x->family, SOCK_DGRAM | SOCK_CLOEXEC, 0), found = -1;

	for (int i = 0; i < TRIES && fd >= 0 && found < 0; i++)
		found = ask_table(x, fd, table);
	if (fd >= 0)
		close(fd);
	return found != 0;
}

static bool in_iptables(const struct xtables *x)
{
	FILE *names = fopen(x->names, "re");
	char table[XT_TABLE_MAXNAMELEN + 1];
	bool found = false;

	if (!names)
		return errno != ENOENT;
	while (!found && fgets(table, sizeof(table), names)) {
		table[strcspn(table, "\n")] = 0;
		found = in_table(x, table);
	}
	fclose(names);
	return found;
}

bool synproxy_in_use(void)
{
	if (access("/proc/net/stat/synproxy", F_OK))
		return false;
	return in_nftables() || in_iptables(&xtables[0]) || in_iptables(&xtables[1]);
}
