// SPDX-License-Identifier: GPL-2.0-only
/*
 * Printing, with jansson for JSON and libsmartcols for tables.
 */
#include <errno.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/output.h"

int output_flush(void)
{
	if (fflush(stdout) || ferror(stdout))
		return fail(errno ? errno : EIO,
			    "the command was carried out, but its result cannot be written to "
			    "standard output: %s",
			    cause_file(errno ? errno : EIO));
	return 0;
}

int output_json(json_t *value)
{
	int err;

	if (!value)
		return fail(ENOMEM, "out of memory, so the result cannot be shown; the command was carried out");
	err = json_dumpf(value, stdout, JSON_ENCODE_ANY);
	json_decref(value);
	if (err)
		return fail(EIO, "cannot write to standard output");
	putchar('\n');
	return output_flush();
}

int output_done(const struct tapctl *tapctl, json_t *value, const char *format, ...)
{
	va_list arguments;

	if (tapctl->json)
		return output_json(value);
	json_decref(value);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	return output_flush();
}

struct output_table {
	struct libscols_table *scols;
	size_t columns;
	bool failed; /* out of memory; told at the end */
};

struct output_table *output_table(const char *heading, ...)
{
	struct output_table *table = calloc(1, sizeof(*table));
	va_list headings;

	if (!table)
		return NULL;
	table->scols = scols_new_table();
	va_start(headings, heading);
	for (; table->scols && heading; heading = va_arg(headings, const char *)) {
		bool number = *heading == '>';

		if (!scols_table_new_column(table->scols, heading + number, 0,
					    number ? SCOLS_FL_RIGHT : 0))
			table->failed = true;
		table->columns++;
	}
	va_end(headings);
	return table;
}

void output_row(struct output_table *table, ...)
{
	struct libscols_line *line;
	va_list texts;
	size_t i;

	if (!table || !table->scols)
		return;
	line = scols_table_new_line(table->scols, NULL);
	va_start(texts, table);
	for (i = 0; line && i < table->columns; i++)
		if (scols_line_set_data(line, i, va_arg(texts, const char *)))
			table->failed = true;
	va_end(texts);
	if (!line)
		table->failed = true;
}

int output_table_end(struct output_table *table, const char *empty)
{
	int err = 0;

	if (!table || !table->scols || table->failed)
		err = fail(ENOMEM, "out of memory");
	else if (scols_table_is_empty(table->scols))
		puts(empty);
	else if (scols_print_table(table->scols))
		err = fail(EIO, "cannot write the table to standard output");
	if (table)
		scols_unref_table(table->scols);
	free(table);
	return err ? err : output_flush();
}
