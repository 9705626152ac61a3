// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads import files line by line, and says which line is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "user/keyfile.h"
#include "user/lines.h"

#define LINE_BYTES 4096
#define LINE_WORDS 64
#define BLANKS " \t\r\n"

/* All that ever holds text of the file, so that it can be wiped. */
struct buffers {
	char line[LINE_BYTES];
	char stdio[16384];
};

/* Splits in place; returns argc, or USAGE. */
static int split(char *line, char *words[LINE_WORDS + 2])
{
	char *rest = line, *word;
	int n = 1;

	words[0] = "line";
	while ((word = strsep(&rest, BLANKS)) && *word != '#') {
		if (!*word)
			continue;
		if (n > LINE_WORDS)
			return usage("more than %d words", LINE_WORDS);
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

static int take_line(char *line, lines_take *take, void *context)
{
	char *words[LINE_WORDS + 2];
	int n;

	n = split(line, words);
	if (n <= 1)
		return n < 0 ? n : 0;
	return take(context, n, words);
}

/* The failure recorded, told anew with the place it belongs to. */
static int at_line(const char *path, unsigned int number, int err)
{
	char why[512];

	snprintf(why, sizeof(why), "%s", failure() ? failure() : strerror(err == USAGE ? EINVAL : -err));
	forget_failure();
	return fail(err == USAGE ? EINVAL : -err, "%s line %u: %s; nothing was changed",
		    strcmp(path, "-") ? path : "standard input", number, why);
}

/*
 * The next line, without its end: 1; 0 at the end of the file; or USAGE. A zero byte would hide the
 * rest of the line from us: it comes from binary files, and from UTF-16.
 */
static int read_line(FILE *file, char line[LINE_BYTES])
{
	size_t length = 0;
	int c;

	while ((c = getc(file)) != EOF && c != '\n') {
		if (!c)
			return usage("a zero byte: this is no plain text (UTF-8)");
		if (length == LINE_BYTES - 1)
			return usage("longer than %d characters", LINE_BYTES - 1);
		line[length++] = c;
	}
	line[length] = '\0';
	return c != EOF || length;
}

static int read_lines(FILE *file, const char *path, struct buffers *buffers, lines_take *take,
		      void *context)
{
	unsigned int number = 0;
	int more, err = 0;

	do {
		number++;
		more = read_line(file, buffers->line);
		if (more < 0)
			err = more;
		else if (more && number > LINES_MAX)
			err = usage("more than %d lines", LINES_MAX);
		else if (more)
			err = take_line(buffers->line, take, context);
	} while (more > 0 && !err);
	if (err)
		return at_line(path, number, err);
	if (ferror(file))
		return fail(EIO, "cannot read %s to its end; nothing was changed", path);
	return 0;
}

static int open_list(const char *path, bool secret)
{
	int fd;

	if (secret)
		return keyfile_open(path);
	if (!strcmp(path, "-"))
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fail(errno, "cannot open %s: %s", path, cause_file(errno));
	return fd;
}

int lines_read(const char *path, bool secret, lines_take *take, void *context)
{
	struct buffers buffers;
	FILE *file;
	int fd, err;

	fd = open_list(path, secret);
	if (fd < 0)
		return fd;
	file = fdopen(fd, "r");
	if (!file) {
		err = fail(errno, "cannot read %s: %s", path, cause_file(errno));
		close(fd);
		return err;
	}
	sodium_mlock(&buffers, sizeof(buffers)); /* best effort */
	setvbuf(file, buffers.stdio, _IOFBF, sizeof(buffers.stdio));
	err = read_lines(file, path, &buffers, take, context);
	fclose(file);
	sodium_munlock(&buffers, sizeof(buffers)); /* wipes them, too */
	return err;
}
