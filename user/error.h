/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the error reporting that only main() uses; commands use user/tapctl.h.
 */
#ifndef TAP_ERROR_H
#define TAP_ERROR_H

#include <stdbool.h>

void errors_as_json(bool json); /* -j: errors and notes become JSON objects, one a line */
void print_failure(void); /* what fail() or usage() recorded, on stderr */

#endif /* TAP_ERROR_H */
