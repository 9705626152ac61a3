// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key files: base64 of one key, closed to everyone but their owner, written atomically.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "tap/wire.h"
#include "user/keyfile.h"
#include "user/tapctl.h"

#define TEXT_MAX 1024 /* more than this in a key file is something else */
#define BLANKS " \t\r\n"
#define WRITER_MS 10000 /* how long a FIFO may have no writer */
#define BASE64_MAX sodium_base64_ENCODED_LEN(TAP_REALM_KEY_BYTES, sodium_base64_VARIANT_ORIGINAL)

/*
 * libsodium takes a zero byte for one of the blanks, as it ends their list, and bytes above 127 for
 * digits.
 */
static bool is_ascii(const char *text, size_t length)
{
	while (length && (signed char)*text > 0) {
		text++;
		length--;
	}
	return !length;
}

int keyfile_decode(const char *text, size_t length, unsigned char *out, size_t bytes)
{
	size_t got = 0;
	const char *end;

	if (!is_ascii(text, length) ||
	    sodium_base642bin(out, bytes, text, length, BLANKS, &got, &end,
			      sodium_base64_VARIANT_ORIGINAL) ||
	    end != text + length || got != bytes) {
		sodium_memzero(out, bytes);
		return -EINVAL;
	}
	return 0;
}

/* How a message calls it. */
static const char *called(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

/* Whether a file of this user may hold a key: root's, our own, and that of who runs us by sudo. */
static bool is_trusted(uid_t owner)
{
	const char *sudo = geteuid() ? NULL : getenv("SUDO_UID");

	return owner == 0 || owner == geteuid() ||
	       (sudo && *sudo && owner == (uid_t)strtoul(sudo, NULL, 10));
}

/* Waits until somebody writes to the FIFO that was opened by its name; nobody may ever. */
static int await_writer(int fd, const char *path)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };

	if (poll(&in, 1, WRITER_MS) < 0)
		return fail(errno, "%s: %s", path, cause(errno));
	if (!in.revents)
		return fail(ETIMEDOUT, "%s is a FIFO, and nobody wrote a key to it in %d s", path,
			    WRITER_MS / 1000);
	return fcntl(fd, F_SETFL, 0) ? fail(errno, "%s: %s", path, cause(errno)) : 0; /* may block now */
}

/* Whoever can read the file has the key; whoever can write it can put theirs there. */
static int check_file(int fd, const char *path, bool by_name)
{
	struct stat status;

	if (fstat(fd, &status))
		return fail(errno, "%s: %s", path, cause_file(errno));
	if (S_ISFIFO(status.st_mode) && !by_name)
		return 0;
	if (!is_trusted(status.st_uid))
		return fail(EPERM, "%s belongs to another user (%u), who can change it: take a copy of your "
			    "own (install -m 600), if you trust what is in it",
			    path, status.st_uid);
	if (S_ISFIFO(status.st_mode))
		return await_writer(fd, path);
	if (!S_ISREG(status.st_mode))
		return fail(EINVAL, "%s is no regular file: a key comes from a file or from '-' (standard input)",
			    path);
	if (status.st_mode & 077)
		return fail(EPERM, "%s can be read or written by others (mode %04o): run 'chmod 600 %s'; "
			    "if they may have read it, make a new key",
			    path, (unsigned int)(status.st_mode & 07777), path);
	return 0;
}

/* A shell's <(command) is named /dev/fd/N, which is a symbolic link but no trap. */
static int open_descriptor(const char *path)
{
	int number, end = 0;

	if (sscanf(path, "/dev/fd/%9d%n", &number, &end) != 1 || path[end])
		return -1;
	return fcntl(number, F_DUPFD_CLOEXEC, 3);
}

/* The kinds of keys: the size of one says which it is. */
static const struct {
	size_t bytes;
	const char *name;
	const char *made_by;
} kinds[] = {
	{ TAP_REALM_KEY_BYTES, "realm key", "`tapctl realm gen` makes one" },
	{ TAP_USER_KEY_BYTES, "user key",
	  "`tapctl key gen` makes one (a server takes a tag key with --tag-key)" },
	{ TAP_DERIVED_KEY_BYTES, "tag key", "`tapctl key derive` makes one" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t kind_of(size_t bytes)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].bytes == bytes)
			return i;
	return KINDS;
}

/* The size of the key that the text is, of whatever kind; 0: it is none. */
static size_t key_bytes(const char *text, size_t length)
{
	unsigned char key[TAP_REALM_KEY_BYTES];
	size_t bytes = 0;

	for (size_t i = 0; i < KINDS && !bytes; i++)
		if (!keyfile_decode(text, length, key, kinds[i].bytes))
			bytes = kinds[i].bytes;
	sodium_memzero(key, sizeof(key));
	return bytes;
}

/* Whoever wrote the key itself where its file's name belongs. It must not be shown once more. */
static bool is_key(const char *path)
{
	return key_bytes(path, strlen(path)) != 0;
}

static int open_file(const char *path)
{
	bool by_name;
	int fd, err;

	fd = open_descriptor(path);
	by_name = fd < 0;
	/* Of a FIFO, open(2) would wait for a writer. */
	if (by_name)
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ELOOP)
		return fail(ELOOP, "%s is a symbolic link: name the key file itself", path);
	if (fd < 0 && is_key(path))
		return fail(EINVAL, "that is a key and no file's name: write it to a file or to standard "
			    "input ('-'). Others could see it in the list of processes, and it may be "
			    "in the shell's history: better make a new one");
	if (fd < 0)
		return fail(errno, "cannot open the key file %s: %s", path, cause_file(errno));
	err = check_file(fd, path, by_name);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int keyfile_open(const char *path)
{
	static bool standard_input_read;
	int fd;

	if (strcmp(path, "-"))
		return open_file(path);
	if (standard_input_read)
		return fail(EINVAL, "only one file can come from standard input: name the other one");
	standard_input_read = true;
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return fail(errno, "cannot read standard input: %s", cause_file(errno));
	return fd;
}

/* Reads up to TEXT_MAX bytes; returns their number or a negative errno. */
static ssize_t read_text(int fd, char *text)
{
	size_t got = 0;

	while (got < TEXT_MAX) {
		ssize_t n = read(fd, text + got, TEXT_MAX - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		got += n;
	}
	return got;
}

/* The text is no key of that size. */
static int wrong_key(const char *path, const char *text, size_t length, size_t bytes)
{
	size_t wanted = kind_of(bytes), got = kind_of(length < TEXT_MAX ? key_bytes(text, length) : 0);
	bool older = bytes == TAP_REALM_KEY_BYTES && got == kind_of(TAP_USER_KEY_BYTES);

	if (got == KINDS)
		return fail(EINVAL, "%s does not hold a %s, %zu bytes in base64: %s", called(path),
			    kinds[wanted].name, bytes, kinds[wanted].made_by);
	return fail(EINVAL, "%s holds a %s%s, not a %s: %s", called(path), kinds[got].name,
		    older ? " (or a realm key of an older TAP)" : "", kinds[wanted].name,
		    kinds[wanted].made_by);
}

int keyfile_read(const char *path, unsigned char *out, size_t bytes)
{
	char text[TEXT_MAX];
	ssize_t got;
	int fd, err = 0;

	if (sodium_init() < 0)
		return fail(EIO, "libsodium does not start: the system has no source of randomness");
	fd = keyfile_open(path);
	if (fd < 0)
		return fd;
	sodium_mlock(text, sizeof(text)); /* best effort: it lives for a moment only */
	got = read_text(fd, text);
	if (got < 0)
		err = fail(-got, "cannot read the key from %s: %s", called(path), cause_file(-got));
	else if (got == TEXT_MAX || keyfile_decode(text, got, out, bytes))
		err = wrong_key(path, text, got, bytes);
	close(fd);
	sodium_munlock(text, sizeof(text)); /* wipes it, too */
	return err;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= n;
	}
	return 0;
}

static int exists(const char *path)
{
	return fail(EEXIST, "%s exists already and is not overwritten: it may hold a key that is in use; "
		    "choose another name, or move it away first", path);
}

/* The temporary file stands next to the final one, so that rename(2) works and is atomic. */
static int write_file(const char *path, const char *text, size_t length)
{
	char *temporary = NULL;
	struct stat status;
	int fd, err;

	if (!lstat(path, &status))
		return exists(path);
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return fail(ENOMEM, "out of memory");
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) {
		err = fail(errno, "cannot write a key file at %s: %s", path, cause_file(errno));
		goto out;
	}
	err = write_all(fd, text, length);
	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (!err && renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE))
		err = -errno;
	if (err) {
		unlink(temporary);
		err = err == -EEXIST ? exists(path) :
				       fail(-err, "cannot write the key file %s: %s", path,
					    cause_file(-err));
	}
out:
	free(temporary);
	return err;
}

int keyfile_write(const char *path, const unsigned char *key, size_t bytes)
{
	char text[BASE64_MAX + 1];
	size_t length;
	int err;

	sodium_mlock(text, sizeof(text));
	sodium_bin2base64(text, BASE64_MAX, key, bytes, sodium_base64_VARIANT_ORIGINAL);
	length = strlen(text);
	text[length++] = '\n';
	err = write_file(path, text, length);
	sodium_munlock(text, sizeof(text));
	return err;
}

/* Not by way of stdio or the JSON library: they would keep copies. */
int keyfile_print(const unsigned char *key, size_t bytes, bool json)
{
	const char *before = json ? "{\"key\": \"" : "", *after = json ? "\"}\n" : "\n";
	char text[BASE64_MAX];
	int err;

	sodium_mlock(text, sizeof(text));
	sodium_bin2base64(text, BASE64_MAX, key, bytes, sodium_base64_VARIANT_ORIGINAL);
	err = write_all(STDOUT_FILENO, before, strlen(before));
	if (!err)
		err = write_all(STDOUT_FILENO, text, strlen(text));
	if (!err)
		err = write_all(STDOUT_FILENO, after, strlen(after));
	sodium_munlock(text, sizeof(text));
	return err ? fail(-err, "cannot write the key to standard output: %s", cause_file(-err)) : 0;
}
