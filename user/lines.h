/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Import files: one entry a line, words split on blanks, # starts a comment.
 */
#ifndef TAP_LINES_H
#define TAP_LINES_H

#include "user/tapctl.h"

#define LINES_MAX 1000000 /* more is no list for TAP */

/* One line's words: argv[0] is fixed, argv[argc] is NULL. Returns as a verb does. */
typedef int lines_take(void *context, int argc, char **argv);

/*
 * Hands every line of PATH ("-": standard input) to take(), up to the first that fails; the error
 * then names the line. A file with secrets must be closed to group and others (keyfile.h), and no
 * line of it is shown or stays in memory. Returns 0, or -errno after fail().
 */
int lines_read(const char *path, bool secret, lines_take *take, void *context);

#endif /* TAP_LINES_H */
