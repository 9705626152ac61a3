// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends frames that a program makes, a few million a second from one core: BPF_PROG_RUN with live
 * frames; see live.h. Always ends by itself.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "selftests/flood/live.h"

#define SECONDS_MAX 600
#define NS_PER_S 1000000000ull
#define FRAMES_FIRST 16384u
#define RUN_NS (NS_PER_S / 4) /* setting a run up and taking it down takes some 16 ms */
#define SMOOTH_RATE 100000u /* from here on the program keeps the pace, frame by frame */
#define STEP_NS (NS_PER_S / 100) /* below it frames go out in bursts so far apart */
#define BATCH 64u

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void live_start(struct live *live)
{
	*live = (struct live){ .seconds = 1, .count = ~0ull };
}

int live_option(struct live *live, int option, const char *value)
{
	switch (option) {
	case 'i': live->dev = value; return 0;
	case 'm': live->dst_mac = value; return 0;
	case 'd': live->dst = value; return 0;
	case 'p': live->dport = strtoul(value, NULL, 10); return 0;
	case 's': live->seconds = strtod(value, NULL); return 0;
	case 'c': live->count = strtoull(value, NULL, 10); return 0;
	case 'r': live->rate = strtoull(value, NULL, 10); return 0;
	case '6': live->ipv6 = true; return 0;
	default: return -EINVAL;
	}
}

int live_check(struct live *live)
{
	if (!live->dev || !live->dst_mac || !live->dst || !live->dport || live->dport > 65535 ||
	    !(live->seconds > 0 && live->seconds <= SECONDS_MAX))
		return -EINVAL;
	live->ifindex = if_nametoindex(live->dev);
	if (!live->ifindex) {
		fprintf(stderr, "flood: no device %s here\n", live->dev);
		return -ENODEV;
	}
	return 0;
}

static int own_mac(const char *dev, __u8 *mac)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	strncpy(request.ifr_name, dev, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		err = -errno;
	memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
	return err;
}

/* The 16-bit words of data, added up as they are in memory. */
static __u32 sum(const void *data, size_t bytes)
{
	const __u8 *at = data;
	__u32 total = 0;
	__u16 word;
	size_t i;

	for (i = 0; i + 1 < bytes; i += 2) {
		memcpy(&word, at + i, 2);
		total += word;
	}
	return total;
}

/* The IPv6 header of a TCP segment of so many bytes; adds to the settings' sums. */
static int build_ipv6(struct live *live, struct ipv6hdr *ip6, size_t tcp_bytes)
{
	struct in6_addr base;

	ip6->version = 6;
	ip6->payload_len = htons(tcp_bytes);
	ip6->nexthdr = IPPROTO_TCP;
	ip6->hop_limit = 64;
	inet_pton(AF_INET6, "2001:db8:f::", &base);
	memcpy(&ip6->saddr, &base, sizeof(base));
	if (inet_pton(AF_INET6, live->dst, &ip6->daddr) != 1)
		return -EINVAL;
	live->settings.tcp_sum += sum(&ip6->saddr, 32);
	live->settings.source_mask = htonl(0xffffffff);
	return 0;
}

static int build_ipv4(struct live *live, struct iphdr *ip, size_t tcp_bytes)
{
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = htons(sizeof(*ip) + tcp_bytes);
	ip->ttl = 64;
	ip->protocol = IPPROTO_TCP;
	if (inet_pton(AF_INET, live->dst, &ip->daddr) != 1)
		return -EINVAL;
	live->settings.tcp_sum += sum(&ip->daddr, 4);
	live->settings.ip_sum = sum(ip, sizeof(*ip));
	live->settings.source_base = htonl(10u << 24);
	live->settings.source_mask = htonl(0x00ffffff);
	return 0;
}

int live_frame(struct live *live, const void *options, size_t bytes)
{
	struct ethhdr *eth = (struct ethhdr *)live->frame;
	size_t ip_bytes = live->ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	struct tcphdr *tcp = (void *)(eth + 1) + ip_bytes;
	size_t tcp_bytes = sizeof(*tcp) + bytes;
	int err = own_mac(live->dev, eth->h_source);

	if (err)
		return err;
	if (!ether_aton_r(live->dst_mac, (struct ether_addr *)eth->h_dest))
		return -EINVAL;
	eth->h_proto = htons(live->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	tcp->dest = htons(live->dport);
	tcp->doff = tcp_bytes / 4;
	tcp->syn = 1;
	memcpy(tcp + 1, options, bytes);
	live->settings.tcp_sum = sum(tcp, tcp_bytes) + htons(IPPROTO_TCP) + htons(tcp_bytes);
	live->settings.ipv6 = live->ipv6;
	if (live->rate >= SMOOTH_RATE)
		live->settings.frame_ps = 1000 * NS_PER_S / live->rate;
	live->settings.seed = now_ns() * 0x9e3779b97f4a7c15ull | 1;
	live->bytes = sizeof(*eth) + ip_bytes + tcp_bytes;
	return live->ipv6 ? build_ipv6(live, (void *)(eth + 1), tcp_bytes) :
			    build_ipv4(live, (void *)(eth + 1), tcp_bytes);
}

/* How many frames the next run is to send; 0: none are due yet. */
static __u64 next_run(const struct live *live, __u64 sent, __u64 spent)
{
	__u64 due, ahead = live->rate >= SMOOTH_RATE ? RUN_NS : STEP_NS;
	double seconds;

	if (!live->rate)
		due = sent ? sent + (double)sent * RUN_NS / spent : FRAMES_FIRST;
	else {
		seconds = (double)(spent + ahead) / NS_PER_S;
		due = live->rate * (seconds < live->seconds ? seconds : live->seconds);
	}
	if (due > live->count)
		due = live->count;
	return due > sent ? due - sent : 0;
}

int live_run(const struct live *live, const struct live_program *program, double *took)
{
	struct xdp_md context = { .data_end = live->bytes, .ingress_ifindex = live->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = live->frame, .data_size_in = live->bytes,
		    .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	__u64 start = now_ns(), length = live->seconds * NS_PER_S, spent;

	*program->start_ns = start;
	while ((spent = now_ns() - start) < length && *program->sent < live->count) {
		opts.repeat = next_run(live, *program->sent, spent);
		if (!opts.repeat)
			usleep(2000);
		else if (bpf_prog_test_run_opts(program->fd, &opts) && errno != EINTR)
			return -errno;
	}
	*took = (double)(now_ns() - start) / NS_PER_S;
	return 0;
}
