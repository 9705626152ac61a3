// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a command says that it failed: the first cause recorded wins, because the deepest caller
 * knows best, and main() prints it once.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/error.h"
#include "user/tapctl.h"

static char line[1024];
static bool failed;
static bool as_json;

static void record(const char *format, va_list args)
{
	if (failed)
		return;
	failed = true;
	vsnprintf(line, sizeof(line), format, args);
	/* One line is the promise; causes quoted from the kernel may hold more. */
	for (char *at = line; *at; at++)
		if (*at == '\n')
			*at = ' ';
}

int fail(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	record(format, args);
	va_end(args);
	return error > 0 ? -error : -EIO;
}

int usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	record(format, args);
	va_end(args);
	return USAGE;
}

const char *failure(void)
{
	return failed ? line : NULL;
}

void forget_failure(void)
{
	failed = false;
}

json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	char *copy;

	if (string)
		return string;
	copy = strdup(text);
	for (char *at = copy; at && *at; at++)
		if (*at & 0x80)
			*at = '?';
	string = copy ? json_string(copy) : NULL;
	free(copy);
	return string;
}

/* One line on stderr: "tapctl: TEXT", or {"KIND": "TEXT"} with -j. */
static void say(const char *kind, const char *prefix, const char *text)
{
	json_t *object;
	char *dump;

	if (!as_json) {
		fprintf(stderr, "tapctl: %s%s\n", prefix, text);
		return;
	}
	object = json_pack("{s:o}", kind, json_text(text));
	dump = object ? json_dumps(object, 0) : NULL;
	fprintf(stderr, "%s\n", dump ? dump : "{\"error\": \"out of memory\"}");
	free(dump);
	json_decref(object);
}

void note(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fflush(stdout);
	say("note", "note: ", text);
}

void errors_as_json(bool json)
{
	as_json = json;
}

void print_failure(void)
{
	fflush(stdout);
	say("error", "", failed ? line : "failed for a reason that it did not give");
}
