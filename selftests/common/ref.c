// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wire protocol once more, written from docs/protocol.md with libsodium alone; see ref.h.
 */
#include <string.h>

#include <arpa/inet.h>
#include <sodium.h>

#include "selftests/common/ref.h"

#define PURPOSE_BYTES 9 /* "TAP3 tag" has 8, and so no place in an array with the others */
#define TAGS_MAX 4 /* computed for a group */

/* generichash(key, purpose || realm ID) */
static void derive(uint8_t out[REF_DERIVED_BYTES], const uint8_t key[32], const char *purpose,
		   const uint8_t realm_id[REF_ID_BYTES])
{
	uint8_t message[PURPOSE_BYTES + REF_ID_BYTES];
	unsigned int length = strlen(purpose);

	memcpy(message, purpose, length);
	memcpy(message + length, realm_id, REF_ID_BYTES);
	crypto_generichash(out, REF_DERIVED_BYTES, message, length + REF_ID_BYTES, key, 32);
}

void ref_derive_tag(uint8_t k_tag[REF_DERIVED_BYTES], const uint8_t user_key[REF_KEY_BYTES],
		    const uint8_t realm_key[REF_ID_BYTES])
{
	derive(k_tag, user_key, "TAP3 tag", realm_key);
}

void ref_derive_realm(uint8_t key[REF_DERIVED_BYTES], const char *purpose,
		      const uint8_t realm_key[REF_REALM_KEY_BYTES])
{
	derive(key, realm_key + REF_ID_BYTES, purpose, realm_key);
}

uint64_t ref_siphash(const uint8_t key[REF_DERIVED_BYTES], const void *message, unsigned int length)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t value = 0;
	int i;

	crypto_shorthash(out, message, length, key);
	for (i = 7; i >= 0; i--)
		value = value << 8 | out[i];
	return value;
}

static uint8_t *put(uint8_t *at, uint64_t value, int bytes)
{
	while (bytes--)
		*at++ = value >> (8 * bytes);
	return at;
}

/* T under a K_tag. */
static uint64_t tag_under(const uint8_t k_tag[REF_DERIVED_BYTES], const struct ref_group *group)
{
	uint8_t message[16 + 2 * REF_ADDRESS_BYTES], *at = message;

	at = put(at, group->isn, 4);
	at = put(at, group->sec, 4);
	at = put(at, group->key_id, 2);
	at = put(at, group->frac, 1);
	at = put(at, group->flags, 1);
	at = put(at, group->port, 2);
	at = put(at, 3, 1);
	at = put(at, group->veiled, 1);
	if (group->flags & REF_FLAG_DST) {
		memcpy(at, group->dst, REF_ADDRESS_BYTES);
		at += REF_ADDRESS_BYTES;
	}
	if (group->flags & REF_FLAG_SRC) {
		memcpy(at, group->src, REF_ADDRESS_BYTES);
		at += REF_ADDRESS_BYTES;
	}
	return ref_siphash(k_tag, message, at - message);
}

uint64_t ref_tag(const struct ref_group *group)
{
	uint8_t k_tag[REF_DERIVED_BYTES];

	ref_derive_tag(k_tag, group->user_key, group->realm_key);
	return tag_under(k_tag, group);
}

uint64_t ref_mask(const uint8_t k_veil[REF_DERIVED_BYTES], uint32_t isn, uint32_t field3)
{
	uint8_t message[8];

	put(put(message, isn, 4), field3, 4);
	return ref_siphash(k_veil, message, 8);
}

static void encode_veiled(const struct ref_group *group, struct ref_wire *wire)
{
	uint8_t k_veil[REF_DERIVED_BYTES];
	uint64_t mask;

	ref_derive_realm(k_veil, "TAP3 veil", group->realm_key);
	wire->seq[3] = (uint32_t)wire->tag;
	mask = ref_mask(k_veil, group->isn, wire->seq[3]);
	wire->seq[1] = (uint32_t)mask ^ ((uint32_t)group->key_id << 16 |
					 (uint32_t)(group->frac & 0xf) << 12 |
					 (wire->tag >> 32 & 0xfff));
	wire->seq[2] = (uint32_t)(mask >> 32) ^ ((group->sec & 0xffff) << 16 |
						 (uint32_t)(wire->tag >> 44 & 0xfff) << 4 |
						 (group->flags & 0xf));
}

static void encode_classic(const struct ref_group *group, struct ref_wire *wire)
{
	wire->seq[1] = 5u << 29 | (uint32_t)(group->flags & 0x1f) << 24 |
		       (uint32_t)group->frac << 16 | group->key_id;
	wire->seq[2] = 4u << 29 | (group->sec & 0x1fffffff);
	wire->seq[3] = 3u << 30 | ((uint32_t)wire->tag & 0x3fffffff);
}

void ref_encode_tag(const struct ref_group *group, uint64_t tag, struct ref_wire *wire)
{
	memset(wire, 0, sizeof(*wire));
	wire->tag = tag;
	wire->seq[0] = group->isn;
	if (group->veiled)
		encode_veiled(group, wire);
	else
		encode_classic(group, wire);
}

void ref_encode(const struct ref_group *group, struct ref_wire *wire)
{
	ref_encode_tag(group, ref_tag(group), wire);
}

bool ref_is_mark(const uint8_t k_mark[REF_DERIVED_BYTES], uint16_t m)
{
	uint8_t message[2];

	put(message, m, 2);
	return m >= 1024 && ref_siphash(k_mark, message, 2) % 64 == 0;
}

bool ref_address(const char *text, uint8_t address[REF_ADDRESS_BYTES])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (strchr(text, ':'))
		return inet_pton(AF_INET6, text, address) == 1;
	memcpy(address, mapped, 12);
	return inet_pton(AF_INET, text, address + 12) == 1;
}

void ref_dialled(uint8_t address[REF_ADDRESS_BYTES])
{
	static const uint8_t translator[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!memcmp(address, translator, 12))
		memcpy(address, mapped, 12);
}

/* --- The server --- */

void ref_permutation(unsigned int n, unsigned int role[4])
{
	static const unsigned int sent[4] = { 3, 0, 1, 2 };
	unsigned int a, b, c, d, count = 0;

	memcpy(role, sent, sizeof(sent));
	for (a = 0; a < 4 && n; a++)
		for (b = 0; b < 4; b++)
			for (c = 0; c < 4; c++) {
				d = 6 - a - b - c;
				if (a == b || a == c || b == c)
					continue;
				if (a == 3 && b == 0 && c == 1)
					continue; /* which came first */
				if (++count != n)
					continue;
				role[0] = a;
				role[1] = b;
				role[2] = c;
				role[3] = d;
				return;
			}
}

/* sign_extend_n((field - now) mod 2^n) */
static int32_t ahead_of(uint32_t field, uint32_t now, unsigned int n)
{
	int64_t distance = (field - now) & ((1ull << n) - 1);

	return distance < 1ll << (n - 1) ? distance : distance - (1ll << n);
}

static enum ref_result read_time(const struct ref_server *server, uint32_t field, unsigned int n,
				 struct ref_group *group)
{
	int32_t ahead = ahead_of(field, server->now, n);

	group->sec = server->now + ahead;
	if (ahead > (int32_t)server->skew || ahead < -(int32_t)server->skew)
		return REF_SKEW;
	return REF_UNKNOWN_KEY;
}

static enum ref_result read_classic(const struct ref_server *server, uint32_t field1,
				    uint32_t field2, uint32_t field3, struct ref_group *group)
{
	enum ref_result result;

	if (field1 >> 29 != 5 || field2 >> 29 != 4 || field3 >> 30 != 3)
		return REF_UNREADABLE;
	group->flags = field1 >> 24 & 0x1f;
	group->frac = field1 >> 16;
	group->key_id = field1;
	result = read_time(server, field2, 29, group);
	return group->flags & ~(REF_FLAG_DST | REF_FLAG_SRC) ? REF_VERSION : result;
}

static enum ref_result read_veiled(const struct ref_server *server, unsigned int realm,
				   uint32_t field1, uint32_t field2, uint32_t field3,
				   struct ref_group *group)
{
	uint8_t k_veil[REF_DERIVED_BYTES];
	uint64_t mask;
	enum ref_result result;

	ref_derive_realm(k_veil, "TAP3 veil", server->realm_key[realm]);
	mask = ref_mask(k_veil, group->isn, field3);
	field1 ^= (uint32_t)mask;
	field2 ^= (uint32_t)(mask >> 32);
	group->key_id = field1 >> 16;
	group->frac = field1 >> 12 & 0xf;
	group->flags = field2 & 0xf;
	result = read_time(server, field2 >> 16, 16, group);
	return group->flags & ~(REF_FLAG_DST | REF_FLAG_SRC) ? REF_UNREADABLE : result;
}

enum ref_result ref_read(const struct ref_server *server, unsigned int realm, const uint32_t seq[4],
			 const unsigned int role[4], struct ref_group *group)
{
	memset(group, 0, sizeof(*group));
	group->veiled = server->veiled;
	group->isn = seq[role[0]];
	group->port = server->port;
	memcpy(group->dst, server->dst, sizeof(group->dst));
	memcpy(group->src, server->src, sizeof(group->src));
	if (server->veiled)
		return read_veiled(server, realm, seq[role[1]], seq[role[2]], seq[role[3]], group);
	return read_classic(server, seq[role[1]], seq[role[2]], seq[role[3]], group);
}

static const struct ref_key *key_of(const struct ref_server *server, uint16_t id)
{
	unsigned int i;

	for (i = 0; i < server->n_keys && id; i++)
		if (server->keys[i].id == id)
			return &server->keys[i];
	return NULL;
}

/* The bits of T that the group carries are the right ones. */
static bool carries(const struct ref_group *group, const uint32_t wire[4], uint64_t tag)
{
	struct ref_wire right = { .tag = tag };

	if (!group->veiled) {
		encode_classic(group, &right);
		return right.seq[3] == wire[3];
	}
	return (uint32_t)tag == wire[3] && (tag >> 32 & 0xfff) == wire[1] &&
	       (tag >> 44 & 0xfff) == wire[2];
}

/* The parts of the tag in fields 1 to 3, as carries() takes them. */
static void tag_parts(const struct ref_server *server, unsigned int realm, const uint32_t seq[4],
		      const unsigned int role[4], uint32_t part[4])
{
	uint8_t k_veil[REF_DERIVED_BYTES];
	uint64_t mask = 0;

	if (server->veiled) {
		ref_derive_realm(k_veil, "TAP3 veil", server->realm_key[realm]);
		mask = ref_mask(k_veil, seq[role[0]], seq[role[3]]);
	}
	part[0] = seq[role[0]];
	part[1] = (seq[role[1]] ^ mask) & 0xfff;
	part[2] = (seq[role[2]] ^ mask >> 32) >> 4 & 0xfff;
	part[3] = seq[role[3]];
}

/* A reading that fits: its key, and its tag. False: the limit cut it off. */
static bool judge_key(const struct ref_server *server, const struct ref_group *group,
		      const uint32_t part[4], struct ref_outcome *outcome, enum ref_result *result)
{
	const struct ref_key *key = key_of(server, group->key_id);
	uint8_t k_tag[REF_DERIVED_BYTES];
	unsigned int i;

	*result = !key ? REF_UNKNOWN_KEY :
		  key->inactive ? REF_KEY_INACTIVE :
		  key->barred ? REF_KEY_BARRED :
				REF_WRONG_TAG;
	for (i = 0; *result == REF_WRONG_TAG && i < key->n_secrets; i++) {
		if (outcome->tags == TAGS_MAX)
			return false;
		outcome->tags++;
		ref_derive_tag(k_tag, key->user_key[i], server->realm_key[0]);
		if (carries(group, part, tag_under(k_tag, group)))
			*result = REF_AUTHENTIC;
	}
	return true;
}

static void note(struct ref_outcome *outcome, const struct ref_group *group, enum ref_result result,
		 int syn0, unsigned int realm)
{
	if (result <= outcome->result)
		return;
	outcome->result = result;
	outcome->group = *group;
	outcome->syn0 = syn0;
	outcome->realm = realm;
}

/* Of a veiled group that no reading fits: whether one has the ID of a key that exists. */
static void look_for_skew(const struct ref_server *server, const uint32_t seq[4],
			  struct ref_outcome *outcome)
{
	unsigned int n, realm, role[4];
	struct ref_group group;

	for (n = 0; n < REF_PERMUTATIONS; n++)
		for (realm = 0; realm < server->n_realms; realm++) {
			ref_permutation(n, role);
			if (ref_read(server, realm, seq, role, &group) != REF_UNREADABLE &&
			    key_of(server, group.key_id))
				note(outcome, &group, REF_SKEW, role[0], realm);
		}
}

void ref_decode(const struct ref_server *server, const uint32_t seq[4], struct ref_outcome *outcome)
{
	unsigned int n, realm, role[4], realms = server->veiled ? server->n_realms : 1;
	enum ref_result result;
	struct ref_group group;
	uint32_t part[4];

	memset(outcome, 0, sizeof(*outcome));
	outcome->syn0 = -1;
	for (n = 0; n < REF_PERMUTATIONS; n++)
		for (realm = 0; realm < realms; realm++) {
			ref_permutation(n, role);
			result = ref_read(server, realm, seq, role, &group);
			if (result == REF_UNREADABLE || (server->veiled && result == REF_SKEW))
				continue;
			tag_parts(server, realm, seq, role, part);
			if (result == REF_UNKNOWN_KEY &&
			    !judge_key(server, &group, part, outcome, &result)) {
				outcome->limited = true;
				return;
			}
			note(outcome, &group, result, role[0], realm);
			if (result == REF_AUTHENTIC)
				return;
		}
	if (server->veiled && outcome->result == REF_UNREADABLE)
		look_for_skew(server, seq, outcome);
}

/* --- */

uint64_t ref_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}
