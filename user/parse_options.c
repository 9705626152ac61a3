// SPDX-License-Identifier: GPL-2.0-only
/*
 * getopt_long(3) for verbs: its errors become usage lines, and it can be run again for each line
 * of an import.
 */
#include "user/parse.h"
#include "user/tapctl.h"

void options_start(void)
{
	optind = 0; /* glibc: forget the argv before */
	opterr = 0;
}

int options_next(int argc, char **argv, const char *shorts, const struct option *options)
{
	int option = getopt_long(argc, argv, shorts, options, NULL);

	if (option == ':') {
		usage("%s needs a value", argv[optind - 1]);
		return OPTIONS_BAD;
	}
	if (option == '?')
		usage("unknown option, or one that takes no value: %s", argv[optind - 1]);
	return option;
}

int options_words(int argc, char **argv, int wanted, const char *what)
{
	if (argc - optind < wanted)
		return usage("missing: %s", what);
	if (argc - optind > wanted)
		return usage("'%s' is too much here", argv[optind + wanted]);
	return optind;
}
