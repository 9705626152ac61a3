// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of key IDs, kept as the bitmap of an access list.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/parse.h"
#include "user/tapctl.h"

bool ids_have(const struct tap_acl *list, __u32 id)
{
	return list->allowed[id / 64] >> (id % 64) & 1;
}

void ids_add(struct tap_acl *list, __u32 first, __u32 last)
{
	__u32 id;

	for (id = first; id <= last; id++)
		list->allowed[id / 64] |= 1ULL << (id % 64);
}

unsigned int ids_count(const struct tap_acl *list)
{
	unsigned int i, n = 0;

	for (i = 0; i < 65536 / 64; i++)
		n += __builtin_popcountll(list->allowed[i]);
	return n;
}

static int parse_id_range(const char *what, char *word, struct tap_acl *list)
{
	char *dash = strchr(word, '-');
	__u16 first, last;
	int err;

	if (dash)
		*dash++ = '\0';
	err = parse_key_id(word, &first);
	if (!err)
		err = parse_key_id(dash ? dash : word, &last);
	if (err)
		return err;
	if (first > last)
		return usage("%s: %u-%u runs backwards: did you mean %u-%u?", what, first, last, last,
			     first);
	ids_add(list, first, last);
	return 0;
}

int parse_ids(const char *what, const char *text, struct tap_acl *list)
{
	struct tap_acl got = *list;
	char *copy = strdup(text), *rest = copy, *word;
	int err = 0;

	if (!copy)
		return fail(ENOMEM, "out of memory");
	while (!err && (word = strsep(&rest, ",")))
		err = parse_id_range(what, word, &got);
	free(copy);
	if (!err)
		*list = got;
	return err;
}

char *ids_text(const struct tap_acl *list)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	__u32 id, last;
	bool any = false;

	if (!out)
		return NULL;
	for (id = TAP_KEY_ID_MIN; id <= TAP_KEY_ID_MAX; id = last + 1) {
		last = id;
		if (!ids_have(list, id))
			continue;
		while (last < TAP_KEY_ID_MAX && ids_have(list, last + 1))
			last++;
		fprintf(out, "%s%u", any ? "," : "", id);
		if (last > id)
			fprintf(out, "-%u", last);
		any = true;
	}
	if (!any)
		fputs("none", out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
