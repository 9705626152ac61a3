// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fields written into sequence numbers and found again, in both encodings, around every clock, in any
 * order of arrival and under either of two secrets; four sequence numbers at random or nearly right,
 * against a plain decoder; and the arithmetic without branches against arithmetic with them.
 */
#include "bpf/candidates.h"
#include "bpf/encoding.h"
#include "selftests/common/ref.h"
#include "selftests/fuzz/fuzz.h"

#define PERMUTATIONS 24

/* What a realm is here: an ID and two secrets. */
struct realm {
	uint8_t key[2][REF_REALM_KEY_BYTES];
	struct tap_sipkey veil[2];
};

static void sipkey(struct tap_sipkey *key, const uint8_t bytes[REF_DERIVED_BYTES])
{
	memcpy(key, bytes, sizeof(*key)); /* little-endian, as this machine is */
}

static void make_realm(struct input *input, struct realm *realm)
{
	uint8_t k_veil[REF_DERIVED_BYTES];
	int i;

	memset(realm, 0, sizeof(*realm));
	for (i = 0; i < 2; i++) {
		realm->key[i][REF_ID_BYTES] = i;
		realm->key[i][REF_ID_BYTES + 1] = take8(input);
		ref_derive_realm(k_veil, "TAP3 veil", realm->key[i]);
		sipkey(&realm->veil[i], k_veil);
	}
}

/* Addresses, some of them in the prefixes that count. */
static void make_address(struct input *input, uint8_t address[16])
{
	static const uint8_t translator[12] = { 0, 0x64, 0xff, 0x9b };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t kind = take8(input);

	take(input, address, 16);
	if (kind & 1)
		memcpy(address, kind & 2 ? translator : mapped, 12);
	if (kind & 4)
		address[kind >> 4] ^= 1;
}

/* A group, and the same as the programs have it. dialled: what the client's kernel has for dst. */
static void make_group(struct input *input, struct ref_group *g, struct tap_fields *f,
		       struct tap_endpoints *ends, struct tap_sipkey *k_tag)
{
	uint8_t dialled[16], derived[REF_DERIVED_BYTES];
	__u64 words[2];

	g->veiled = take8(input) & 1;
	g->key_id = take16(input);
	g->isn = take32(input);
	g->sec = take32(input);
	g->frac = take8(input) & (g->veiled ? 15 : 255);
	g->flags = take8(input) & (g->veiled ? 15 : 31);
	g->port = take16(input);
	g->user_key[0] = take8(input);
	make_address(input, dialled);
	make_address(input, g->src);
	memcpy(g->dst, dialled, sizeof(g->dst));
	ref_dialled(g->dst);
	*f = (struct tap_fields){ .isn = g->isn, .sec = g->sec, .key_id = g->key_id,
				  .port = g->port, .frac = g->frac, .flags = g->flags,
				  .encoding = g->veiled };
	memcpy(words, dialled, sizeof(words));
	tap_dialled_address(words, ends->dst);
	memcpy(ends->src, g->src, sizeof(ends->src));
	ref_derive_tag(derived, g->user_key, g->realm_key);
	sipkey(k_tag, derived);
}

/* Seconds between two times in 64 bits, so without the arithmetic that is under test. */
static int64_t apart(uint32_t now, uint32_t sec)
{
	int64_t ahead = (int64_t)sec - now;

	if (ahead > INT32_MAX)
		ahead -= 1LL << 32;
	return ahead < INT32_MIN ? ahead + (1LL << 32) : ahead;
}

/* Of all times with these low bits the nearest; of two that are as near, the earlier. */
static uint32_t nearest(uint32_t now, uint32_t low, unsigned int bits)
{
	int64_t step = 1LL << bits, ahead = ((int64_t)low - now) % step;

	if (ahead < 0)
		ahead += step;
	return now + (2 * ahead < step ? ahead : ahead - step);
}

/* --- The search for readings, as the gate goes about it, less keys --- */

struct search {
	struct tap_candidates c;
	uint32_t now, skew;
	unsigned int n_secrets;
	bool found[PERMUTATIONS][2];
};

static void find_part(struct search *s, const struct realm *realm, bool others)
{
	uint32_t i, permutation, secret;

	for (i = 0; i < s->n_secrets; i++) {
		if (!(s->c.secrets >> i & 1))
			continue;
		if (others)
			candidates_unveil_others(&s->c, &realm->veil[i], i, s->now, s->skew);
		else
			candidates_unveil_first(&s->c, &realm->veil[i], i, s->now, s->skew);
	}
	while (candidates_take(&s->c.fit, &permutation, &secret)) {
		MUST((permutation >= 2) == others, "%u", permutation);
		MUST(s->c.secrets >> secret & 1, "secret %u", secret);
		MUST(!s->found[permutation][secret], "permutation %u twice", permutation);
		s->found[permutation][secret] = true;
	}
	MUST(!s->c.fit, "a set that is not empty");
}

static void find_all(struct search *s, const struct realm *realm)
{
	s->c.fit = 0;
	find_part(s, realm, false);
	find_part(s, realm, true);
}

/* Which of them is taken for SYN0 to SYN3. */
static void roles_of(uint32_t permutation, unsigned int role[4])
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		role[i] = tap_permutations[permutation][i];
}

static void read_one(const struct search *s, uint32_t permutation, uint32_t secret,
		     struct tap_fields *f)
{
	uint32_t seq[4];

	candidates_deal(&s->c, permutation, seq);
	tap_read_veiled(f, candidates_mask(&s->c, permutation, secret), seq, s->now);
	MUST(candidates_key_id(&s->c, permutation, secret) == f->key_id, "another key ID");
	MUST(candidates_sport(&s->c, permutation) == seq[0] % 7, "another port");
}

static void must_be(const struct tap_fields *f, const struct ref_group *g)
{
	MUST(f->isn == g->isn && f->sec == g->sec && f->key_id == g->key_id && f->frac == g->frac &&
		     f->flags == g->flags && f->encoding == g->veiled,
	     "ISN %x, not %x; time %u, not %u; key %u, not %u", f->isn, g->isn, f->sec, g->sec,
	     f->key_id, g->key_id);
}

/*
 * Each reading, against the reference. The first permutation is the order of sending; the others are
 * in an order of the programs' own.
 */
static void check_readings(const struct search *s, const struct realm *realm)
{
	struct ref_server server = { .veiled = true, .now = s->now, .skew = s->skew };
	unsigned int permutation, secret, role[4], i;
	struct ref_group group;
	struct tap_fields f;
	uint32_t seq[4];

	memcpy(server.realm_key, realm->key, sizeof(server.realm_key));
	for (i = 0; i < 4; i++)
		seq[i] = s->c.segment[i].seq;
	for (permutation = 0; permutation < PERMUTATIONS; permutation++)
		for (secret = 0; secret < s->n_secrets; secret++) {
			bool fits;

			roles_of(permutation, role);
			fits = ref_read(&server, secret, seq, role, &group) == REF_UNKNOWN_KEY &&
			       s->c.secrets >> secret & 1;
			MUST(s->found[permutation][secret] == fits, "permutation %u, secret %u",
			     permutation, secret);
			if (!(s->c.secrets >> secret & 1))
				continue;
			read_one(s, permutation, secret, &f);
			MUST((candidates_clear(&s->c, secret) >> (2 * permutation + secret) & 1) ==
				     !(f.flags & ~TAP_FLAGS_KNOWN),
			     "flags %x", f.flags);
			if (fits)
				must_be(&f, &group);
		}
}

static void set_segments(struct search *s, const uint32_t seq[4])
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		s->c.segment[i] = (struct tap_segment){ .seq = seq[i], .sport = seq[i] % 7 };
}

/* --- Encoded, and decoded --- */

/* A clock that is just right, just wrong, or anything. */
static uint32_t clock_near(struct input *input, uint32_t sec, uint32_t skew)
{
	uint8_t kind = take8(input);
	uint32_t any = take32(input);

	if (kind & 3)
		return sec + (kind & 4 ? 1 : -1) * (int32_t)skew + (int32_t)(kind >> 3 & 3) - 1;
	return sec + any;
}

/* seq: in order of arrival; at: where each role stands. */
static void check_veiled(const struct ref_group *g, const struct realm *realm, struct search *s,
			 unsigned int maker, const unsigned int at[4], uint64_t tag)
{
	int64_t ahead = apart(s->now, g->sec);
	bool fits = !(g->flags & 12), seen = false;
	unsigned int permutation, role[4];
	struct tap_fields f;

	find_all(s, realm);
	check_readings(s, realm);
	if (ahead < -(1 << 15) || ahead >= 1 << 15) /* read as another time, maybe now */
		return;
	fits = fits && ahead <= s->skew && -ahead <= s->skew && s->c.secrets >> maker & 1;
	for (permutation = 0; permutation < PERMUTATIONS; permutation++) {
		roles_of(permutation, role);
		if (memcmp(role, at, sizeof(role)))
			continue;
		MUST(s->found[permutation][maker] == fits, "%d", fits);
		if (!fits)
			return;
		seen = true;
		read_one(s, permutation, maker, &f);
		must_be(&f, g);
		MUST(tap_tag_matches(&f, tag), "own tag");
	}
	MUST(seen, "no such permutation");
}

static void check_classic(struct input *input, const struct ref_group *g, const uint32_t seq[4],
			  uint32_t now, uint32_t skew, uint64_t tag)
{
	struct tap_fields f = {};
	enum tap_reading reading = tap_read_classic(&f, seq, now, skew);
	struct ref_group want = *g;
	int64_t ahead;

	want.sec = nearest(now, g->sec, 29);
	ahead = apart(now, want.sec);
	MUST(reading == (ahead <= skew && -ahead <= skew ? TAP_READABLE : TAP_READABLE_SKEWED),
	     "%d at %d seconds", reading, (int)ahead);
	must_be(&f, &want);
	MUST(tap_tag_matches(&f, tag), "own tag");
	f.tag ^= 1u << take_below(input, 30);
	MUST(!tap_tag_matches(&f, tag), "one bit");
}

/* Writes the tag's message in another way: what of it, changed, leaves the tag as it is? */
static void check_tag(struct input *input, const struct ref_group *g, const struct tap_fields *f,
		      const struct tap_endpoints *ends, const struct tap_sipkey *k_tag)
{
	struct tap_fields other = *f;
	struct tap_endpoints others = *ends;
	uint8_t what = take8(input);
	uint32_t bit = take32(input);
	bool same = false;

	MUST(tap_tag(k_tag, f, ends) == ref_tag(g), "another tag");
	switch (what % 9) {
	case 0: other.isn ^= 1u << bit % 32; break;
	case 1: other.sec ^= 1u << bit % 32; break;
	case 2: other.key_id ^= 1u << bit % 16; break;
	case 3: other.frac ^= 1u << bit % 8; break;
	case 4: other.flags ^= 1u << bit % 8; break;
	case 5: other.port ^= 1u << bit % 16; break;
	case 6: other.encoding ^= 1; break;
	case 7:
		others.dst[bit >> 6 & 1] ^= 1ULL << bit % 64;
		same = !(f->flags & 1);
		break;
	default:
		others.src[bit >> 6 & 1] ^= 1ULL << bit % 64;
		same = !(f->flags & 2);
	}
	MUST((tap_tag(k_tag, &other, &others) == tap_tag(k_tag, f, ends)) == same,
	     "change %u, flags %x", what % 9, f->flags);
}

static void round_trip(struct input *input)
{
	struct search s = { .skew = take16(input) % (TAP_SKEW_MAX + 1) };
	uint8_t order = take8(input), bits = take8(input);
	unsigned int maker = bits & 1, at[4], i;
	uint32_t seq[4], arrived[4];
	struct tap_endpoints ends;
	struct tap_sipkey k_tag;
	struct ref_group g = {};
	struct ref_wire wire;
	struct tap_fields f;
	struct realm realm;

	make_realm(input, &realm);
	memcpy(g.realm_key, realm.key[maker], sizeof(g.realm_key));
	make_group(input, &g, &f, &ends, &k_tag);
	check_tag(input, &g, &f, &ends, &k_tag);
	f.tag = tap_tag(&k_tag, &f, &ends);
	tap_encode(&f, &realm.veil[maker], seq + 1);
	ref_encode(&g, &wire);
	seq[0] = g.isn;
	MUST(!memcmp(seq, wire.seq, sizeof(seq)), "written in another way");
	s.now = clock_near(input, g.sec, s.skew);
	if (!g.veiled) {
		check_classic(input, &g, seq, s.now, s.skew, f.tag);
		return;
	}
	ref_permutation(order % PERMUTATIONS, at);
	for (i = 0; i < 4; i++)
		arrived[at[i]] = seq[i];
	set_segments(&s, arrived);
	s.n_secrets = 1 + (bits >> 1 & 1);
	s.c.secrets = bits >> 2 & 3;
	if (s.n_secrets == 1)
		s.c.secrets &= 1;
	check_veiled(&g, &realm, &s, maker, at, f.tag);
	f.tag ^= 1ULL << take_below(input, 56);
	MUST(!tap_tag_matches(&f, ref_tag(&g)), "one bit");
}

/* --- Any four --- */

/* Some of them changed so that one more reading fits. */
static void make_fit(struct input *input, const struct realm *realm, uint32_t seq[4], uint32_t now)
{
	uint8_t kind = take8(input);
	unsigned int role[4];
	uint64_t mask;

	ref_permutation(take8(input) % PERMUTATIONS, role);
	mask = tap_veil_mask(&realm->veil[kind & 1], seq[role[0]], seq[role[3]]);
	seq[role[2]] = (uint32_t)(mask >> 32) ^
		       ((now + (int8_t)take8(input)) << 16 | take16(input) % 0xfff3);
}

static void noise_veiled(struct input *input)
{
	uint8_t bits = take8(input), fits = take8(input) % 4;
	struct search s = { .now = take32(input), .n_secrets = 1 + (bits & 1) };
	uint32_t seq[4] = { take32(input), take32(input), take32(input), take32(input) };
	struct realm realm;

	s.skew = take16(input) % (TAP_SKEW_MAX + 1);
	s.c.secrets = bits >> 1 & (bits & 1 ? 3 : 1);
	make_realm(input, &realm);
	while (fits--)
		make_fit(input, &realm, seq, s.now);
	set_segments(&s, seq);
	find_all(&s, &realm);
	check_readings(&s, &realm);
}

/* Whatever is read is what the reference reads, and writes itself again. */
static void noise_classic(struct input *input)
{
	static const struct tap_sipkey no_veil;
	struct ref_server server = { .now = take32(input) };
	uint32_t seq[4] = { take32(input), take32(input), take32(input), take32(input) }, again[3];
	unsigned int role[4] = { 0, 1, 2, 3 };
	struct tap_fields f = {};
	enum tap_reading reading;
	enum ref_result want;
	struct ref_group g;

	server.skew = take16(input) % (TAP_SKEW_MAX + 1);
	if (take8(input) & 1) { /* the right type bits */
		seq[1] = seq[1] >> 3 | 5u << 29;
		seq[2] = seq[2] >> 3 | 4u << 29;
		seq[3] |= 3u << 30;
	}
	reading = tap_read_classic(&f, seq, server.now, server.skew);
	want = ref_read(&server, 0, seq, role, &g);
	MUST((reading == TAP_NO_READING) == (want == REF_UNREADABLE), "%d", reading);
	if (reading == TAP_NO_READING)
		return;
	must_be(&f, &g);
	if (want != REF_VERSION)
		MUST((reading == TAP_READABLE) == (want == REF_UNKNOWN_KEY), "%d", reading);
	tap_encode(&f, &no_veil, again);
	MUST(!memcmp(again, seq + 1, sizeof(again)), "not what was read");
}

/* --- Arithmetic --- */

static bool fits_with_branches(uint32_t field2, uint32_t now, uint32_t skew)
{
	int64_t ahead = apart(now, nearest(now, field2 >> 16, 16));

	if (field2 & 0xc)
		return false;
	return ahead <= skew && -ahead <= skew;
}

static void arithmetic(struct input *input)
{
	uint32_t now = take32(input), field2 = take32(input), low = take32(input);
	uint32_t skew = take16(input) % (TAP_SKEW_MAX + 1);
	uint8_t kind = take8(input);
	struct tap_fields f = { .encoding = kind & 1, .frac = take8(input) };

	if (kind & 2) /* at the edge */
		field2 = (now + (kind & 4 ? 1 : -1) * (int32_t)skew + (kind >> 3 & 3) - 1) << 16 |
			 (field2 & 0xffff);
	MUST(tap_veiled_fits(field2, now, skew) == fits_with_branches(field2, now, skew), "skew %u",
	     skew);
	MUST(tap_nearest_sec(now, low, 16) == nearest(now, low & 0xffff, 16), "16 bits");
	MUST(tap_nearest_sec(now, low, 29) == nearest(now, low & 0x1fffffff, 29), "29 bits");
	if (kind & 1)
		f.frac &= 15;
	MUST(tap_frac_256(&f) == (kind & 1 ? 16u * f.frac : f.frac), "fraction");
	MUST(tap_within_skew(now, low, skew) == (apart(now, low) <= skew && -apart(now, low) <= skew),
	     "skew");
}

/* The gate's order of the search: the first is the order of sending, and all are there. */
static void check_permutations(void)
{
	unsigned int n, i, role[4], seen = 0;

	ref_permutation(0, role);
	for (i = 0; i < 4; i++)
		MUST(role[i] == tap_permutations[0][i], "not the order of sending");
	for (n = 0; n < PERMUTATIONS; n++) {
		for (i = 0; i < PERMUTATIONS; i++) {
			ref_permutation(i, role);
			if (role[0] == tap_permutations[n][0] && role[1] == tap_permutations[n][1] &&
			    role[2] == tap_permutations[n][2] && role[3] == tap_permutations[n][3])
				seen |= 1u << i;
		}
		MUST(tap_permutations[n & ~1][0] == tap_permutations[n][0] &&
			     tap_permutations[n & ~1][3] == tap_permutations[n][3],
		     "permutation %u is of another pair", n);
	}
	MUST(seen == (1u << PERMUTATIONS) - 1, "%x", seen);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	check_permutations();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	switch (take8(&input) % 8) {
	case 0:
		arithmetic(&input);
		break;
	case 1:
		noise_classic(&input);
		break;
	case 2:
	case 3:
		noise_veiled(&input);
		break;
	default:
		round_trip(&input);
	}
	return 0;
}
