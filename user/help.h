/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The --help pages, made from the table of commands.
 */
#ifndef TAP_HELP_H
#define TAP_HELP_H

#include <stdio.h>

#include "user/tapctl.h"

void help_all(FILE *out);
void help_object(FILE *out, const char *object);
void help_command(FILE *out, const struct command *command);
void help_usage(FILE *out, const struct command *command); /* the usage line alone */

#endif /* TAP_HELP_H */
