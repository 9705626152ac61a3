// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends segments of a capture again, as an eavesdropper would: reads what `tcpdump -w` wrote
 * (Ethernet, microseconds, this machine's byte order) and sends each frame through a packet socket,
 * to another Ethernet address and from another IP address if asked to. TCP checksums are computed
 * anew, because a capture at the sender holds unfinished ones.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PCAP_MAGIC 0xa1b2c3d4u
#define PCAP_ETHERNET 1u
#define FRAME_MAX 65536u

struct pcap_header {
	__u32 magic;
	__u16 major, minor;
	__u32 zone, accuracy, length, link;
};

struct pcap_record {
	__u32 seconds, microseconds, captured, length;
};

struct options {
	const char *file, *dev, *dst_mac, *src;
	unsigned int ifindex;
	useconds_t gap;
};

static const char help[] =
	"usage: replay --dev DEV [--dst-mac MAC] [--src ADDRESS] [--gap MICROSECONDS] FILE\n"
	"Sends each frame of FILE, a capture by tcpdump -w, once.\n";

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "dev", 1, NULL, 'i' }, { "dst-mac", 1, NULL, 'm' }, { "src", 1, NULL, 's' },
		{ "gap", 1, NULL, 'g' }, { "help", 0, NULL, 'h' },
		{ 0 },
	};
	int c;

	*o = (struct options){ 0 };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'i': o->dev = optarg; break;
		case 'm': o->dst_mac = optarg; break;
		case 's': o->src = optarg; break;
		case 'g': o->gap = strtoul(optarg, NULL, 10); break;
		case 'h': fputs(help, stdout); exit(0);
		default: return -EINVAL;
		}
	}
	if (!o->dev || optind + 1 != argc)
		return -EINVAL;
	o->file = argv[optind];
	o->ifindex = if_nametoindex(o->dev);
	return o->ifindex ? 0 : -ENODEV;
}

/* The Internet checksum's sum over data; an odd last byte counts as if a zero followed. */
static __u32 sum(const void *data, size_t bytes, __u32 total)
{
	const __u8 *at = data;
	__u16 word;

	for (; bytes > 1; at += 2, bytes -= 2) {
		memcpy(&word, at, 2);
		total += word;
	}
	if (bytes)
		total += htons(*at << 8);
	return total;
}

static __u16 fold(__u32 total)
{
	total = (total & 0xffff) + (total >> 16);
	total = (total & 0xffff) + (total >> 16);
	return ~total;
}

static int change_tcp(__u8 *at, size_t bytes, __u32 pseudo)
{
	struct tcphdr *tcp = (struct tcphdr *)at;

	if (bytes < sizeof(*tcp))
		return -EINVAL;
	tcp->check = 0;
	tcp->check = fold(sum(at, bytes, pseudo + htons(IPPROTO_TCP) + htons(bytes)));
	return 0;
}

static int change_ipv4(const struct options *o, __u8 *at, size_t left)
{
	struct iphdr *ip = (struct iphdr *)at;
	size_t bytes;

	if (left < sizeof(*ip) || ip->protocol != IPPROTO_TCP)
		return -EINVAL;
	bytes = ntohs(ip->tot_len);
	if (bytes > left || ip->ihl < 5 || ip->ihl * 4u > bytes)
		return -EINVAL;
	if (o->src && inet_pton(AF_INET, o->src, &ip->saddr) != 1)
		return -EINVAL;
	ip->check = 0;
	ip->check = fold(sum(ip, ip->ihl * 4, 0));
	return change_tcp(at + ip->ihl * 4, bytes - ip->ihl * 4, sum(&ip->saddr, 8, 0));
}

static int change_ipv6(const struct options *o, __u8 *at, size_t left)
{
	struct ipv6hdr *ip6 = (struct ipv6hdr *)at;
	size_t bytes;

	if (left < sizeof(*ip6) || ip6->nexthdr != IPPROTO_TCP)
		return -EINVAL;
	bytes = ntohs(ip6->payload_len);
	if (bytes > left - sizeof(*ip6))
		return -EINVAL;
	if (o->src && inet_pton(AF_INET6, o->src, &ip6->saddr) != 1)
		return -EINVAL;
	return change_tcp(at + sizeof(*ip6), bytes, sum(&ip6->saddr, 32, 0));
}

static int change(const struct options *o, __u8 *frame, size_t bytes)
{
	struct ethhdr *eth = (struct ethhdr *)frame;

	if (bytes < sizeof(*eth))
		return -EINVAL;
	if (o->dst_mac && !ether_aton_r(o->dst_mac, (struct ether_addr *)eth->h_dest))
		return -EINVAL;
	if (eth->h_proto == htons(ETH_P_IP))
		return change_ipv4(o, frame + sizeof(*eth), bytes - sizeof(*eth));
	if (eth->h_proto == htons(ETH_P_IPV6))
		return change_ipv6(o, frame + sizeof(*eth), bytes - sizeof(*eth));
	return -EINVAL;
}

/* Sends every frame of the open capture; returns their number or a negative errno. */
static int send_all(const struct options *o, FILE *file, int fd, __u8 *frame)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = o->ifindex };
	struct pcap_header header;
	struct pcap_record record;
	int n = 0, err;

	if (fread(&header, sizeof(header), 1, file) != 1 || header.magic != PCAP_MAGIC ||
	    header.link != PCAP_ETHERNET)
		return -EINVAL;
	while (fread(&record, sizeof(record), 1, file) == 1) {
		if (record.captured > FRAME_MAX || record.captured != record.length ||
		    fread(frame, record.captured, 1, file) != 1)
			return -EINVAL;
		err = change(o, frame, record.captured);
		if (err)
			return err;
		if (sendto(fd, frame, record.captured, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			return -errno;
		n++;
		if (o->gap)
			usleep(o->gap);
	}
	return n;
}

int main(int argc, char **argv)
{
	static __u8 frame[FRAME_MAX];
	struct options options;
	FILE *file = NULL;
	int n, fd = -1;

	n = parse(&options, argc, argv);
	if (n) {
		fputs(help, stderr);
		return 2;
	}
	file = fopen(options.file, "re");
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	n = file && fd >= 0 ? send_all(&options, file, fd, frame) : -errno;
	if (n < 0)
		fprintf(stderr, "replay: %s: %s\n", options.file, strerror(-n));
	else
		printf("sent %d\n", n);
	if (file)
		fclose(file);
	if (fd >= 0)
		close(fd);
	return n < 0 ? 1 : 0;
}
