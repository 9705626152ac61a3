// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl stats: what became of the SYNs, once or every second.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/counters.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/verbs.h"

static json_t *json_counters(const struct counter_label *labels, const __u64 *counters, size_t n)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < n; i++)
		json_object_set_new(object, labels[i].label, json_integer(counters[i]));
	return object;
}

static json_t *as_json(const struct counters *counters)
{
	json_t *object = json_object();

	if (counters->server)
		json_object_set_new(object, "server",
				    json_pack("{s:o}", "reasons",
					      json_counters(reason_labels, counters->reasons,
							    TAP_REASON_COUNT)));
	if (counters->client)
		json_object_set_new(object, "client",
				    json_counters(split_labels, counters->splits, TAP_SPLIT_COUNT));
	return object;
}

/* One side's table; with `before`, also what came since then, a second ago. */
static int print_side(const char *side, const struct counter_label *labels, const __u64 *counters,
		      const __u64 *before, size_t n)
{
	struct output_table *rows;
	char count[24], rate[24];
	size_t i;

	if (before)
		rows = output_table(side, ">COUNT", ">PER SECOND", "MEANING", NULL);
	else
		rows = output_table(side, ">COUNT", "MEANING", NULL);
	for (i = 0; i < n; i++) {
		snprintf(count, sizeof(count), "%llu", (unsigned long long)counters[i]);
		if (!before) {
			output_row(rows, labels[i].label, count, labels[i].text);
			continue;
		}
		snprintf(rate, sizeof(rate), "%llu", (unsigned long long)(counters[i] - before[i]));
		output_row(rows, labels[i].label, count, rate, labels[i].text);
	}
	return output_table_end(rows, "");
}

static int print(const struct tapctl *tapctl, const struct counters *counters,
		 const struct counters *before)
{
	int err = 0;

	if (tapctl->json)
		return output_json(as_json(counters));
	if (counters->server)
		err = print_side("SERVER", reason_labels, counters->reasons,
				 before ? before->reasons : NULL, TAP_REASON_COUNT);
	if (!err && counters->server && counters->client)
		putchar('\n');
	if (!err && counters->client)
		err = print_side("CLIENT", split_labels, counters->splits,
				 before ? before->splits : NULL, TAP_SPLIT_COUNT);
	return err;
}

/* Waits until the next full second of its own clock, or for a signal: then 1. */
static int wait_second(const sigset_t *signals, struct timespec *next)
{
	struct timespec now, left;

	next->tv_sec++;
	clock_gettime(CLOCK_MONOTONIC, &now);
	left.tv_sec = next->tv_sec - now.tv_sec;
	left.tv_nsec = next->tv_nsec - now.tv_nsec;
	if (left.tv_nsec < 0) {
		left.tv_nsec += 1000000000;
		left.tv_sec--;
	}
	if (left.tv_sec < 0) { /* late: from now on */
		*next = now;
		left = (struct timespec){};
	}
	return sigtimedwait(signals, NULL, &left) > 0;
}

static int watch(const struct tapctl *tapctl)
{
	struct counters counters, before;
	struct timespec next;
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	clock_gettime(CLOCK_MONOTONIC, &next);
	err = counters_read(tapctl, &counters);
	while (!err) {
		before = counters;
		if (wait_second(&signals, &next))
			break;
		err = counters_read(tapctl, &counters);
		if (!err && !tapctl->json && isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout); /* a fresh screen */
		if (!err)
			err = print(tapctl, &counters, &before);
	}
	return err;
}

int stats_show(const struct tapctl *tapctl, int argc, char **argv)
{
	static const struct option options[] = { { "watch", no_argument, NULL, 'w' }, {} };
	struct counters counters;
	bool watching = false;
	int option, err;

	options_start();
	while ((option = options_next(argc, argv, ":", options)) != OPTIONS_END) {
		if (option == OPTIONS_BAD)
			return USAGE;
		watching = true;
	}
	err = options_words(argc, argv, 0, NULL);
	if (err < 0)
		return err;
	if (watching)
		return watch(tapctl);
	err = counters_read(tapctl, &counters);
	return err ? err : print(tapctl, &counters, NULL);
}
