// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a SYN costs the splitter, on a device that throws away what it is to send (ifb). The
 * splitter is attached there, too, so that the clones come to it again, as on any device.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "selftests/common/check.h"
#include "selftests/cost/cases.h"
#include "selftests/cost/figures.h"
#include "selftests/cost/gates.h"
#include "splitter.skel.h"

#define DEVICE "tapsink"
#define TCX_EGRESS 47 /* BPF_TCX_EGRESS; the headers of Debian 12 do not have it */
#define NS_PER_S 1000000000LL

struct splits_case {
	const char *name;
	uint16_t port;
	bool ipv6;
	enum tap_split outcome; /* of each */
};

static const struct splits_case cases[] = {
	{ "no rule: IPv4", COST_FREE_PORT, false, TAP_SPLIT_passed },
	{ "split into four: IPv4", GATE_PORT, false, TAP_SPLIT_split },
	{ "split into four: IPv6", GATE_PORT, true, TAP_SPLIT_split },
};

static struct splitter_bpf *bpf;
static unsigned int ifindex;

static void update(const struct bpf_map *map, const void *value)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(map), &zero, value, BPF_ANY))
		give_up("map %s: %s", bpf_map__name(map), strerror(errno));
}

static void set_peer(void)
{
	struct tap_peer peer = { .key_id = GATE_KEY, .encoding = TAP_ENCODING_VEILED };
	uint8_t key[REF_DERIVED_BYTES];
	unsigned int m;

	ref_derive_tag(key, gate_user_key, gate_realm_key);
	memcpy(peer.tag.k, key, sizeof(key));
	ref_derive_realm(key, "TAP3 veil", gate_realm_key);
	memcpy(peer.veil.k, key, sizeof(key));
	ref_derive_realm(key, "TAP3 mark", gate_realm_key);
	for (m = TAP_MARK_MIN; m < 65536; m++)
		if (ref_is_mark(key, m))
			peer.marks[peer.n_marks++] = m;
	update(bpf->maps.tap_peers, &peer);
}

static void set_rule(void)
{
	struct tap_client client = { .port_lo = 32768, .port_hi = 60999 };
	struct tap_rule rule;

	gate_rule(&rule, GATE_PORT, GATE_PORT);
	rule.client = (struct tap_client_rule){ .uid = TAP_UID_ANY, .origin = TAP_ORIGIN_ANY };
	publish_rules(bpf->maps.tap_rules, &rule, 1, false);
	update(bpf->maps.tap_client, &client);
}

static void attach(void)
{
	int fd = bpf_program__fd(bpf->progs.tap_split), err;
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = fd);

	err = bpf_link_create(fd, ifindex, TCX_EGRESS, NULL);
	if (err == -EINVAL)
		err = bpf_tc_hook_create(&hook) ?: bpf_tc_attach(&hook, &filter);
	if (err < 0)
		give_up("the splitter does not attach: %s", strerror(-err));
}

/* False: this kernel has no such device, and the splitter is not measured. */
static bool start(void)
{
	if (system("ip link add name " DEVICE " type ifb 2>/dev/null") ||
	    system("ip link set " DEVICE " up"))
		return false;
	ifindex = if_nametoindex(DEVICE);
	bpf = splitter_bpf__open_and_load();
	if (!bpf)
		give_up("the splitter does not load: %s", strerror(errno));
	set_peer();
	set_rule();
	attach();
	return true;
}

static uint64_t outcomes(enum tap_split outcome)
{
	int cpus = libbpf_num_possible_cpus(), i;
	struct tap_client_stats stats[cpus];
	uint64_t sum = 0;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(bpf->maps.tap_client_stats), &zero, stats))
		give_up("tap_client_stats: %s", strerror(errno));
	for (i = 0; i < cpus; i++)
		sum += ((uint64_t *)&stats[i])[outcome];
	return sum;
}

static void splits_case_round(const struct splits_case *c, unsigned int repeat)
{
	struct floors floors = { 0 };
	struct packet packet;
	uint64_t before;
	double ns;

	packet_syn(&packet, c->ipv6, 12345, c->port, 1);
	feed_start(0, 1);
	feed_frame(0, &packet);
	feed_vary(&packet);
	floors.runner = feed_runner(FEED_SKB, repeat);
	ns = feed_run(FEED_SKB, feed_empty[FEED_SKB], repeat, (__u32)TC_ACT_UNSPEC, ifindex);
	floors.feeder = ns - floors.runner;
	figure_add(figure("splitter", "empty program: %s", c->ipv6 ? "IPv6" : "IPv4"), ns, &floors);
	before = outcomes(c->outcome);
	ns = feed_run(FEED_SKB, bpf->progs.tap_split, repeat, (__u32)TC_ACT_UNSPEC, ifindex);
	if (outcomes(c->outcome) - before != repeat)
		give_up("splitter, %s: not all fared alike", c->name);
	figure_add(figure("splitter", "%s", c->name), ns, &floors);
}

void splits_round(const struct effort *effort)
{
	unsigned int i;

	if (!wanted(effort, "splitter"))
		return;
	if (!bpf && !start())
		return;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		splits_case_round(&cases[i], effort->repeat / 4);
}

void splits_end(void)
{
	splitter_bpf__destroy(bpf);
}
