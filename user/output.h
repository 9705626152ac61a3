/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What commands print: one line or one JSON value, or a table. All return 0, or -errno after
 * fail() when standard output does not take it. JSON values given are used up.
 */
#ifndef TAP_OUTPUT_H
#define TAP_OUTPUT_H

#include <jansson.h>

#include "user/tapctl.h"

/* With -j the value, else the line. */
int output_done(const struct tapctl *tapctl, json_t *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The value, on one line. NULL: out of memory. */
int output_json(json_t *value);

/* Sees to it that all that was printed has gone out. */
int output_flush(void);

struct output_table;

/* Columns by their headings, up to a NULL; a heading that begins with '>' is for numbers. */
struct output_table *output_table(const char *heading, ...) __attribute__((sentinel));

/* One row: as many texts as columns. They are copied. */
void output_row(struct output_table *table, ...);

/* Prints the table and frees it; `empty` is printed in place of a table without rows. */
int output_table_end(struct output_table *table, const char *empty);

#endif /* TAP_OUTPUT_H */
