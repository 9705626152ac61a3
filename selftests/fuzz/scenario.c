// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server of the scenario: services, keys and settings of every kind; see scenario.h.
 */
#include <arpa/inet.h>

#include "selftests/fuzz/scenario.h"
#include "user/pins.h"
#include "user/ruleset.h"

/* Nothing is published here. */
int pins_map(const struct tapctl *tapctl, const char *name)
{
	return -1;
}

static void sipkey(struct tap_sipkey *key, const uint8_t bytes[REF_DERIVED_BYTES])
{
	memcpy(key, bytes, sizeof(*key)); /* little-endian, as this machine is */
}

static void secret(struct tap_sipkey *key, uint8_t user)
{
	uint8_t realm_key[REF_KEY_BYTES] = { 1 }, user_key[REF_KEY_BYTES];
	uint8_t k_tag[REF_DERIVED_BYTES];

	memset(user_key, user, sizeof(user_key));
	ref_derive_tag(k_tag, user_key, realm_key);
	sipkey(key, k_tag);
}

static void make_constants(struct scenario *s)
{
	static const struct tap_gate_constants variants[SCENARIO_VARIANTS] = {
		{ .skew = 30, .replay_size = 4096, .frames = 3, .group_by = 3, .sealed = 1 },
		{ .skew = 5, .replay_size = 4, .frames = TAP_ACCEPT_VEILED,
		  .group_by = TAP_GROUP_BY_MARK },
		{ .skew = 3600, .replay_size = 2, .frames = TAP_ACCEPT_CLASSIC,
		  .group_by = TAP_GROUP_BY_TS, .sealed = 1, .monitor = 1 },
		{ .skew = 30, .replay_size = 3, .frames = 3, .group_by = 3, .sealed = 1 },
	};
	uint8_t realm_key[REF_KEY_BYTES] = { 1 }, k_veil[REF_DERIVED_BYTES];
	uint8_t k_mark[REF_DERIVED_BYTES];
	uint64_t random = 1, *word;
	unsigned int v, m;

	ref_derive_realm(k_veil, "TAP2 veil", realm_key);
	ref_derive_realm(k_mark, "TAP2 mark", realm_key);
	for (m = 0; m < 65536; m++)
		if (ref_is_mark(k_mark, m))
			s->marks[s->n_marks++] = m;
	for (v = 0; v < SCENARIO_VARIANTS; v++) {
		struct tap_gate_constants *c = &s->constants[v];

		*c = variants[v];
		c->cookie_acks = v >> 1 & 1;
		sipkey(&c->veil, k_veil);
		for (word = (uint64_t *)&c->place; word < (uint64_t *)(&c->place + 1); word++)
			*word = ref_random(&random);
		memset(c->marks, c->sealed ? 0 : 0xff, sizeof(c->marks));
		for (m = 0; m < s->n_marks; m++)
			c->marks[s->marks[m] / 64] |= 1ULL << (s->marks[m] % 64);
	}
}

static void make_keys(struct scenario *s)
{
	const int64_t now = SCENARIO_NOW;
	unsigned int i;

	for (i = 0; i < SCENARIO_KEYS; i++) {
		s->key_ids[i] = i < SCENARIO_KEYS - 1 ? 1 + i : 65535;
		s->keys[i] = (struct tap_key){ .until = { TAP_FOREVER, 0 },
					       .not_after = TAP_FOREVER };
		secret(&s->keys[i].secret[0], 1 + i);
		secret(&s->keys[i].secret[1], 101 + i);
	}
	s->keys[1].until[1] = TAP_FOREVER; /* two secrets */
	s->keys[2].not_after = TAP_REVOKED;
	s->keys[3].not_after = now; /* expired, or still good when the clock goes back */
	s->keys[4].not_before = now + 3;
	s->keys[5].until[0] = now - 2; /* the other one is in force */
	s->keys[5].until[1] = now + 20;
	s->keys[6].until[0] = 0; /* no secret */
	s->acl.allowed[0] |= 1ULL << s->key_ids[0];
	s->acl.allowed[65535 / 64] |= 1ULL << (65535 % 64);
}

static void add(struct tap_ruleset *set, const char *dst, const struct tap_rule *rule)
{
	struct tap_rule added = *rule;
	uint8_t address[16] = { [10] = 0xff, [11] = 0xff };

	added.n_ports = 1;
	if (dst) {
		MUST(inet_pton(AF_INET, dst, address + 12) == 1 ||
		     inet_pton(AF_INET6, dst, address) == 1, "%s", dst);
		memcpy(added.dst.addr, address, 16);
		memset(added.dst.mask, 0xff, 16);
	}
	MUST(!ruleset_insert(set, RULESET_SERVER, &added, 0), "insert");
}

#define RULE(lo, hi, ...) &(struct tap_rule){ .ports = { { lo, hi } }, .service = { __VA_ARGS__ } }

static void make_rules(struct tap_ruleset *set)
{
	struct tap_rule elsewhere = *RULE(445, 445, .action = TAP_ACTION_TAP);

	add(set, NULL, RULE(443, 443, .action = TAP_ACTION_TAP));
	add(set, NULL, RULE(22, 22, .acl = SCENARIO_ACL, .reject = TAP_REJECT_RST));
	add(set, NULL, RULE(80, 80, .tag_mode = TAP_TAG_LONG));
	add(set, NULL, RULE(81, 81, .tag_mode = TAP_TAG_SHORT, .reject = TAP_REJECT_RST));
	add(set, NULL, RULE(8000, 8100, .public_port = 9000));
	add(set, NULL, RULE(25, 25, .action = TAP_ACTION_PASS));
	add(set, NULL, RULE(23, 23, .action = TAP_ACTION_DROP));
	add(set, "192.0.2.80", RULE(444, 444, .reject = TAP_REJECT_RST));
	add(set, "2001:db8::50", RULE(444, 444, .stealth = 1));
	elsewhere.ifindex = 2;
	add(set, NULL, &elsewhere);
	add(set, NULL, RULE(447, 447, .stealth = 1, .reject = TAP_REJECT_RST));
	add(set, NULL, RULE(65535, 65535, .stealth = 1));
	MUST(!ruleset_compile(set, RULESET_SERVER), "compile");
}

const struct scenario *scenario_make(void)
{
	static struct scenario s;

	if (!s.n_marks) {
		make_constants(&s);
		make_keys(&s);
		make_rules(&s.rules);
	}
	return &s;
}
