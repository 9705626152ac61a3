// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks this kernel's verifier about every variant of the gate (its settings are constants in the
 * program, so each is a program of its own) and about the splitter. Prints a line for each program:
 * how many instructions the verifier walked through for its worst variant, of the million that it
 * will, and the stack it counted; and a line for each variant that it refuses.
 *
 *   verifier [DIR]   puts the verifier's whole log of each program that it refuses, in the first
 *                    variant refused, into DIR
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "selftests/common/check.h"
#include "user/gate.h"
#include "user/realm.h"
#include "user/settings.h"
#include "user/splitter.h"

#define LOG_STATISTICS 4 /* levels of the verifier's log */
#define LOG_EVERYTHING 2
#define LOG_SHORT_BYTES (1u << 16)
#define LOG_WHOLE_BYTES (800u << 20)

static const struct tapctl nowhere = { .pin_dir = "/nonexistent" };
static const struct realm_key realm_key = { "the verifier's", "the realm secret of the verifier" };
static const char *log_dir;
static bool refused;

/* Opens the object that a program is in, as tapctl would load it. */
struct variant {
	struct server_options options;
	bool rotating; /* during a rotation: with two secrets */
	bool client;
};

struct object {
	struct gate_bpf *gate;
	struct splitter_bpf *splitter;
	struct bpf_object *bpf;
};

static void object_open(struct object *object, const struct variant *variant)
{
	static const struct tap_realm_secret other = { .secret = "another one" };
	struct tap_realm realm;

	memset(object, 0, sizeof(*object));
	if (variant->client) {
		object->splitter = splitter_bpf__open();
		object->bpf = object->splitter ? object->splitter->obj : NULL;
	} else if (!settings_make(&variant->options, &realm_key, &realm)) {
		if (variant->rotating)
			realm_rotate_to(&realm, &other, time(NULL), 3600);
		object->gate = gate_open(&nowhere, &realm);
		object->bpf = object->gate ? object->gate->obj : NULL;
	}
	if (!object->bpf)
		give_up("the BPF object does not open: %s", failure() ? failure() : strerror(errno));
}

static void object_close(struct object *object)
{
	gate_bpf__destroy(object->gate);
	splitter_bpf__destroy(object->splitter);
}

/* Loads this program alone; what libbpf says, and the log. */
static int load(const struct variant *variant, const char *name, int level, char *log, size_t size)
{
	struct bpf_program *program;
	struct object object;
	int err;

	object_open(&object, variant);
	bpf_object__for_each_program (program, object.bpf) {
		bool this = !strcmp(bpf_program__name(program), name);

		bpf_program__set_autoload(program, this);
		if (!this)
			continue;
		bpf_program__set_log_level(program, level);
		bpf_program__set_log_buf(program, log, size);
	}
	log[0] = '\0';
	err = bpf_object__load(object.bpf);
	object_close(&object);
	return err;
}

/* The rest of the line that starts with this word, in the log's statistics. */
static const char *statistic(const char *log, const char *word, char text[200])
{
	const char *at = strstr(log, word);

	if (!at)
		return "?";
	at += strlen(word);
	snprintf(text, 200, "%.*s", (int)strcspn(at, "\n"), at);
	return text;
}

static void keep_log(const struct variant *variant, const char *program)
{
	char path[4096], *log;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", log_dir, program);
	if (!access(path, F_OK))
		return;
	file = fopen(path, "we");
	log = malloc(LOG_WHOLE_BYTES);
	if (!file || !log)
		give_up("cannot keep the log in %s: %s", path, strerror(errno));
	load(variant, program, LOG_EVERYTHING, log, LOG_WHOLE_BYTES);
	fputs(log, file);
	fclose(file);
	free(log);
}

/* What was learnt of a program's variants so far. */
struct summary {
	unsigned int variants, refused;
	unsigned long instructions; /* of the one with most */
	char stack[200]; /* of that one, by function */
};

static void ask(const struct variant *variant, const char *program, const char *what,
		struct summary *sum)
{
	static char log[LOG_SHORT_BYTES];
	char processed[200], stack[200];
	unsigned long instructions;
	int err;

	err = load(variant, program, LOG_STATISTICS, log, sizeof(log));
	statistic(log, "processed ", processed);
	instructions = strtoul(processed, NULL, 10);
	sum->variants++;
	if (instructions > sum->instructions) {
		sum->instructions = instructions;
		strcpy(sum->stack, statistic(log, "stack depth ", stack));
	}
	if (!err)
		return;
	sum->refused++;
	printf("# refused: %s%s: %s; processed %s\n", program, what, strerror(-err), processed);
	if (log_dir)
		keep_log(variant, program);
}

static void ask_gate(const char *program, bool rotating, __u8 mark, __u8 group_by,
		     struct summary *sum)
{
	struct variant variant = { .options = {
		.has_mark = true, .mark_mode = mark,
		.has_group_by = true, .group_by = group_by,
	}, .rotating = rotating };
	char what[128];

	snprintf(what, sizeof(what), ", %s, marks %s, grouped by %s",
		 rotating ? "two secrets" : "one secret",
		 mark == TAP_MARK_SEALED ? "sealed" : "open", settings_group_by_text(group_by));
	ask(&variant, program, what, sum);
}

static void ask_gate_variants(const char *program, struct summary *sum)
{
	const __u8 by_both = TAP_GROUP_BY_MARK | TAP_GROUP_BY_TS;

	for (int rotating = 0; rotating < 2; rotating++)
		for (__u8 mark = 0; mark < 2; mark++)
			ask_gate(program, rotating, mark, by_both, sum);
	ask_gate(program, false, TAP_MARK_SEALED, TAP_GROUP_BY_MARK, sum);
	ask_gate(program, false, TAP_MARK_SEALED, TAP_GROUP_BY_TS, sum);
}

/* Every program of the gate's object, or of the splitter's. */
static void ask_all(bool client)
{
	const struct variant plain = { .client = client };
	struct bpf_program *program;
	struct object object;

	object_open(&object, &plain);
	bpf_object__for_each_program (program, object.bpf) {
		const char *name = bpf_program__name(program);
		struct summary sum = {};

		if (client)
			ask(&plain, name, "", &sum);
		else
			ask_gate_variants(name, &sum);
		printf("%s %s: %u of %u variants, at most %lu instructions, stack %s\n",
		       sum.refused ? "not ok" : "ok", name, sum.variants - sum.refused,
		       sum.variants, sum.instructions, sum.stack);
		fflush(stdout);
		refused |= sum.refused;
	}
	object_close(&object);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

int main(int argc, char **argv)
{
	log_dir = argc > 1 ? argv[1] : NULL;
	libbpf_set_print(quiet);
	ask_all(true);
	ask_all(false);
	return refused;
}
