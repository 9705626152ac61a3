/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the error reporting that main() and the printing of results use; commands use
 * user/tapctl.h.
 */
#ifndef TAP_ERROR_H
#define TAP_ERROR_H

#include <jansson.h>
#include <stdbool.h>

void errors_as_json(bool json); /* -j: errors and notes become JSON objects, one a line */
void print_failure(void); /* what fail() or usage() recorded, on stderr */

/* TEXT for JSON, which takes UTF-8 only: of others, a file name perhaps, each byte becomes '?'. */
json_t *json_text(const char *text);

#endif /* TAP_ERROR_H */
