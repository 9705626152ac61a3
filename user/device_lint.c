// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules whose device keeps them from ever matching: see device_lint.h.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/device_lint.h"
#include "user/ruleset.h"

#define RULES_NAMED 6 /* in a text; then "and N more" */

/* One look at the rules in force. */
struct lint {
	const struct side *side;
	struct sight sight;
	struct tap_ruleset *set;
	__u64 netns;
};

static enum ruleset_side ruleset_of(const struct side *side)
{
	return side == &server_side ? RULESET_SERVER : RULESET_CLIENT;
}

static const char *rule_word(const struct side *side)
{
	return side == &server_side ? "service" : "rule";
}

/* --- What is wrong with a device ---------------------------------------------------------------- */

/* What the program sees in place of the device, and what to do. */
static void explain_unseen(const struct side *side, const char *device, enum sight_kind kind,
			   const char *seen, char text[DEVICE_LINT_TEXT])
{
	switch (kind) {
	case SIGHT_PORTS:
		snprintf(text, DEVICE_LINT_TEXT,
			 "the gate is in the driver of %s, which gives it packets as coming in on %s: "
			 "leave --dev out, or name each of these; a gate loaded with --mode generic "
			 "sees %s itself",
			 device, seen, device);
		return;
	case SIGHT_ABOVE:
		snprintf(text, DEVICE_LINT_TEXT,
			 "%s stands on %s, where the gate is and sees all of its packets: give --dev %s, "
			 "and single them out by --dst or --src",
			 device, seen, seen);
		return;
	case SIGHT_BELOW:
		snprintf(text, DEVICE_LINT_TEXT,
			 "the gate is on %s, which stands on %s, and sees packets on that one: give "
			 "--dev %s",
			 seen, device, seen);
		return;
	default:
		snprintf(text, DEVICE_LINT_TEXT,
			 "%s has no %s, so nothing matches%s: `tapctl %s load -i %s ...` attaches it",
			 device, side->program,
			 side == &server_side ? ", and strangers get in there" : "", side->object,
			 device);
	}
}

/* Fills in all but which rules; false: nothing is wrong. */
static bool judge(const struct lint *lint, const struct tap_rule *rule,
		  struct device_finding *finding)
{
	char name[IF_NAMESIZE], seen[SIGHT_NAMES];
	__u32 by_name = if_nametoindex(rule->device);
	enum sight_kind kind;

	finding->code = "rule_device_gone";
	if (rule->netns != lint->netns) {
		snprintf(finding->text, DEVICE_LINT_TEXT,
			 "%s belongs to another network namespace, so nothing matches: add it again here",
			 rule->device);
		return true;
	}
	if (by_name != rule->ifindex && if_indextoname(rule->ifindex, name)) {
		finding->code = "rule_device_renamed";
		snprintf(finding->text, DEVICE_LINT_TEXT,
			 "%s is called %s now, where it still matches: add it again with --dev %s, or "
			 "name the device %s again; a load takes whatever is called %s then",
			 rule->device, name, name, rule->device, rule->device);
		return true;
	}
	if (by_name != rule->ifindex) {
		snprintf(finding->text, DEVICE_LINT_TEXT,
			 "%s %s, so nothing matches: `tapctl %s load -i %s ...` attaches the %s to it, "
			 "and to the rules that name it",
			 rule->device,
			 by_name ? "was deleted and made again since" : "is not there",
			 lint->side->object, rule->device, lint->side->program);
		return true;
	}
	finding->code = lint->side == &server_side ? "device_without_gate" : "device_without_splitter";
	kind = sight_look(&lint->sight, rule->ifindex, seen);
	if (kind == SIGHT_SEEN)
		return false;
	explain_unseen(lint->side, rule->device, kind, seen, finding->text);
	return true;
}

/* --- All rules ---------------------------------------------------------------------------------- */

static bool same_device(const struct tap_rule *a, const struct tap_rule *b)
{
	return a->netns == b->netns && a->ifindex == b->ifindex &&
	       !strncmp(a->device, b->device, sizeof(a->device));
}

/* Puts "services 2, 5: " before the text. */
static void name_rules(const struct lint *lint, __u32 first, struct device_finding *finding)
{
	char why[DEVICE_LINT_TEXT], list[RULES_NAMED * 5 + 30] = "";
	size_t n = 0, length = 0;

	for (__u32 i = first; i < lint->set->n_rules; i++) {
		if (!same_device(&lint->set->rules[i], &lint->set->rules[first]))
			continue;
		if (n++ < RULES_NAMED)
			length += snprintf(list + length, sizeof(list) - length, "%s%u",
					   length ? ", " : "", i + 1);
	}
	if (n > RULES_NAMED)
		snprintf(list + length, sizeof(list) - length, " and %zu more", n - RULES_NAMED);
	memcpy(why, finding->text, sizeof(why));
	why[sizeof(why) - 1] = '\0';
	snprintf(finding->text, sizeof(finding->text), "%s%s %s: %s", rule_word(lint->side),
		 n == 1 ? "" : "s", list, why);
}

static void look_at_all(const struct lint *lint, device_finding_take *take, void *context)
{
	struct device_finding finding;

	for (__u32 i = 0; i < lint->set->n_rules; i++) {
		const struct tap_rule *rule = &lint->set->rules[i];
		__u32 before = 0;

		if (!rule->device[0])
			continue;
		while (before < i && !same_device(&lint->set->rules[before], rule))
			before++;
		if (before < i || !judge(lint, rule, &finding))
			continue;
		name_rules(lint, i, &finding);
		take(context, &finding);
	}
}

static bool any_device(const struct tap_ruleset *set)
{
	for (__u32 i = 0; i < set->n_rules; i++)
		if (set->rules[i].device[0])
			return true;
	return false;
}

static bool is_elsewhere(const struct devices *devices)
{
	for (size_t i = 0; i < devices->n; i++)
		if (devices->at[i].state == DEVICE_ELSEWHERE)
			return true;
	return false;
}

int device_lint(const struct tapctl *tapctl, const struct side *side, device_finding_take *take,
		void *context)
{
	struct lint *lint = calloc(1, sizeof(*lint));
	int err;

	if (!lint)
		return fail(ENOMEM, "out of memory");
	lint->side = side;
	lint->sight.devices.map = -1;
	err = ruleset_read(tapctl, ruleset_of(side), &lint->set);
	if (err || !any_device(lint->set))
		goto out;
	err = interfaces_netns(&lint->netns);
	if (!err)
		err = sight_open(tapctl, side, &lint->sight);
	if (!err && !is_elsewhere(&lint->sight.devices))
		look_at_all(lint, take, context);
out:
	sight_close(&lint->sight);
	free(lint->set);
	free(lint);
	return err;
}

static void take_note(void *context, const struct device_finding *finding)
{
	note("%s", finding->text);
}

void device_lint_notes(const struct tapctl *tapctl, const struct side *side)
{
	if (device_lint(tapctl, side, take_note, NULL))
		forget_failure();
}

/* --- A new rule --------------------------------------------------------------------------------- */

int device_lint_new(const struct tapctl *tapctl, const struct side *side,
		    const struct tap_rule *rule)
{
	char seen[SIGHT_NAMES], text[DEVICE_LINT_TEXT];
	enum sight_kind kind;
	struct sight *sight;
	int err;

	if (!rule->device[0])
		return 0;
	sight = calloc(1, sizeof(*sight));
	if (!sight)
		return fail(ENOMEM, "out of memory");
	err = sight_open(tapctl, side, sight);
	if (!err)
		err = devices_check_netns(&sight->devices, side);
	if (err)
		goto out;
	kind = sight_look(sight, rule->ifindex, seen);
	explain_unseen(side, rule->device, kind, seen, text);
	if (kind == SIGHT_NONE)
		note("%s", text);
	else if (kind != SIGHT_SEEN)
		err = fail(EINVAL, "--dev %s would never match: %s", rule->device, text);
out:
	sight_close(sight);
	free(sight);
	return err;
}
