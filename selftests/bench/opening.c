// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long it takes to open a connection: opens many by turns, to two ports of one server, and
 * prints the microseconds of each as JSON.
 *
 *   opening ADDRESS PORT PORT COUNT
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

static void print(int port, double *us, int count)
{
	qsort(us, count, sizeof(us[0]), by_value);
	printf("\"%d\": {\"median\": %.1f, \"p99\": %.1f}", port, us[count / 2],
	       us[count * 99 / 100]);
}

int main(int argc, char **argv)
{
	struct sockaddr_in server = { .sin_family = AF_INET };
	int count = argc == 5 ? atoi(argv[4]) : 0, i;
	static double first[COUNT_MAX], second[COUNT_MAX];

	if (count < 1 || count > COUNT_MAX || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
		fprintf(stderr, "usage: opening ADDRESS PORT PORT COUNT\n");
		return 2;
	}
	for (i = 0; i < count; i++) {
		first[i] = open_one(&server, atoi(argv[2]));
		second[i] = open_one(&server, atoi(argv[3]));
	}
	printf("{");
	print(atoi(argv[2]), first, count);
	printf(", ");
	print(atoi(argv[3]), second, count);
	printf("}\n");
	return 0;
}
