// SPDX-License-Identifier: GPL-2.0-only
/*
 * The --help pages, made from the table of commands: all of tapctl, one object, one verb.
 */
#include <string.h>

#include "user/help.h"

/* How the overall help groups the objects. */
static const struct {
	const char *title;
	const char *objects[5];
} groups[] = {
	{ "Server: hide TCP services from everybody without a key",
	  { "server", "service", "key", "acl" } },
	{ "Client: connect to hidden services", { "client", "peer", "rule" } },
	{ "Realm keys: made once for each server", { "realm" } },
	{ "Both sides", { "status", "stats", "events" } },
};

static void print_summary(FILE *out, const struct command *command)
{
	fprintf(out, "  %-8s %-8s %s\n", command->object, command->verb ? command->verb : "",
		command->summary);
}

static void print_object(FILE *out, const char *object)
{
	for (size_t i = 0; i < n_commands; i++)
		if (!strcmp(commands[i].object, object))
			print_summary(out, &commands[i]);
}

void help_all(FILE *out)
{
	fputs("tapctl hides TCP services from everybody who holds no key, and lets key holders "
	      "in.\n\n"
	      "Usage: tapctl [-j|--json] [--pin-dir DIR] OBJECT VERB [ARGUMENTS]\n",
	      out);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		fprintf(out, "\n%s:\n", groups[i].title);
		for (const char *const *object = groups[i].objects; *object; object++)
			print_object(out, *object);
	}
	fputs("\nOptions, before OBJECT:\n"
	      "  -j, --json      print JSON, errors included\n"
	      "  --pin-dir DIR   where the state is kept, on a bpffs (" TAP_PIN_DIR_DEFAULT ")\n"
	      "  --version\n"
	      "\nTAPCTL_DEBUG=1 in the environment shows what the kernel's verifier and libbpf "
	      "say.\n"
	      "`tapctl OBJECT --help` and `tapctl OBJECT VERB --help` tell more.\n"
	      "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 status has warnings.\n",
	      out);
}

void help_object(FILE *out, const char *object)
{
	fprintf(out, "Usage: tapctl [-j] [--pin-dir DIR] %s VERB [ARGUMENTS]\n\n", object);
	print_object(out, object);
	fprintf(out, "\n`tapctl %s VERB --help` tells more.\n", object);
}

/* Further lines of the arguments are indented to stand below the first. */
void help_usage(FILE *out, const struct command *command)
{
	int indent = fprintf(out, "Usage: tapctl %s%s%s ", command->object,
			     command->verb ? " " : "", command->verb ? command->verb : "");

	for (const char *at = command->arguments; *at; at++) {
		fputc(*at, out);
		if (*at == '\n')
			fprintf(out, "%*s", indent, "");
	}
	fputc('\n', out);
}

void help_command(FILE *out, const struct command *command)
{
	char first = command->summary[0];

	help_usage(out, command);
	fprintf(out, "\n%c%s.\n", first >= 'a' && first <= 'z' ? first - 'a' + 'A' : first,
		command->summary + 1);
	fprintf(out, "\n%s\n", command->details);
}
