// SPDX-License-Identifier: GPL-2.0-only
/*
 * A flood of HTTP requests over real connections: begins so many a second, whatever becomes of those
 * before (figure 9 of the paper). Each asks for a page and reads it to its end; one that takes too
 * long is given up. No more are open at once than there are slots. Prints JSON.
 */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/bench/many.h"

#define SLOTS 16000u
#define GIVE_UP_NS (NS_PER_S * 4 / 10) /* before the kernel sends its SYN again */
#define BURST 64u /* connections begun before the answers to others are looked at */

struct options {
	struct addrinfo *server;
	double seconds;
	unsigned long rate; /* a second */
};

struct attempt {
	int fd; /* -1: the slot is free */
	bool asked, answered;
	uint64_t began_ns;
};

/* Slots are taken in turn, so the oldest attempt is the one that is due to be given up first. */
struct flood {
	const struct options *options;
	int epoll;
	struct attempt slot[SLOTS];
	uint64_t start_ns;
	unsigned long begun, looked_after; /* attempts; of these none before is open any more */
	unsigned long answered;
};

static const char help[] =
	"usage: getflood --rate N [--seconds S] ADDRESS PORT\n"
	"Begins N connections a second to http://ADDRESS:PORT/ for S seconds (default 1), asks each for the\n"
	"page, and gives it up after 0.4 s.\n";

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "rate", 1, NULL, 'r' }, { "seconds", 1, NULL, 's' }, { "help", 0, NULL, 'h' }, { 0 },
	};
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				  .ai_socktype = SOCK_STREAM };
	int c;

	*o = (struct options){ .seconds = 1 };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'r': o->rate = strtoul(optarg, NULL, 10); break;
		case 's': o->seconds = strtod(optarg, NULL); break;
		case 'h': fputs(help, stdout); exit(0);
		default: return -EINVAL;
		}
	}
	if (!o->rate || !(o->seconds > 0) || optind + 2 != argc ||
	    getaddrinfo(argv[optind], argv[optind + 1], &hints, &o->server))
		return -EINVAL;
	return 0;
}

static void end(struct flood *flood, struct attempt *attempt)
{
	close(attempt->fd);
	attempt->fd = -1;
	flood->answered += attempt->answered;
}

/* The slot that is next in turn, or NULL: its last attempt is still open. */
static struct attempt *free_slot(struct flood *flood)
{
	struct attempt *attempt = &flood->slot[flood->begun % SLOTS];

	return attempt->fd < 0 ? attempt : NULL;
}

/* Counts as begun even where this machine has no port left for it. */
static void begin(struct flood *flood, struct attempt *attempt, uint64_t now)
{
	const struct addrinfo *server = flood->options->server;
	struct epoll_event wanted = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = attempt };

	flood->begun++;
	*attempt = (struct attempt){ .began_ns = now };
	attempt->fd = socket(server->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (attempt->fd < 0)
		return;
	if ((connect(attempt->fd, server->ai_addr, server->ai_addrlen) && errno != EINPROGRESS) ||
	    epoll_ctl(flood->epoll, EPOLL_CTL_ADD, attempt->fd, &wanted))
		end(flood, attempt);
}

static void take(struct flood *flood, struct attempt *attempt)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	char buffer[16384];
	ssize_t n;

	if (!attempt->asked) {
		attempt->asked = true;
		if (send(attempt->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0) {
			end(flood, attempt);
			return;
		}
	}
	while ((n = recv(attempt->fd, buffer, sizeof(buffer), 0)) > 0)
		attempt->answered = true;
	if (!n || errno != EAGAIN)
		end(flood, attempt);
}

static void attend(struct flood *flood, int wait_ms)
{
	struct epoll_event events[256];
	int i, n = epoll_wait(flood->epoll, events, 256, wait_ms);

	for (i = 0; i < n; i++)
		take(flood, events[i].data.ptr);
}

static void give_up_late(struct flood *flood, uint64_t now)
{
	for (; flood->looked_after < flood->begun; flood->looked_after++) {
		struct attempt *attempt = &flood->slot[flood->looked_after % SLOTS];

		if (attempt->fd < 0)
			continue;
		if (now - attempt->began_ns < GIVE_UP_NS)
			break;
		end(flood, attempt);
	}
}

/* How many are due by now. */
static unsigned long due(const struct flood *flood, uint64_t now)
{
	return (double)(now - flood->start_ns) * flood->options->rate / NS_PER_S;
}

static void run(struct flood *flood)
{
	uint64_t now = now_ns(), end_ns = now + flood->options->seconds * NS_PER_S;
	struct attempt *attempt;
	unsigned int i;

	flood->start_ns = now;
	for (; now < end_ns; now = now_ns()) {
		give_up_late(flood, now);
		for (i = 0; i < BURST && flood->begun < due(flood, now); i++) {
			attempt = free_slot(flood);
			if (!attempt)
				break;
			begin(flood, attempt, now);
		}
		attend(flood, i ? 0 : 1);
	}
}

int main(int argc, char **argv)
{
	static struct flood flood;
	struct options options;
	double seconds;
	unsigned int i;

	if (parse(&options, argc, argv)) {
		fputs(help, stderr);
		return 2;
	}
	for (i = 0; i < SLOTS; i++)
		flood.slot[i].fd = -1;
	flood.options = &options;
	flood.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (flood.epoll < 0 || allow_connections(SLOTS)) {
		fprintf(stderr, "getflood: %s\n", strerror(errno));
		return 1;
	}
	run(&flood);
	seconds = (now_ns() - flood.start_ns) / 1e9;
	printf("{\"attempts\": %lu, \"answered\": %lu, \"seconds\": %.3f, \"attempts_per_second\": %.1f, "
	       "\"answered_per_second\": %.1f}\n",
	       flood.begun, flood.answered, seconds, flood.begun / seconds, flood.answered / seconds);
	freeaddrinfo(options.server);
	return 0;
}
