// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads the feeder and the floors, and runs programs behind it; see feed.h.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>

#include "selftests/common/check.h"
#include "selftests/cost/feed.h"
#include "cost.skel.h"
#include "floor.skel.h"

static struct cost_bpf *cost;
static struct floor_bpf *floors;
static struct cost_frame *frames;

const struct bpf_program *feed_empty[2], *floor_drop, *floor_parse, *floor_parser;

static void load_floors(void)
{
	struct bpf_program *program;

	floors = floor_bpf__open();
	if (!floors)
		give_up("the floor programs do not open: %s", strerror(errno));
	/* Or the feeder could not call them. */
	bpf_object__for_each_program(program, floors->obj)
		bpf_program__set_flags(program, BPF_F_XDP_HAS_FRAGS);
	if (floor_bpf__load(floors))
		give_up("the floor programs do not load: %s", strerror(errno));
	floor_drop = floors->progs.floor_drop;
	floor_parse = floors->progs.floor_parse;
}

/*
 * The test runner makes the program it runs known to the kernel's XDP dispatcher, and then waits
 * for all CPUs, twice in each call; unless some device has the program already.
 */
static void attach_somewhere(const struct bpf_program *program, const char *device)
{
	int err = bpf_xdp_attach(if_nametoindex(device), bpf_program__fd(program),
				 XDP_FLAGS_SKB_MODE, NULL);

	if (err)
		give_up("%s: %s", device, strerror(-err));
}

void feed_load(void)
{
	if (unshare(CLONE_NEWNET) || system("ip link add feed0 type veth peer name feed1"))
		give_up("no network namespace with a veth pair: %s (run as root)", strerror(errno));
	cost = cost_bpf__open_and_load();
	if (!cost)
		give_up("the feeder does not load: %s (run as root)", strerror(errno));
	frames = mmap(NULL, COST_FRAMES * sizeof(*frames), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(cost->maps.cost_frames), 0);
	if (frames == MAP_FAILED)
		give_up("cost_frames: %s", strerror(errno));
	attach_somewhere(cost->progs.feed_xdp, "feed0");
	attach_somewhere(cost->progs.empty_xdp, "feed1");
	feed_empty[FEED_XDP] = cost->progs.empty_xdp;
	feed_empty[FEED_SKB] = cost->progs.empty_skb;
	floor_parser = cost->progs.parser_xdp;
	load_floors();
}

void feed_unload(void)
{
	munmap(frames, COST_FRAMES * sizeof(*frames));
	floor_bpf__destroy(floors);
	cost_bpf__destroy(cost);
}

void feed_frame(unsigned int at, const struct packet *packet)
{
	uint8_t bytes[PACKET_BYTES];
	unsigned int length = packet_build(packet, bytes);

	if (length > COST_FRAME_BYTES || at >= COST_FRAMES)
		give_up("frame %u of %u bytes does not fit", at, length);
	memcpy(frames[at].bytes, bytes, length);
	cost->bss->length = length;
}

struct cost_frame *feed_frames(void)
{
	return frames;
}

void feed_start(unsigned int first, unsigned int n)
{
	cost->bss->first = first;
	cost->bss->next = 0;
	cost->bss->mask = n - 1;
	cost->bss->vary = 0;
}

void feed_vary(const struct packet *packet)
{
	unsigned int ip = 14 + 4 * (!!packet->vlan[0] + !!packet->vlan[1]);

	cost->bss->source_at = packet->ipv6 ? ip + 20 : ip + 12;
	cost->bss->tcp_at = packet->ipv6 ? ip + 40 : ip + 20;
	cost->bss->vary = 1;
}

static double run(enum feed_kind kind, const struct bpf_program *program, unsigned int repeat,
		  unsigned int verdict, unsigned int ifindex)
{
	struct __sk_buff skb = { .ifindex = ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frames[cost->bss->first].bytes,
		    .data_size_in = cost->bss->length, .repeat = repeat);

	if (kind == FEED_SKB && ifindex) {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
		give_up("test run: %s", strerror(errno));
	if (opts.retval != verdict)
		give_up("%s returned %u instead of %u", bpf_program__name(program), opts.retval,
			verdict);
	return opts.duration;
}

double feed_run(enum feed_kind kind, const struct bpf_program *program, unsigned int repeat,
		unsigned int verdict, unsigned int ifindex)
{
	const struct bpf_map *map =
		kind == FEED_XDP ? cost->maps.behind_xdp : cost->maps.behind_skb;
	const struct bpf_program *feeder =
		kind == FEED_XDP ? cost->progs.feed_xdp : cost->progs.feed_skb;
	int fd = bpf_program__fd(program);
	__u32 zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(map), &zero, &fd, BPF_ANY))
		give_up("tail call: %s", strerror(errno));
	return run(kind, feeder, repeat, verdict, ifindex);
}

double feed_runner(enum feed_kind kind, unsigned int repeat)
{
	unsigned int verdict = kind == FEED_XDP ? XDP_DROP : (__u32)TC_ACT_UNSPEC;

	return run(kind, feed_empty[kind], repeat, verdict, 0);
}
