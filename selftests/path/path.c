// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bad network between two devices, for kernels without netem: hands every frame from one to the
 * other, and loses, doubles, spaces and delays those of the ports that it has rules for. It stands in
 * a network namespace of its own, where nobody else takes or answers what the devices bring. Ends by
 * SIGTERM and then says what it did; its exit status is 1 if it could not keep up.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "selftests/path/queue.h"
#include "selftests/path/rules.h"

#define NS_PER_S 1000000000ull
#define RECEIVE_BYTES (64 << 20)
#define FRAMES_AT_ONCE 64 /* from one device, before the other's turn comes */

static const char help[] =
	"usage: path DEV1 DEV2 [PORT[:[loss=SHARE][,burst=MS][,gap=MS][,jitter=MS][,twice=last|all]]...]\n"
	"Hands frames from one device to the other. Of those from or to PORT, in each direction:\n"
	"  loss=SHARE        so many are lost: 0.05 is one in twenty\n"
	"  burst=MS          not each on its own, but in times of this mean length\n"
	"  gap=MS            so long between one of a group's four SYNs and the next\n"
	"  jitter=MS         each is late by some time up to this\n"
	"  twice=last|all    the last of a group's four SYNs, or all, go out twice\n";

static volatile sig_atomic_t ending;

static void on_signal(int signal)
{
	ending = signal;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* A socket that hears what comes in by the device, and nothing that goes out; or -errno. */
static int open_device(const char *name)
{
	struct sockaddr_ll device = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int size = RECEIVE_BYTES, on = 1, err;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	device.sll_ifindex = if_nametoindex(name);
	if (fd >= 0 && device.sll_ifindex &&
	    !setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) &&
	    !bind(fd, (struct sockaddr *)&device, sizeof(device)))
		return fd;
	err = -errno;
	fprintf(stderr, "path: %s: %s\n", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

/* Puts a frame that came in into the queue, as often and as late as its rule says. */
static int treat(struct frame *frame, int direction)
{
	struct rule *rule = rule_for(frame->bytes, frame->length, &frame->group);
	uint64_t now = now_ns(), leave = now;
	int copies = 1, err = 0;

	if (frame->group) {
		frame->place = frame->group->seen++;
		leave += frame->place * rule->gap_ns;
		if (rule->twice == TWICE_ALL ||
		    (rule->twice == TWICE_LAST && frame->place == GROUP_SYNS - 1))
			copies = 2;
	}
	for (; copies && !err; copies--) {
		if (rule && rule_loses(rule, direction, now))
			continue;
		frame->due_ns = leave;
		if (rule && rule->jitter_ns)
			frame->due_ns += drand48() * rule->jitter_ns;
		err = queue_put(frame);
	}
	return err;
}

static int take_in(int from, int to, int direction)
{
	struct frame frame = { .fd = to };
	ssize_t length;
	int i, err = 0;

	for (i = 0; i < FRAMES_AT_ONCE && !err; i++) {
		length = recv(from, frame.bytes, sizeof(frame.bytes), MSG_TRUNC);
		if (length < 0)
			return errno == EAGAIN ? 0 : -errno;
		if ((size_t)length > sizeof(frame.bytes))
			return -EMSGSIZE;
		frame.length = length;
		err = treat(&frame, direction);
	}
	return err;
}

static int let_out(void)
{
	const struct frame *frame;

	while ((frame = queue_first()) && frame->due_ns <= now_ns()) {
		if (send(frame->fd, frame->bytes, frame->length, 0) < 0)
			return -errno;
		if (frame->group)
			group_leaves(frame->group, frame->place);
		queue_drop_first();
	}
	return 0;
}

/* Until something comes in or is due. */
static void wait_for_work(const int fds[2], const sigset_t *mask)
{
	struct pollfd polled[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };
	const struct frame *frame = queue_first();
	uint64_t now = now_ns(), ns = frame && frame->due_ns > now ? frame->due_ns - now : 0;
	struct timespec wait = { ns / NS_PER_S, ns % NS_PER_S };

	ppoll(polled, 2, frame ? &wait : NULL, mask);
}

/* Whether frames came in faster than they were read. */
static int overrun(const int fds[2])
{
	struct tpacket_stats stats;
	socklen_t length;
	int i;

	for (i = 0; i < 2; i++) {
		length = sizeof(stats);
		if (getsockopt(fds[i], SOL_PACKET, PACKET_STATISTICS, &stats, &length))
			return -errno;
		if (stats.tp_drops)
			return -EOVERFLOW;
	}
	return 0;
}

static int run(const int fds[2])
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked, before;
	int err = 0;

	/* The signal comes only where it is waited for. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	sigaction(SIGTERM, &action, NULL);
	prctl(PR_SET_TIMERSLACK, 1);
	puts("ready");
	fflush(stdout);
	while (!ending && !err) {
		wait_for_work(fds, &before);
		err = take_in(fds[0], fds[1], 0);
		if (!err)
			err = take_in(fds[1], fds[0], 1);
		if (!err)
			err = let_out();
	}
	return err ?: overrun(fds);
}

int main(int argc, char **argv)
{
	int fds[2], i, err;

	if (argc < 3) {
		fputs(help, stderr);
		return 2;
	}
	for (i = 3; i < argc; i++) {
		if (rule_add(argv[i])) {
			fprintf(stderr, "path: not understood: rule %d\n%s", i - 2, help);
			return 2;
		}
	}
	srand48(now_ns());
	for (i = 0; i < 2; i++) {
		fds[i] = open_device(argv[1 + i]);
		if (fds[i] < 0)
			return 1;
	}
	err = run(fds);
	if (err)
		fprintf(stderr, "path: %s\n", strerror(-err));
	rules_print();
	return err ? 1 : 0;
}
