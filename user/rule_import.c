// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl rule import: many client rules with one publication, all or none.
 */
#include <errno.h>
#include <stdlib.h>

#include "user/lines.h"
#include "user/output.h"
#include "user/rule.h"
#include "user/verbs.h"

struct import {
	size_t n;
	unsigned int rules; /* a host name makes several */
	struct rule_request requests[TAP_RULES_MAX];
};

static int take_line(void *context, int argc, char **argv)
{
	struct import *import = context;
	int err;

	if (import->n == TAP_RULES_MAX)
		return fail(ENOSPC, "more than %d rules: join some (port lists, prefixes)", TAP_RULES_MAX);
	err = rule_parse(argc, argv, &import->requests[import->n]);
	if (!err)
		import->rules += import->requests[import->n++].n_dst;
	return err;
}

int rule_import(const struct tapctl *tapctl, int argc, char **argv)
{
	struct import *import;
	unsigned int added;
	int err;

	if (argc != 2)
		return usage(argc < 2 ? "missing: the file to read, or '-'" : "one file is enough");
	import = calloc(1, sizeof(*import));
	if (!import)
		return fail(ENOMEM, "out of memory");
	err = lines_read(argv[1], false, take_line, import);
	added = import->rules;
	if (!err && added)
		err = rule_add_all(tapctl, import->requests, import->n);
	free(import);
	if (err)
		return err;
	return output_done(tapctl, json_pack("{s:i}", "added", added), "%u rules added", added);
}
