// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl: global options, dispatch through the table of commands, and the exit status, which is
 * made here and nowhere else.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "user/error.h"
#include "user/help.h"
#include "user/kernel.h"
#include "user/tapctl.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_WARNINGS };

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static bool object_exists(const char *object)
{
	for (size_t i = 0; i < n_commands; i++)
		if (!strcmp(commands[i].object, object))
			return true;
	return false;
}

/*
 * A descriptor that the caller closed would be given to the next file opened, and what is printed
 * would end up in it. The stand-ins fail as the closed ones would: one cannot be read, the others
 * cannot be written.
 */
static void keep_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			return;
}

static bool is_global(const char *word)
{
	return !strcmp(word, "-j") || !strcmp(word, "--json") || !strcmp(word, "--pin-dir") ||
	       !strncmp(word, "--pin-dir=", 10);
}

/* The command, or NULL after usage(). *used: how many words name it. */
static const struct command *find_command(int argc, char **argv, int *used)
{
	for (size_t i = 0; i < n_commands; i++) {
		const struct command *command = &commands[i];

		if (strcmp(command->object, argv[0]))
			continue;
		*used = command->verb ? 2 : 1;
		if (!command->verb || (argc > 1 && !strcmp(command->verb, argv[1])))
			return command;
	}
	if (!object_exists(argv[0]))
		usage("there is no \"%s\": `tapctl --help` lists what there is", argv[0]);
	else if (argc < 2)
		usage("what about %s? `tapctl %s --help` lists the verbs", argv[0], argv[0]);
	else
		usage("there is no \"%s %s\": `tapctl %s --help` lists the verbs", argv[0], argv[1],
		      argv[0]);
	return NULL;
}

/* Reads the options before OBJECT; the number of words read, or USAGE. *done: nothing is left. */
static int read_globals(struct tapctl *tapctl, int argc, char **argv, bool *done)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json")) {
			tapctl->json = true;
			errors_as_json(true);
		} else if (!strcmp(argv[i], "--pin-dir") && i + 1 < argc) {
			tapctl->pin_dir = argv[++i];
		} else if (!strncmp(argv[i], "--pin-dir=", 10)) {
			tapctl->pin_dir = argv[i] + 10;
		} else if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V")) {
			printf("tapctl %s\n", TAP_PROGRAM_VERSION);
			*done = true;
			return i;
		} else if (is_help(argv[i])) {
			help_all(stdout);
			*done = true;
			return i;
		} else if (!strcmp(argv[i], "--pin-dir")) {
			return usage("--pin-dir needs a directory on a bpffs");
		} else {
			return usage("unknown option %s before OBJECT: `tapctl --help` lists the "
				     "options",
				     argv[i]);
		}
	}
	if (tapctl->pin_dir[0] != '/')
		return usage("--pin-dir must be an absolute path, not \"%s\"", tapctl->pin_dir);
	if (strlen(tapctl->pin_dir) > 200)
		return usage("--pin-dir is longer than 200 characters");
	return i;
}

static int run(const struct tapctl *tapctl, int argc, char **argv, const struct command **command)
{
	int used;

	if (argc > 1 && is_help(argv[1]) && object_exists(argv[0])) {
		*command = find_command(1, argv, &used);
		forget_failure();
		if (*command)
			help_command(stdout, *command);
		else
			help_object(stdout, argv[0]);
		return 0;
	}
	*command = find_command(argc, argv, &used);
	if (!*command)
		return USAGE;
	for (int i = used; i < argc && strcmp(argv[i], "--"); i++) {
		if (is_help(argv[i])) {
			help_command(stdout, *command);
			return 0;
		}
		if (is_global(argv[i]))
			return usage("%s stands before OBJECT: tapctl %s%s %s ...", argv[i], argv[i],
				     strcmp(argv[i], "--pin-dir") ? "" : " DIR", argv[0]);
	}
	return (*command)->run(tapctl, argc - used + 1, argv + used - 1);
}

/* libsodium calls this when it has no randomness, amid anything, and wants no return. */
static void no_randomness(void)
{
	fail(EIO, "the system gives no random numbers (getrandom, /dev/urandom): nothing more was "
		  "done");
	print_failure();
	_exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
	struct tapctl tapctl = { .pin_dir = TAP_PIN_DIR_DEFAULT };
	const struct command *command = NULL;
	bool done = false;
	int words, err;

	keep_standard_descriptors();
	/* No core file, and no tracer but root's: secrets are in our memory for a moment. */
	prctl(PR_SET_DUMPABLE, 0);
	sodium_set_misuse_handler(no_randomness);
	if (sodium_init() < 0) {
		fail(EIO, "libsodium does not start: no source of randomness");
		print_failure();
		return EXIT_FAILED;
	}
	kernel_log_start();
	words = read_globals(&tapctl, argc, argv, &done);
	if (done)
		return EXIT_DONE;
	if (words >= 0 && words == argc) {
		if (!tapctl.json) {
			help_all(stderr);
			return EXIT_USAGE;
		}
		words = usage("which OBJECT? `tapctl --help` lists them");
	}
	err = words < 0 ? words : run(&tapctl, argc - words, argv + words, &command);
	if ((!err || err == WARNED) && fflush(stdout))
		err = fail(errno, "cannot write the output: %s", cause_file(errno));
	if (!err)
		return EXIT_DONE;
	if (err == WARNED)
		return EXIT_WARNINGS;
	print_failure();
	if (err != USAGE)
		return EXIT_FAILED;
	if (command && !tapctl.json)
		help_usage(stderr, command);
	return EXIT_USAGE;
}
