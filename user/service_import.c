// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl service import: many services with one publication, all or none.
 */
#include <errno.h>
#include <stdlib.h>

#include "user/lines.h"
#include "user/service.h"
#include "user/verbs.h"

struct import {
	size_t n;
	struct service_request requests[TAP_RULES_MAX];
};

static int take_line(void *context, int argc, char **argv)
{
	struct import *import = context;
	int err;

	if (import->n == TAP_RULES_MAX)
		return fail(ENOSPC, "more than %d services: join some (port ranges, prefixes)",
			    TAP_RULES_MAX);
	err = service_parse(argc, argv, &import->requests[import->n]);
	if (!err)
		import->n++;
	return err;
}

int service_import(const struct tapctl *tapctl, int argc, char **argv)
{
	struct openings openings = { 0 };
	struct import *import;
	size_t added;
	int err;

	if (argc != 2)
		return usage(argc < 2 ? "missing: the file to read, or '-'" : "one file is enough");
	import = calloc(1, sizeof(*import));
	if (!import)
		return fail(ENOMEM, "out of memory");
	err = lines_read(argv[1], false, take_line, import);
	added = import->n;
	if (!err && added)
		err = service_add_all(tapctl, import->requests, added, &openings);
	free(import);
	if (err)
		return err;
	return service_done(tapctl, &openings, json_pack("{s:I}", "added", (json_int_t)added),
			    "%zu services added", added);
}
