// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a command says that it failed: the first cause recorded wins, because the deepest caller
 * knows best, and main() prints it once. What common errors mean, and what to do about them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/error.h"
#include "user/tapctl.h"

static char line[1024];
static bool failed;
static bool as_json;

/*
 * One line is the promise; causes quoted from the kernel may hold more. And what is quoted from a file
 * must not speak to the terminal: C0 and C1 controls (those are 0xc2 and 0x80 to 0x9f in UTF-8).
 */
static void tame(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		if (*at == '\n')
			*at = ' ';
		else if (*at < ' ' || *at == 0x7f)
			*at = '?';
		else if (*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
			at[0] = at[1] = '?';
	}
}

static void record(const char *format, va_list args)
{
	if (failed)
		return;
	failed = true;
	vsnprintf(line, sizeof(line), format, args);
	tame(line);
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

struct remedy {
	int error;
	const char *text;
};

/* For whatever it was that failed. */
static const struct remedy general[] = {
	{ EMFILE, "raise this process's limit of open files: ulimit -n 1024" },
	{ ENFILE, "the whole machine has too many open files: raise sysctl fs.file-max" },
	{ ENOMEM, "free some memory, or raise the limit that this runs under: ulimit -v and -l, "
		  "the cgroup's memory.max" },
	{ EINTR, "run it again" },
	{ EAGAIN, "run it again" },
};

static const struct remedy on_kernel[] = {
	{ EPERM, "run it as root; a container without CAP_BPF and CAP_NET_ADMIN, or kernel "
		 "lockdown, forbids it even then" },
	{ EACCES, "run it as root; a security module may forbid it even then" },
	{ ENOSPC, "a table of the kernel is full, or a limit on BPF memory is reached" },
	{ E2BIG, "the table is full" },
	{ EBUSY, "another program is using it: `bpftool link` and `bpftool net` show which" },
	{ EEXIST, "another program has put something there already: `bpftool link` and `bpftool "
		  "net` show what" },
	{ ENOENT, "it has vanished: another program has removed it" },
	{ ENODEV, "the interface is gone: `ip link` lists what there is" },
	{ EINVAL, "the kernel does not take it: was it made by another version of tapctl (OTHER "
		  "VERSIONS in tapctl(8))?" },
};

static const struct remedy on_file[] = {
	{ EPERM, "run it as root, or choose another place" },
	{ EACCES, "run it as root, or choose another place" },
	{ EROFS, "choose a place that can be written" },
	{ ENOSPC, "free some space there, or choose another place" },
	{ EDQUOT, "free some space there, or choose another place" },
};

static const char *find(const struct remedy *remedies, size_t n, int error)
{
	for (size_t i = 0; i < n; i++)
		if (remedies[i].error == error)
			return remedies[i].text;
	return NULL;
}

static const char *put(const char *remedy, int error)
{
	static char text[256];

	if (!remedy)
		remedy = find(general, sizeof(general) / sizeof(general[0]), error);
	if (!remedy)
		return strerror(error);
	snprintf(text, sizeof(text), "%s (%s)", strerror(error), remedy);
	return text;
}

const char *cause(int error)
{
	return put(find(on_kernel, sizeof(on_kernel) / sizeof(on_kernel[0]), error), error);
}

const char *cause_file(int error)
{
	return put(find(on_file, sizeof(on_file) / sizeof(on_file[0]), error), error);
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
