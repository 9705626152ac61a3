// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path's rules: which port, what is lost there, and which SYNs make a group. The splitter sends
 * the four of a group in order, with the same window and TSval.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/parse.h"
#include "bpf/timestamps.h"
#include "selftests/path/rules.h"

#define RULES_MAX 256
#define GROUPS 65536u /* power of two */
#define NS_PER_MS 1e6

static struct rule rules[RULES_MAX];
static unsigned int n_rules;
static struct group groups[GROUPS];

static int parse_twice(const char *value, enum twice *twice)
{
	if (!strcmp(value, "all"))
		*twice = TWICE_ALL;
	else if (!strcmp(value, "last"))
		*twice = TWICE_LAST;
	else
		return -EINVAL;
	return 0;
}

int rule_add(char *text)
{
	static char *const names[] = { "loss", "burst", "gap", "jitter", "twice", NULL };
	struct rule rule = { .port = strtoul(text, &text, 10) };
	char *value;
	int name;

	if (n_rules == RULES_MAX || !rule.port || (*text && *text++ != ':'))
		return -EINVAL;
	while (*text) {
		name = getsubopt(&text, names, &value);
		if (name < 0 || !value)
			return -EINVAL;
		switch (name) {
		case 0: rule.loss = strtod(value, NULL); break;
		case 1: rule.burst_ns = strtod(value, NULL) * NS_PER_MS; break;
		case 2: rule.gap_ns = strtod(value, NULL) * NS_PER_MS; break;
		case 3: rule.jitter_ns = strtod(value, NULL) * NS_PER_MS; break;
		default:
			if (parse_twice(value, &rule.twice))
				return -EINVAL;
		}
	}
	if (!(rule.loss >= 0 && rule.loss < 1))
		return -EINVAL;
	rules[n_rules++] = rule;
	return 0;
}

static struct rule *of_port(uint16_t port)
{
	unsigned int i;

	for (i = 0; i < n_rules; i++)
		if (rules[i].port == port)
			return &rules[i];
	return NULL;
}

/* The group of a SYN with timestamps; one that has its four already starts afresh. */
static struct group *of_syn(struct rule *rule, uint16_t window, uint32_t tsval)
{
	uint32_t hash = (tsval ^ (uint32_t)window << 16 ^ rule->port) * 0x9e3779b1u;
	struct group *group = &groups[hash >> 16 & (GROUPS - 1)];

	if (group->rule != rule || group->window != window || group->tsval != tsval ||
	    group->seen == GROUP_SYNS) {
		*group = (struct group){ .rule = rule, .window = window, .tsval = tsval };
		rule->groups++;
	}
	return group;
}

struct rule *rule_for(uint8_t *bytes, size_t length, struct group **group)
{
	struct tap_frame_memory frame = { bytes, bytes + length };
	struct tap_packet p = { 0 };
	struct timestamps ts;
	struct rule *rule;
	enum tap_kind kind = tap_parse_ethernet(&frame, &p);

	*group = NULL;
	if (kind != TAP_SYN && kind != TAP_SEGMENT)
		return NULL;
	rule = of_port(p.dport) ?: of_port(ntohs(p.tcp->source));
	if (rule && kind == TAP_SYN && linux_timestamps(p.tcp, frame.data_end, &ts))
		*group = of_syn(rule, ntohs(p.tcp->window), ts.tsval);
	return rule;
}

/* Both kinds of time last as chance has it, around means that make the share of losses right. */
static bool in_burst(const struct rule *rule, struct bursts *bursts, uint64_t now_ns)
{
	double mean;

	if (!bursts->until_ns)
		bursts->until_ns = now_ns;
	while (bursts->until_ns <= now_ns) {
		bursts->losing = !bursts->losing;
		mean = bursts->losing ? rule->burst_ns : rule->burst_ns * (1 - rule->loss) / rule->loss;
		bursts->until_ns += 1 - log(1 - drand48()) * mean;
	}
	return bursts->losing;
}

bool rule_loses(struct rule *rule, int direction, uint64_t now_ns)
{
	bool loses = rule->loss && (rule->burst_ns ? in_burst(rule, &rule->bursts[direction], now_ns) :
						      drand48() < rule->loss);

	rule->frames++;
	rule->lost += loses;
	return loses;
}

void group_leaves(struct group *group, unsigned int place)
{
	if (place + 1 < group->highest)
		group->rule->overtaken++;
	else
		group->highest = place + 1;
}

void rules_print(void)
{
	const struct rule *rule;

	putchar('{');
	for (rule = rules; rule < rules + n_rules; rule++)
		printf("%s\"%u\": {\"frames\": %llu, \"lost\": %llu, \"groups\": %llu, \"overtaken\": %llu}",
		       rule == rules ? "" : ", ", rule->port, rule->frames, rule->lost, rule->groups,
		       rule->overtaken);
	puts("}");
}
