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

void scenario_secret(struct tap_sipkey *key, uint8_t user)
{
	uint8_t realm_id[REF_ID_BYTES] = { 1 }, user_key[REF_KEY_BYTES];
	uint8_t k_tag[REF_DERIVED_BYTES];

	memset(user_key, user, sizeof(user_key));
	ref_derive_tag(k_tag, user_key, realm_id);
	sipkey(key, k_tag);
}

/* Two secrets of the same realm, and their marks. */
static void make_realm(struct scenario *s)
{
	uint8_t k_mark[REF_DERIVED_BYTES];
	unsigned int i, m;

	for (i = 0; i < 2; i++) {
		s->realm_key[i][0] = 1;
		s->realm_key[i][REF_ID_BYTES] = 7 + i;
		ref_derive_realm(k_mark, "TAP3 mark", s->realm_key[i]);
		for (m = 0; m < 65536; m++)
			if (ref_is_mark(k_mark, m))
				s->marks[i][s->n_marks[i]++] = m;
	}
	for (i = 0; i < SCENARIO_VARIANTS; i++)
		s->realm[i].before_until = SCENARIO_NOW + 20;
	/* One whose records are young. */
	s->realm[3].started_ns = (SCENARIO_NOW - 10) * 1000000000LL;
	s->realm[3].started_boot_ns = SCENARIO_MONOTONIC - 15000000000LL;
}

static void set_marks(struct scenario *s, struct tap_gate_constants *c, unsigned int secret)
{
	unsigned int i, m;

	memset(c->marks_of[secret], c->sealed ? 0 : 0xff, sizeof(c->marks_of[secret]));
	for (i = 0; i < s->n_marks[secret]; i++) {
		m = s->marks[secret][i];
		c->marks_of[secret][m / 64] |= 1ULL << (m % 64);
	}
	for (i = 0; i < 65536 / 64; i++)
		c->marks[i] |= c->marks_of[secret][i];
}

static void make_constants(struct scenario *s)
{
	static const struct tap_gate_constants variants[SCENARIO_VARIANTS] = {
		{ .skew = 30, .replay_size = 4096, .encoding = TAP_ENCODING_VEILED, .group_by = 3,
		  .sealed = 1, .secrets = 1, .default_rate = 2 },
		{ .skew = 5, .replay_size = 4, .encoding = TAP_ENCODING_VEILED,
		  .group_by = TAP_GROUP_BY_MARK, .secrets = 2, .default_rate = 100 },
		{ .skew = 3600, .replay_size = 2, .encoding = TAP_ENCODING_CLASSIC,
		  .group_by = TAP_GROUP_BY_TS, .sealed = 1, .monitor = 1, .secrets = 1,
		  .default_rate = 100 },
		{ .skew = 30, .replay_size = 3, .encoding = TAP_ENCODING_VEILED, .group_by = 3,
		  .sealed = 1, .secrets = 2, .newest = 1, .default_rate = 3 },
		{ .skew = 3600, .replay_size = 4096, .encoding = TAP_ENCODING_VEILED,
		  .group_by = 3, .sealed = 1, .secrets = 2, .default_rate = 100 },
	};
	uint8_t k_veil[REF_DERIVED_BYTES];
	uint64_t random = 1, *word;
	unsigned int v, i;

	for (v = 0; v < SCENARIO_VARIANTS; v++) {
		struct tap_gate_constants *c = &s->constants[v];

		*c = variants[v];
		c->cookie_acks = v >> 1 & 1;
		/* In one of them a rotation was killed before it put the new program in place. */
		s->realm[v].newest = c->newest ^ (v == 2);
		for (word = (uint64_t *)&c->place; word < (uint64_t *)(&c->place + 1); word++)
			*word = ref_random(&random);
		for (i = 0; i < c->secrets; i++) {
			ref_derive_realm(k_veil, "TAP3 veil", s->realm_key[i]);
			sipkey(&c->veil[i], k_veil);
			set_marks(s, c, i);
		}
	}
}

static void make_keys(struct scenario *s)
{
	const int64_t now = SCENARIO_NOW;
	unsigned int i, j;

	for (i = 0; i < SCENARIO_KEYS; i++) {
		s->key_ids[i] = i < SCENARIO_KEYS - 1 ? 1 + i : 65535;
		s->keys[i] = (struct tap_key){ .until = { TAP_FOREVER, 0 },
					       .not_after = TAP_FOREVER,
					       .rate = TAP_RATE_DEFAULT };
		for (j = 0; j < 2; j++) {
			s->user_keys[i][j] = 1 + i + 100 * j;
			scenario_secret(&s->keys[i].secret[j], s->user_keys[i][j]);
		}
	}
	s->keys[1].until[1] = TAP_FOREVER; /* two secrets */
	s->keys[1].rate = 1;
	s->keys[2].not_after = TAP_REVOKED;
	s->keys[3].not_after = now; /* expired, or still good when the clock goes back */
	s->keys[4].not_before = now + 3;
	s->keys[5].until[0] = now - 2; /* the other one is in force */
	s->keys[5].until[1] = now + 20;
	s->keys[6].until[0] = 0; /* no secret */
	s->keys[7].rate = 0; /* no limit */
	s->ghost = (struct tap_key){ .until = { TAP_FOREVER, TAP_FOREVER },
				     .not_after = TAP_FOREVER };
	scenario_secret(&s->ghost.secret[0], SCENARIO_GHOST_KEY);
	scenario_secret(&s->ghost.secret[1], SCENARIO_GHOST_KEY - 1);
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
	struct tap_rule forwarded = *RULE(8000, 8100, .public_port = 9000);
	const uint8_t public[16] = { [10] = 0xff, [11] = 0xff, [12] = 198, 51, 100, 7 };

	add(set, NULL, RULE(443, 443, .action = TAP_ACTION_TAP));
	add(set, NULL, RULE(22, 22, .acl = SCENARIO_ACL, .reject = TAP_REJECT_RST));
	add(set, NULL, RULE(80, 80, .encoding = TAP_SERVICE_VEILED, .bind = TAP_BIND_DST));
	add(set, NULL, RULE(81, 81, .encoding = TAP_SERVICE_CLASSIC, .reject = TAP_REJECT_RST));
	memcpy(forwarded.service.public_address, public, sizeof(public));
	add(set, NULL, &forwarded);
	add(set, NULL, RULE(25, 25, .action = TAP_ACTION_PASS));
	add(set, NULL, RULE(23, 23, .action = TAP_ACTION_DROP));
	add(set, "192.0.2.80", RULE(444, 444, .reject = TAP_REJECT_RST, .bind = TAP_BIND_SRC));
	add(set, "2001:db8::50", RULE(444, 444, .stealth = 1));
	elsewhere.ifindex = 2;
	add(set, NULL, &elsewhere);
	add(set, NULL, RULE(447, 447, .stealth = 1, .reject = TAP_REJECT_RST,
			    .bind = TAP_BIND_BOTH));
	add(set, NULL, RULE(65535, 65535, .stealth = 1, .encoding = TAP_SERVICE_CLASSIC));
	MUST(!ruleset_compile(set, RULESET_SERVER), "compile");
}

const struct scenario *scenario_make(void)
{
	static struct scenario s;

	if (!s.n_marks[0]) {
		make_realm(&s);
		make_constants(&s);
		make_keys(&s);
		make_rules(&s.rules);
	}
	return &s;
}
