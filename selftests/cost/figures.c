// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps the figures of the cases and prints medians and spread, as text or JSON; see figures.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "selftests/common/check.h"
#include "selftests/cost/figures.h"

#define FIGURES_MAX 96

static struct figure figures[FIGURES_MAX];
static unsigned int n_figures;

struct figure *figure(const char *set, const char *format, ...)
{
	char name[sizeof(figures[0].name)];
	unsigned int i;
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	for (i = 0; i < n_figures; i++)
		if (!strcmp(figures[i].set, set) && !strcmp(figures[i].name, name))
			return &figures[i];
	if (n_figures == FIGURES_MAX)
		give_up("too many figures");
	figures[n_figures].set = set;
	strcpy(figures[n_figures].name, name);
	return &figures[n_figures++];
}

void floors_measure(struct floors *floors, unsigned int repeat)
{
	floors->runner = feed_runner(FEED_XDP, repeat);
	floors->feeder = feed_run(FEED_XDP, feed_empty[FEED_XDP], repeat, XDP_DROP, 0) -
			 floors->runner;
	floors->drop = feed_run(FEED_XDP, floor_drop, repeat, XDP_DROP, 0) - floors->feeder;
	floors->parse = feed_run(FEED_XDP, floor_parse, repeat, XDP_DROP, 0) - floors->feeder;
	floors->parser = feed_run(FEED_XDP, floor_parser, repeat, XDP_DROP, 0) - floors->feeder;
}

void figure_add(struct figure *f, double ns, const struct floors *floors)
{
	if (f->n == ROUNDS_MAX)
		give_up("too many rounds");
	ns -= floors->feeder;
	f->ns[f->n] = ns;
	f->times_drop[f->n] = floors->drop ? ns / floors->drop : 0;
	f->times_parse[f->n] = floors->parse ? ns / floors->parse : 0;
	f->times_parser[f->n] = floors->parser ? ns / floors->parser : 0;
	f->n++;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(values[0]), by_value);
	return values[n / 2];
}

static void print_text(struct figure *f)
{
	printf("%-44s %6.0f %8.2f %8.2f %8.2f", f->name, median(f->ns, f->n),
	       median(f->times_drop, f->n), median(f->times_parse, f->n),
	       median(f->times_parser, f->n));
	if (f->aim)
		printf("   (aim: at most %.2f)", f->aim);
	putchar('\n');
}

static void print_values(const char *name, double *values, unsigned int n)
{
	double middle = median(values, n);

	printf("\"%s\": {\"median\": %.3f, \"min\": %.3f, \"max\": %.3f}", name, middle, values[0],
	       values[n - 1]);
}

static void print_json(struct figure *f)
{
	printf("{\"set\": \"%s\", \"name\": \"%s\", \"aim\": %.2f, ", f->set, f->name, f->aim);
	print_values("ns", f->ns, f->n);
	printf(", ");
	print_values("times_drop", f->times_drop, f->n);
	printf(", ");
	print_values("times_parse", f->times_parse, f->n);
	printf(", ");
	print_values("times_parser", f->times_parser, f->n);
	printf("}");
}

void figures_print(bool json)
{
	unsigned int i;

	if (json)
		printf("[");
	else
		printf("%-44s %6s %8s %8s %8s\n", "in the test runner", "ns", "x drop", "x parse",
		       "x parser");
	for (i = 0; i < n_figures; i++) {
		if (json) {
			printf(i ? ",\n" : "\n");
			print_json(&figures[i]);
			continue;
		}
		if (!i || strcmp(figures[i].set, figures[i - 1].set))
			printf("-- %s\n", figures[i].set);
		print_text(&figures[i]);
	}
	if (json)
		printf("]\n");
}
