// SPDX-License-Identifier: GPL-2.0-only
/*
 * A SYN flood for tests, a few million frames a second from one core: BPF_PROG_RUN with live frames
 * sends what the program beside this file makes. Always ends by itself. To be run only where its
 * frames can go nowhere, in a network namespace made for it.
 */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "selftests/flood/flood.h"
#include "flood.skel.h"

#define SECONDS_MAX 60
#define NS_PER_S 1000000000ull
#define FRAMES_FIRST 16384u
#define RUN_NS (NS_PER_S / 4) /* setting a run up and taking it down takes some 16 ms */
#define SMOOTH_RATE 100000u /* from here on the program keeps the pace, frame by frame */
#define STEP_NS (NS_PER_S / 100) /* below it frames go out in bursts so far apart */
#define BATCH 64u

struct options {
	const char *dev, *dst_mac, *dst;
	unsigned int ifindex, dport;
	double seconds;
	unsigned long long count, rate;
	long window;
	bool ipv6;
};

static const char help[] =
	"usage: flood --dev DEV --dst-mac MAC --dst ADDRESS --dport PORT [--seconds S] [--count N]\n"
	"             [--window any|N] [--rate N] [-6]\n"
	"Sends SYNs from invented addresses of 10.0.0.0/8 or 2001:db8:f::/96. Ends after S seconds\n"
	"(default 1, at most 60) or N frames. --rate: frames a second (default: as many as it can).\n";

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "dev", 1, NULL, 'i' }, { "dst-mac", 1, NULL, 'm' }, { "dst", 1, NULL, 'd' },
		{ "dport", 1, NULL, 'p' }, { "seconds", 1, NULL, 's' }, { "count", 1, NULL, 'c' },
		{ "window", 1, NULL, 'w' }, { "rate", 1, NULL, 'r' }, { "help", 0, NULL, 'h' },
		{ 0 },
	};
	int c;

	*o = (struct options){ .seconds = 1, .count = ~0ull, .window = FLOOD_WINDOW_ANY };
	while ((c = getopt_long(argc, argv, "6", longs, NULL)) != -1) {
		switch (c) {
		case 'i': o->dev = optarg; break;
		case 'm': o->dst_mac = optarg; break;
		case 'd': o->dst = optarg; break;
		case 'p': o->dport = strtoul(optarg, NULL, 10); break;
		case 's': o->seconds = strtod(optarg, NULL); break;
		case 'c': o->count = strtoull(optarg, NULL, 10); break;
		case 'w':
			o->window = strcmp(optarg, "any") ? strtol(optarg, NULL, 0) : FLOOD_WINDOW_ANY;
			break;
		case 'r': o->rate = strtoull(optarg, NULL, 10); break;
		case '6': o->ipv6 = true; break;
		case 'h': fputs(help, stdout); exit(0);
		default: return -EINVAL;
		}
	}
	if (!o->dev || !o->dst_mac || !o->dst || !o->dport || o->dport > 65535 || o->window > 65535 ||
	    !(o->seconds > 0 && o->seconds <= SECONDS_MAX) || optind != argc)
		return -EINVAL;
	o->ifindex = if_nametoindex(o->dev);
	if (!o->ifindex) {
		fprintf(stderr, "flood: no device %s here\n", o->dev);
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

/* The frame with the varying fields zero; returns its length. */
static int build(const struct options *o, __u8 *frame, struct flood_settings *s)
{
	struct ethhdr *eth = (struct ethhdr *)frame;
	struct iphdr *ip = (struct iphdr *)(eth + 1);
	struct ipv6hdr *ip6 = (struct ipv6hdr *)(eth + 1);
	struct tcphdr *tcp = o->ipv6 ? (struct tcphdr *)(ip6 + 1) : (struct tcphdr *)(ip + 1);
	struct in6_addr base;
	int err = own_mac(o->dev, eth->h_source);

	if (err)
		return err;
	if (!ether_aton_r(o->dst_mac, (struct ether_addr *)eth->h_dest))
		return -EINVAL;
	eth->h_proto = htons(o->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	tcp->dest = htons(o->dport);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->syn = 1;
	s->tcp_sum = sum(tcp, sizeof(*tcp)) + htons(IPPROTO_TCP) + htons(sizeof(*tcp));
	if (o->ipv6) {
		ip6->version = 6;
		ip6->payload_len = htons(sizeof(*tcp));
		ip6->nexthdr = IPPROTO_TCP;
		ip6->hop_limit = 64;
		inet_pton(AF_INET6, "2001:db8:f::", &base);
		memcpy(&ip6->saddr, &base, sizeof(base));
		if (inet_pton(AF_INET6, o->dst, &ip6->daddr) != 1)
			return -EINVAL;
		s->tcp_sum += sum(&ip6->saddr, 32);
		s->source_mask = htonl(0xffffffff);
	} else {
		ip->version = 4;
		ip->ihl = 5;
		ip->tot_len = htons(sizeof(*ip) + sizeof(*tcp));
		ip->ttl = 64;
		ip->protocol = IPPROTO_TCP;
		if (inet_pton(AF_INET, o->dst, &ip->daddr) != 1)
			return -EINVAL;
		s->tcp_sum += sum(&ip->daddr, 4);
		s->ip_sum = sum(ip, sizeof(*ip));
		s->source_base = htonl(10u << 24);
		s->source_mask = htonl(0x00ffffff);
	}
	s->window = o->window;
	s->ipv6 = o->ipv6;
	if (o->rate >= SMOOTH_RATE)
		s->frame_ps = 1000 * NS_PER_S / o->rate;
	s->seed = now_ns() * 0x9e3779b97f4a7c15ull | 1;
	return (__u8 *)(tcp + 1) - frame;
}

/* How many frames the next run is to send; 0: none are due yet. */
static __u64 next_run(const struct options *o, __u64 sent, __u64 spent)
{
	__u64 due, ahead = o->rate >= SMOOTH_RATE ? RUN_NS : STEP_NS;
	double seconds;

	if (!o->rate)
		due = sent ? sent + (double)sent * RUN_NS / spent : FRAMES_FIRST;
	else {
		seconds = (double)(spent + ahead) / NS_PER_S;
		due = o->rate * (seconds < o->seconds ? seconds : o->seconds);
	}
	if (due > o->count)
		due = o->count;
	return due > sent ? due - sent : 0;
}

/* Sends until the time or the count is up. */
static int run(const struct options *o, struct flood_bpf *skel, __u8 *frame, int bytes)
{
	const volatile __u64 *sent = &skel->bss->sent;
	struct xdp_md context = { .data_end = bytes, .ingress_ifindex = o->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = bytes,
		    .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	__u64 start = now_ns(), length = o->seconds * NS_PER_S, spent;
	double took;

	skel->bss->start_ns = start;
	while ((spent = now_ns() - start) < length && *sent < o->count) {
		opts.repeat = next_run(o, *sent, spent);
		if (!opts.repeat)
			usleep(2000);
		else if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.flood), &opts) &&
			 errno != EINTR)
			return -errno;
	}
	took = (double)(now_ns() - start) / NS_PER_S;
	printf("sent %llu seconds %.3f rate %.0f\n", (unsigned long long)*sent, took, *sent / took);
	return 0;
}

int main(int argc, char **argv)
{
	__u8 frame[sizeof(struct ethhdr) + sizeof(struct ipv6hdr) + sizeof(struct tcphdr)] = { 0 };
	struct flood_settings settings = { 0 };
	struct flood_bpf *skel = NULL;
	struct options options;
	int err, bytes;

	err = parse(&options, argc, argv);
	if (err) {
		fputs(help, stderr);
		return 2;
	}
	bytes = build(&options, frame, &settings);
	if (bytes < 0) {
		err = bytes;
		goto out;
	}
	skel = flood_bpf__open();
	if (!skel) {
		err = -errno;
		goto out;
	}
	memcpy((void *)&skel->rodata->settings, &settings, sizeof(settings));
	err = flood_bpf__load(skel);
	if (!err)
		err = run(&options, skel, frame, bytes);
out:
	flood_bpf__destroy(skel);
	if (err)
		fprintf(stderr, "flood: %s\n", strerror(-err));
	return err ? 1 : 0;
}
