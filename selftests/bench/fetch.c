// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fetches a page over HTTP/1.0 many times, from one thread that never waits for a single
 * connection: a hundred at once, as in figure 8 of the paper, or as many a second as get through.
 * Prints JSON. A fetch is a success when the whole page came, with status 200, before it was given
 * up.
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

#define EXPIRY_NS (NS_PER_S / 50) /* so often it is looked whether a fetch is to be given up */
#define HEAD_BYTES 1024 /* of an answer, kept to read its header in */
#define SLOTS_MAX 10000
#define NEVER UINT64_MAX

struct options {
	struct addrinfo *server;
	unsigned int count, parallel; /* count 0: as many as in so many seconds */
	double seconds, give_up;
};

struct fetch {
	int fd; /* -1: the slot is free */
	bool connected, asked;
	uint64_t began_ns;
	size_t got; /* bytes of the answer */
	char head[HEAD_BYTES];
};

struct run {
	const struct options *options;
	int epoll;
	struct fetch *slots;
	unsigned int open, started, ended, successes;
	uint64_t start_ns;
	uint64_t *connect_ns; /* the times to connect that are known; NEVER: it did not */
	size_t times, room;
};

static const char help[] =
	"usage: fetch [--count N | --seconds S --parallel N] [--give-up S] ADDRESS PORT\n"
	"Fetches http://ADDRESS:PORT/ N times at once (default 100), or for S seconds as often as it\n"
	"can, N at a time. Each fetch is given up after --give-up seconds (default 45). Prints JSON.\n"
	"Times to connect are of all fetches: null says that so many did not connect at all.\n";

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "count", 1, NULL, 'c' }, { "seconds", 1, NULL, 's' },
		{ "parallel", 1, NULL, 'p' }, { "give-up", 1, NULL, 'g' },
		{ "help", 0, NULL, 'h' }, { 0 },
	};
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				  .ai_socktype = SOCK_STREAM };
	int c;

	*o = (struct options){ .count = 100, .give_up = 45 };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'c': o->count = strtoul(optarg, NULL, 10); break;
		case 's': o->seconds = strtod(optarg, NULL); break;
		case 'p': o->parallel = strtoul(optarg, NULL, 10); break;
		case 'g': o->give_up = strtod(optarg, NULL); break;
		case 'h': fputs(help, stdout); exit(0);
		default: return -EINVAL;
		}
	}
	if (o->seconds > 0)
		o->count = 0;
	else
		o->parallel = o->count;
	if (!o->parallel || o->parallel > SLOTS_MAX || !(o->give_up > 0) || optind + 2 != argc ||
	    getaddrinfo(argv[optind], argv[optind + 1], &hints, &o->server))
		return -EINVAL;
	return 0;
}

/* Whether the whole page has come, and no error's. */
static bool complete(const struct fetch *fetch)
{
	const char *blank = strstr(fetch->head, "\r\n\r\n");
	const char *length = strcasestr(fetch->head, "\r\nContent-Length:");

	return blank && length && length < blank && !strncmp(fetch->head, "HTTP/1.", 7) &&
	       !strncmp(fetch->head + 8, " 200", 4) &&
	       fetch->got == (size_t)(blank + 4 - fetch->head) + strtoul(length + 17, NULL, 10);
}

/* One more time to connect; the list grows as needed. */
static void remember(struct run *run, uint64_t connect_ns)
{
	if (run->times == run->room) {
		run->room = run->room ? 2 * run->room : 4096;
		run->connect_ns = realloc(run->connect_ns, run->room * sizeof(*run->connect_ns));
		if (!run->connect_ns)
			abort();
	}
	run->connect_ns[run->times++] = connect_ns;
}

static void end(struct run *run, struct fetch *fetch)
{
	if (fetch->fd >= 0)
		close(fetch->fd);
	fetch->fd = -1;
	run->open--;
	run->ended++;
	run->successes += complete(fetch);
	if (!fetch->connected)
		remember(run, NEVER);
}

static void begin(struct run *run, struct fetch *fetch)
{
	const struct addrinfo *server = run->options->server;
	struct epoll_event wanted = { .events = EPOLLOUT | EPOLLET, .data.ptr = fetch };

	memset(fetch, 0, sizeof(*fetch));
	run->started++;
	run->open++;
	fetch->began_ns = now_ns();
	fetch->fd = socket(server->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fetch->fd < 0 ||
	    (connect(fetch->fd, server->ai_addr, server->ai_addrlen) && errno != EINPROGRESS) ||
	    epoll_ctl(run->epoll, EPOLL_CTL_ADD, fetch->fd, &wanted))
		end(run, fetch);
}

static void ask(struct run *run, struct fetch *fetch)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct epoll_event wanted = { .events = EPOLLIN, .data.ptr = fetch };

	fetch->asked = true;
	if (send(fetch->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != sizeof(request) - 1 ||
	    epoll_ctl(run->epoll, EPOLL_CTL_MOD, fetch->fd, &wanted))
		end(run, fetch);
}

/* Connected, or refused. */
static void answered(struct run *run, struct fetch *fetch)
{
	socklen_t length = sizeof(int);
	int err = 0;

	getsockopt(fetch->fd, SOL_SOCKET, SO_ERROR, &err, &length);
	if (err) {
		end(run, fetch);
		return;
	}
	fetch->connected = true;
	remember(run, now_ns() - fetch->began_ns);
}

static void take(struct run *run, struct fetch *fetch)
{
	char buffer[16384];
	size_t room;
	ssize_t n;

	while ((n = recv(fetch->fd, buffer, sizeof(buffer), 0)) > 0) {
		if (fetch->got < HEAD_BYTES - 1) {
			room = HEAD_BYTES - 1 - fetch->got;
			memcpy(fetch->head + fetch->got, buffer,
			       (size_t)n < room ? (size_t)n : room);
		}
		fetch->got += n;
	}
	if (!n || errno != EAGAIN)
		end(run, fetch);
}

/* What has happened, and at most one wait for it. */
static void attend(struct run *run, int wait_ms)
{
	struct epoll_event events[256];
	int i, n = epoll_wait(run->epoll, events, 256, wait_ms);

	for (i = 0; i < n; i++) {
		struct fetch *fetch = events[i].data.ptr;

		if (fetch->asked)
			take(run, fetch);
		else
			answered(run, fetch);
	}
}

static void ask_all(struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->options->parallel; i++)
		if (run->slots[i].fd >= 0 && run->slots[i].connected && !run->slots[i].asked)
			ask(run, &run->slots[i]);
}

static void give_up_late(struct run *run, uint64_t now)
{
	uint64_t patience = run->options->give_up * NS_PER_S;
	unsigned int i;

	for (i = 0; i < run->options->parallel; i++)
		if (run->slots[i].fd >= 0 && now - run->slots[i].began_ns > patience)
			end(run, &run->slots[i]);
}

/*
 * Begins what there is a free slot for. Each connection's time is taken as soon as it stands; no
 * page is asked for before all have begun, so that they are open at once.
 */
static void fill(struct run *run)
{
	const struct options *o = run->options;
	unsigned int i;

	for (i = 0; i < o->parallel && (!o->count || run->started < o->count); i++) {
		if (run->slots[i].fd >= 0)
			continue;
		begin(run, &run->slots[i]);
		attend(run, 0);
	}
}

static void fetch_all(struct run *run)
{
	const struct options *o = run->options;
	uint64_t length = o->seconds * NS_PER_S, now, looked;

	run->start_ns = looked = now_ns();
	for (;;) {
		now = now_ns();
		if (o->count ? run->ended == o->count : now - run->start_ns >= length)
			break;
		if (now - looked > EXPIRY_NS) {
			give_up_late(run, now);
			looked = now;
		}
		fill(run);
		ask_all(run);
		attend(run, EXPIRY_NS / 1000000);
	}
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The least time that this share of all did not exceed. */
static void print_time(const struct run *run, const char *name, double share)
{
	size_t at = share * run->times;
	uint64_t ns;

	if (at * 1.0 == share * run->times && at)
		at--;
	ns = run->times ? run->connect_ns[at] : NEVER;
	if (ns == NEVER)
		printf(", \"%s\": null", name);
	else
		printf(", \"%s\": %.3f", name, ns / 1e6);
}

static void print(struct run *run)
{
	double seconds = (now_ns() - run->start_ns) / 1e9;

	qsort(run->connect_ns, run->times, sizeof(run->connect_ns[0]), by_time);
	printf("{\"fetches\": %u, \"successes\": %u, \"seconds\": %.3f, \"per_second\": %.1f",
	       run->ended, run->successes, seconds, run->successes / seconds);
	print_time(run, "connect_p50_ms", 0.5);
	print_time(run, "connect_p99_ms", 0.99);
	print_time(run, "connect_max_ms", 1);
	puts("}");
}

int main(int argc, char **argv)
{
	struct options options;
	struct run run = { .options = &options };
	unsigned int i;

	if (parse(&options, argc, argv)) {
		fputs(help, stderr);
		return 2;
	}
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	run.slots = calloc(options.parallel, sizeof(run.slots[0]));
	if (run.epoll < 0 || !run.slots || allow_connections(options.parallel)) {
		fprintf(stderr, "fetch: %s\n", strerror(errno));
		return 1;
	}
	for (i = 0; i < options.parallel; i++)
		run.slots[i].fd = -1;
	fetch_all(&run);
	print(&run);
	freeaddrinfo(options.server);
	return 0;
}
