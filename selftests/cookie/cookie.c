// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens a connection without a SYN and without a key: sends the ACK that bears a good SYN cookie, with
 * a request, and waits for data to come back. One random ACK in 2^29 is as good; this one need not be
 * guessed, because the kernel makes it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "selftests/common/check.h"
#include "selftests/cookie/make.h"

#define AGAIN_MS 100 /* a SYN proxy throws the first request away */

static const char help[] =
	"usage: cookie --dev DEV --dst-mac MAC --src ADDR --dst ADDR --sport N --dport N\n"
	"              [--first rst|syn] [--flags fin] [--wait MS]\n"
	"Sends an ACK that bears a good SYN cookie, and a request. Exit status 0: data came back; 3: none.\n"
	"  --first rst  before that, the same with RST\n"
	"  --first syn  before that, SYN with ACK; the answer's sequence number is the cookie\n"
	"  --flags fin  the ACK closes the connection from this side, too\n"
	"  --wait MS    for so long, 1000 if not given\n";

struct options {
	const char *dev, *dst_mac, *first;
	bool fin;
	struct packet packet;
	unsigned int wait_ms;
};

static void address(struct packet *packet, const char *text, uint8_t *to)
{
	packet->ipv6 = strchr(text, ':');
	if (inet_pton(packet->ipv6 ? AF_INET6 : AF_INET, text, to) != 1)
		give_up("%s is no address", text);
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "dev", 1, NULL, 'i' }, { "dst-mac", 1, NULL, 'm' }, { "src", 1, NULL, 's' },
		{ "dst", 1, NULL, 'd' }, { "sport", 1, NULL, 'S' }, { "dport", 1, NULL, 'D' },
		{ "first", 1, NULL, 'f' }, { "flags", 1, NULL, 'F' }, { "wait", 1, NULL, 'w' },
		{ "help", 0, NULL, 'h' },
		{ 0 },
	};
	int c;

	*o = (struct options){ .wait_ms = 1000, .first = "" };
	packet_syn_plain(&o->packet, false, 0, 0, 0x01020304);
	o->packet.tcp_options_length = 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'i': o->dev = optarg; break;
		case 'm': o->dst_mac = optarg; break;
		case 's': address(&o->packet, optarg, o->packet.src); break;
		case 'd': address(&o->packet, optarg, o->packet.dst); break;
		case 'S': o->packet.sport = atoi(optarg); break;
		case 'D': o->packet.dport = atoi(optarg); break;
		case 'f': o->first = optarg; break;
		case 'F': o->fin = !strcmp(optarg, "fin"); break;
		case 'w': o->wait_ms = atoi(optarg); break;
		case 'h': fputs(help, stdout); exit(0);
		default: fputs(help, stderr); exit(2);
		}
	}
	if (!o->dev || !o->dst_mac || !o->packet.sport || !o->packet.dport) {
		fputs(help, stderr);
		exit(2);
	}
}

static int open_device(const char *dev, uint8_t mac[ETH_ALEN])
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, dev, IFNAMSIZ - 1);
	at.sll_ifindex = if_nametoindex(dev);
	if (fd < 0 || !at.sll_ifindex || ioctl(fd, SIOCGIFHWADDR, &request) ||
	    bind(fd, (void *)&at, sizeof(at)))
		give_up("%s: %s (run as root)", dev, strerror(errno));
	memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	return fd;
}

static void transmit(int fd, const struct options *o, const uint8_t mac[ETH_ALEN],
		     const struct packet *packet)
{
	uint8_t frame[PACKET_BYTES];
	unsigned int length = packet_build(packet, frame);

	memcpy(frame, ether_aton(o->dst_mac), ETH_ALEN);
	memcpy(frame + ETH_ALEN, mac, ETH_ALEN);
	if (write(fd, frame, length) != (ssize_t)length)
		give_up("send: %s", strerror(errno));
}

/* The TCP header, if it is an answer to the packet; *length: of it and what follows. */
static const uint8_t *answer(const uint8_t *frame, size_t *length, const struct packet *p)
{
	unsigned int bytes = p->ipv6 ? 16 : 4, ip = p->ipv6 ? 40 : 20, at = p->ipv6 ? 22 : 26;
	const uint8_t *tcp = frame + 14 + ip;
	unsigned int total;

	if (*length < 14 + ip + 20 || frame[12] != (p->ipv6 ? 0x86 : 0x08) ||
	    memcmp(frame + at, p->dst, bytes) || memcmp(frame + at + bytes, p->src, bytes) ||
	    (tcp[0] << 8 | tcp[1]) != p->dport || (tcp[2] << 8 | tcp[3]) != p->sport)
		return NULL;
	total = p->ipv6 ? (frame[18] << 8 | frame[19]) : (frame[16] << 8 | frame[17]) - 20;
	if (total < *length - 14 - ip)
		*length = total; /* Ethernet pads short frames */
	else
		*length -= 14 + ip;
	return tcp;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Waits for an answer with these flags, or (flags 0) with data. The sequence number of what came
 * through seq, if there is one.
 */
static bool answered(int fd, const struct packet *packet, unsigned int flags, unsigned int ms,
		     uint32_t *seq)
{
	static uint8_t frame[65536];
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	long end = now_ms() + ms, left;
	const uint8_t *tcp;
	ssize_t got;
	size_t length;

	while ((left = end - now_ms()) > 0 && poll(&poll_fd, 1, left) > 0) {
		got = read(fd, frame, sizeof(frame));
		length = got > 0 ? got : 0;
		tcp = answer(frame, &length, packet);
		if (!tcp || (flags ? (tcp[13] & 0x3f) != flags : length <= tcp[12] / 16 * 4u))
			continue;
		if (seq)
			*seq = (uint32_t)tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7];
		return true;
	}
	return false;
}

/* What is to come before the ACK; false: there was no answer. */
static bool begin(int fd, struct options *o, const uint8_t mac[ETH_ALEN])
{
	struct packet first;
	uint32_t seq;

	cookie_make(&o->packet);
	first = o->packet;
	if (!strcmp(o->first, "rst")) {
		first.flags = RST | ACK;
		transmit(fd, o, mac, &first);
		usleep(AGAIN_MS * 1000); /* a SYN proxy greets the server meanwhile */
	} else if (!strcmp(o->first, "syn")) {
		first.flags = SYN | ACK;
		first.seq--;
		transmit(fd, o, mac, &first);
		if (!answered(fd, &o->packet, SYN | ACK, o->wait_ms, &seq))
			return false;
		o->packet.ack = seq + 1;
	}
	return true;
}

int main(int argc, char **argv)
{
	uint8_t mac[ETH_ALEN];
	struct options o;
	long end;
	int fd;

	parse(&o, argc, argv);
	fd = open_device(o.dev, mac);
	if (!begin(fd, &o, mac)) {
		puts("SYN with ACK: no answer");
		return 3;
	}
	if (o.fin)
		o.packet.flags |= FIN;
	o.packet.payload = "GET / HTTP/1.0\r\n\r\n";
	for (end = now_ms() + o.wait_ms; now_ms() < end;) {
		transmit(fd, &o, mac, &o.packet);
		if (answered(fd, &o.packet, 0, AGAIN_MS, NULL)) {
			puts("connected");
			return 0;
		}
	}
	puts("no connection");
	return 3;
}
