// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens many connections to each of several ports, evenly over some time and without waiting for any,
 * and prints how long each took. Those that stand are reset at once; the server need not accept them.
 *
 *   dial ADDRESS COUNT SECONDS PATIENCE PORT...
 *
 * COUNT connections to each port, begun in the course of SECONDS, each given up after PATIENCE
 * seconds. Prints JSON: for each port the milliseconds that each took which was not given up.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/bench/many.h"

#define CALLS_MAX 100000u
#define WAIT_MS 1

struct call {
	int fd; /* -1: over */
	uint64_t began_ns, took_ns; /* took_ns 0: no connection */
};

struct dialling {
	struct sockaddr_in server;
	char **ports;
	unsigned int n_ports, calls; /* in all; the n-th goes to port n % n_ports */
	uint64_t span_ns, patience_ns, start_ns;
	struct call *call;
	int epoll;
};

static int parse(struct dialling *d, int argc, char **argv)
{
	if (argc < 6 || inet_pton(AF_INET, argv[1], &d->server.sin_addr) != 1)
		return -EINVAL;
	d->server.sin_family = AF_INET;
	d->ports = argv + 5;
	d->n_ports = argc - 5;
	d->calls = strtoul(argv[2], NULL, 10) * d->n_ports;
	d->span_ns = strtod(argv[3], NULL) * NS_PER_S;
	d->patience_ns = strtod(argv[4], NULL) * NS_PER_S;
	return d->calls && d->calls <= CALLS_MAX && d->patience_ns ? 0 : -EINVAL;
}

static void hang_up(struct call *call)
{
	struct linger reset = { .l_onoff = 1 }; /* leave no port in TIME_WAIT */

	setsockopt(call->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(call->fd);
	call->fd = -1;
}

static int begin(struct dialling *d, unsigned int n)
{
	struct epoll_event wanted = { .events = EPOLLOUT, .data.u32 = n };
	struct sockaddr_in to = d->server;
	struct call *call = &d->call[n];

	to.sin_port = htons(strtoul(d->ports[n % d->n_ports], NULL, 10));
	call->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (call->fd < 0)
		return -errno;
	call->began_ns = now_ns();
	if (connect(call->fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS)
		return -errno;
	return epoll_ctl(d->epoll, EPOLL_CTL_ADD, call->fd, &wanted) ? -errno : 0;
}

/* Takes down who answered. */
static void attend(struct dialling *d)
{
	struct epoll_event events[256];
	int i, n = epoll_wait(d->epoll, events, 256, WAIT_MS);
	uint64_t now = now_ns();

	for (i = 0; i < n; i++) {
		struct call *call = &d->call[events[i].data.u32];

		if (!(events[i].events & (EPOLLERR | EPOLLHUP)))
			call->took_ns = now - call->began_ns;
		hang_up(call);
	}
}

static int dial(struct dialling *d)
{
	unsigned int begun = 0, over = 0;
	uint64_t now;
	int err;

	d->start_ns = now_ns();
	while (over < d->calls) {
		now = now_ns();
		while (begun < d->calls && now - d->start_ns >= d->span_ns / d->calls * begun) {
			err = begin(d, begun++);
			if (err)
				return err;
		}
		attend(d);
		for (; over < begun; over++) { /* they are patient in the order they began */
			if (d->call[over].fd < 0)
				continue;
			if (now_ns() - d->call[over].began_ns < d->patience_ns)
				break;
			hang_up(&d->call[over]);
		}
	}
	return 0;
}

static void print(const struct dialling *d)
{
	const char *comma;
	unsigned int port, n;

	for (port = 0; port < d->n_ports; port++) {
		comma = "";
		printf("%s\"%s\": [", port ? ", " : "{", d->ports[port]);
		for (n = port; n < d->calls; n += d->n_ports) {
			if (!d->call[n].took_ns)
				continue;
			printf("%s%.3f", comma, d->call[n].took_ns / 1e6);
			comma = ", ";
		}
		putchar(']');
	}
	puts("}");
}

int main(int argc, char **argv)
{
	struct dialling d = { 0 };
	int err;

	if (parse(&d, argc, argv)) {
		fputs("usage: dial ADDRESS COUNT SECONDS PATIENCE PORT...\n", stderr);
		return 2;
	}
	d.epoll = epoll_create1(EPOLL_CLOEXEC);
	d.call = calloc(d.calls, sizeof(*d.call));
	err = d.epoll < 0 || !d.call || allow_connections(d.calls) ? -errno : dial(&d);
	if (err)
		fprintf(stderr, "dial: %s\n", strerror(-err));
	else
		print(&d);
	return err ? 1 : 0;
}
