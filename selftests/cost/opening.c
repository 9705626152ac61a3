// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints how much longer a connection takes to open through splitter and gate than without: opens
 * them by turns, to a protected port and to an unprotected one of the same server.
 *
 *   opening ADDRESS PROTECTED-PORT OPEN-PORT [COUNT]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COUNT_DEFAULT 1000
#define COUNT_MAX 100000

/* Microseconds that connect() took. */
static double open_one(const struct sockaddr_in *server, int port)
{
	struct linger reset = { .l_onoff = 1 }; /* leave no port in TIME_WAIT */
	struct sockaddr_in to = *server;
	struct timespec before, after;
	int fd;

	to.sin_port = htons(port);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	clock_gettime(CLOCK_MONOTONIC, &before);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		fprintf(stderr, "opening: port %d: %s\n", port, strerror(errno));
		exit(1);
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	return (after.tv_sec - before.tv_sec) * 1e6 + (after.tv_nsec - before.tv_nsec) / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct sockaddr_in server = { .sin_family = AF_INET };
	int count = argc == 5 ? atoi(argv[4]) : COUNT_DEFAULT, i;
	static double with[COUNT_MAX], without[COUNT_MAX];

	if (argc < 4 || argc > 5 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1 ||
	    count < 1 || count > COUNT_MAX) {
		fprintf(stderr, "usage: opening ADDRESS PROTECTED-PORT OPEN-PORT [COUNT]\n");
		return 2;
	}
	for (i = 0; i < count; i++) {
		with[i] = open_one(&server, atoi(argv[2]));
		without[i] = open_one(&server, atoi(argv[3]));
	}
	qsort(with, count, sizeof(with[0]), by_value);
	qsort(without, count, sizeof(without[0]), by_value);
	printf("To open a connection takes %.1f us through splitter and gate, %.1f us without: "
	       "%.1f us more (median of %d; aim: at most 30)\n",
	       with[count / 2], without[count / 2], with[count / 2] - without[count / 2], count);
	return 0;
}
