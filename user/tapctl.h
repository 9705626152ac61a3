/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every command of tapctl shares: the options that stand before the command, how a command is
 * declared, and how it says that it failed.
 */
#ifndef TAP_TAPCTL_H
#define TAP_TAPCTL_H

#include <stdbool.h>
#include <stddef.h>

#define TAP_PIN_DIR_DEFAULT "/sys/fs/bpf/tap"

/* The options before OBJECT VERB. */
struct tapctl {
	const char *pin_dir; /* where the maps and links are pinned */
	bool json; /* -j: print JSON, errors included */
};

/*
 * One verb. Dispatch, usage line and --help come from here. run() gets argv[0] = the verb and
 * returns 0; USAGE after usage(); a negative errno after fail(); or, of status alone, WARNED.
 */
struct command {
	const char *object; /* "service"; for commands of one word the word itself */
	const char *verb; /* "add"; NULL for commands of one word */
	const char *arguments; /* "PORT[-PORT] [--dst PREFIX]"; one line, or several with \n */
	const char *summary; /* one line, no full stop */
	const char *details; /* paragraphs on the options, and an example */
	int (*run)(const struct tapctl *tapctl, int argc, char **argv);
};

#define USAGE (-4096) /* below every -errno */
#define WARNED (-4097) /* the result was printed, and it has warnings */

/*
 * Record why the command fails: one line that says what went wrong, why, and what to do. The first
 * call wins, so the deepest cause is told; main() prints it. fail() returns -error (error > 0),
 * usage() returns USAGE.
 */
int fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));
int usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *failure(void); /* the line recorded, or NULL */
void forget_failure(void); /* a fallback worked */

/*
 * What an errno means, for the end of such a line: the words of strerror(), and in parentheses what
 * to do about it, where that is known. Each call overwrites the text of the one before.
 */
const char *cause(int error); /* of a call on maps, programs, links, sockets */
const char *cause_file(int error); /* of a call on files and directories */

/* A line to the administrator on stderr, "tapctl: note: ..."; never a reason to exit non-zero. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

extern const struct command commands[];
extern const size_t n_commands;

#endif /* TAP_TAPCTL_H */
