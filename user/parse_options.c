// SPDX-License-Identifier: GPL-2.0-only
/*
 * getopt_long(3) for verbs: its errors become usage lines, and it can be run again for each line
 * of an import.
 */
#include <string.h>

#include "user/parse.h"
#include "user/tapctl.h"

static const char *option_name(int option, const struct option *options)
{
	for (; options->name; options++)
		if (options->val == option)
			return options->name;
	return "";
}

static bool seen[256]; /* options, by their `val` */

void options_start(void)
{
	memset(seen, 0, sizeof(seen));
	optind = 0; /* glibc: forget the argv before */
	opterr = 0;
}

/* The option that getopt_long() refused: a letter among others ("-xo"), or a word. */
static void refuse(char **argv)
{
	if (optopt && strncmp(argv[optind - 1], "--", 2))
		usage("unknown option: -%c", optopt);
	else
		usage("unknown option, or one that takes no value: %s", argv[optind - 1]);
}

void options_again(int option)
{
	seen[option & 0xff] = false;
}

int options_next(int argc, char **argv, const char *shorts, const struct option *options)
{
	int option = getopt_long(argc, argv, shorts, options, NULL);

	if (option == ':') {
		usage("%s needs a value", argv[optind - 1]);
		return OPTIONS_BAD;
	}
	if (option == '?')
		refuse(argv);
	if (option == '?' || option == OPTIONS_END)
		return option;
	/* The last one would win and the others be forgotten without a word. */
	if (seen[option & 0xff]) {
		usage("--%s is given twice: once is enough", option_name(option, options));
		return OPTIONS_BAD;
	}
	seen[option & 0xff] = true;
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
