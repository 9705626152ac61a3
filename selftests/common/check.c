// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts what passed and what failed; see check.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "selftests/common/check.h"

#define FAILURES_SHOWN 40

static unsigned long passed, failed, skipped;

static void say(const char *word, const char *format, va_list args)
{
	fprintf(stderr, "%s: ", word);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

bool check(bool ok, const char *format, ...)
{
	va_list args;

	if (ok) {
		passed++;
		return true;
	}
	if (++failed <= FAILURES_SHOWN) {
		va_start(args, format);
		say("FAIL", format, args);
		va_end(args);
	}
	return false;
}

void check_skip(const char *format, ...)
{
	va_list args;

	skipped++;
	va_start(args, format);
	say("SKIP", format, args);
	va_end(args);
}

int check_summary(const char *program)
{
	printf("%s: %lu passed, %lu failed", program, passed, failed);
	if (skipped)
		printf(", %lu skipped", skipped);
	putchar('\n');
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("cannot go on", format, args);
	va_end(args);
	exit(EXIT_FAILURE);
}
