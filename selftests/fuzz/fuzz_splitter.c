// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole splitter on the host. A SYN that a rule matches becomes four, which differ from it
 * where they should and nowhere else, with right checksums, the payload in one of them only; the
 * gate on the host then takes the four for what they are and gives the SYN back. Anything else
 * leaves as it came, however it is broken, and however little of it is in one piece.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "selftests/fuzz/host_gate.h"
#include "selftests/fuzz/host_splitter.h"
#include "selftests/fuzz/scenario.h"
#include "user/ruleset.h"

#define FIRST_PORT 32768
#define LAST_PORT 60999
#define RULE_PORT 443
#define TEST_UID 1000

/* What left: SYN1, SYN2, SYN3, and at last SYN0. */
struct left {
	uint8_t bytes[PACKET_BYTES];
	unsigned int length;
};

static struct left left[8];
static unsigned int n_left;
static bool l3;
static uint8_t used_ports; /* bits: ports with such low bits are in use */

static bool port_used(const struct bpf_sock_tuple *tuple, uint32_t size)
{
	uint16_t port = ntohs(size == sizeof(tuple->ipv4) ? tuple->ipv4.dport : tuple->ipv6.dport);

	return used_ports >> (port >> 1 & 7) & 1;
}

static void keep(const struct host_skb *skb)
{
	MUST(n_left < 8 && skb->ctx.len <= PACKET_BYTES, "%u", n_left);
	memcpy(left[n_left].bytes, skb->bytes, skb->ctx.len);
	left[n_left++].length = skb->ctx.len;
}

static void leave(struct host_skb *skb)
{
	MUST(host_splitter_run(skb, l3) == -1, "not on to the next program");
	keep(skb);
}

static void set_peer(struct input *input, uint8_t bits)
{
	const struct scenario *s = scenario_make();
	struct tap_peer *peer = host_splitter_peer(3);
	unsigned int i;

	memset(peer, 0, sizeof(*peer));
	peer->tag = s->keys[0].secret[0];
	peer->veil = s->constants[0].veil[0];
	peer->key_id = bits & 1 ? 1 : take8(input) & 7;
	peer->encoding = bits & 2 ? TAP_ENCODING_CLASSIC : TAP_ENCODING_VEILED;
	peer->bind = take8(input) & TAP_FLAGS_KNOWN;
	peer->mark_mode = bits & 4 ? TAP_MARK_OPEN : TAP_MARK_SEALED;
	peer->ports_mode = bits & 8 ? TAP_PORTS_SHARED : TAP_PORTS_DISTINCT;
	peer->n_marks = bits & 16 ? s->n_marks[0] : bits & 32 ? take_below(input, 3) : 2;
	for (i = 0; i < s->n_marks[0] && i < peer->n_marks; i++)
		peer->marks[i] = s->marks[0][i];
}

/* Local ports; some ranges are too small for three, or nonsense. */
static void set_range(uint8_t kind)
{
	struct tap_client *client = host_splitter_client();

	client->port_lo = kind ? FIRST_PORT + kind % 16 : FIRST_PORT;
	client->port_hi = kind ? FIRST_PORT + kind / 16 : LAST_PORT;
}

static void build(struct input *input, struct packet *packet)
{
	static const uint8_t translator[12] = { 0, 0x64, 0xff, 0x9b };
	uint8_t bits = take8(input);

	packet_syn(packet, bits & 1, take16(input), RULE_PORT, take32(input));
	packet->no_ethernet = l3;
	packet->vlan[0] = bits & 2 ? 9 : 0;
	packet->partial_checksum = bits & 4;
	packet->payload = bits & 8 ? "early data of an odd number" : NULL;
	packet->window = bits & 64 ? take16(input) : host_splitter_peer(3)->marks[0];
	packet->flags = SYN | (take8(input) & ~ACK);
	packet->tos = take8(input);
	if (bits & 16)
		packet_set_timestamp(packet, take32(input), take32(input));
	if (bits & 32) {
		packet->timestamp_at = 0;
		packet->tcp_options_length = 4 * take_below(input, 11);
		take(input, packet->tcp_options, packet->tcp_options_length);
	}
	if (bits & 64) {
		take(input, packet->src, sizeof(packet->src));
		take(input, packet->dst, sizeof(packet->dst));
	}
	if (bits & 128 && packet->ipv6) {
		uint8_t what = take8(input);

		if (what & 8) /* an IPv4 address behind a translator, or nearly */
			memcpy(packet->dst, translator, what & 16 ? 11 : 12);
		packet_extend(packet, 60, 8 * (1 + what % 8));
	}
}

/* Where the option is in the options; 0: nowhere; -1: they are broken. */
static int timestamp_of(const struct packet *p)
{
	const uint8_t *options = p->tcp_options;
	unsigned int at = 0;

	while (at < p->tcp_options_length && options[at]) {
		if (options[at] == 1) {
			at++;
			continue;
		}
		if (at + 2 > p->tcp_options_length || options[at + 1] < 2 ||
		    at + options[at + 1] > p->tcp_options_length)
			return -1;
		if (options[at] == 8 && options[at + 1] == 10)
			return at + 2;
		at += options[at + 1];
	}
	return 0;
}

/* Whether there may be a signature: then the SYN cannot be changed. */
static bool signed_perhaps(const struct packet *p)
{
	return memchr(p->tcp_options, 19, p->tcp_options_length) ||
	       memchr(p->tcp_options, 29, p->tcp_options_length);
}

static unsigned int get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

/* Each is the SYN with its own port, sequence number, mark, and nothing else changed. */
static void check_four(const struct packet *syn, const struct tap_peer *peer, unsigned int tcp)
{
	unsigned int i, j, mark = get16(left[3].bytes + tcp + 14), own = 0;
	struct packet want[4];
	struct ref_group group = { .key_id = peer->key_id, .isn = syn->seq, .port = RULE_PORT,
				   .veiled = peer->encoding == TAP_ENCODING_VEILED,
				   .sec = host_clock_ns / 1000000000 };

	group.frac = host_clock_ns % 1000000000 * (group.veiled ? 16 : 256) / 1000000000;
	memcpy(group.realm_key, scenario_make()->realm_key[0], sizeof(group.realm_key));
	memset(group.user_key, 1, sizeof(group.user_key));
	packet_bind(syn, &group, peer->bind);
	packet_split(syn, &group, mark, NULL, want);
	MUST(peer->n_marks < 2 || (mark != syn->window && mark >= TAP_MARK_MIN), "mark %u", mark);
	for (i = 0; i < 4; i++) {
		const struct left *l = &left[i];
		uint8_t bytes[PACKET_BYTES];
		unsigned int length, sport, role = i == 3 ? 0 : i + 1;

		sport = get16(l->bytes + tcp);
		own += role && sport == syn->sport;
		if (role && sport != syn->sport) {
			MUST(sport >= FIRST_PORT && sport <= LAST_PORT, "port %u", sport);
			MUST(!(used_ports >> (sport >> 1 & 7) & 1), "port %u is in use", sport);
			for (j = 0; j < i; j++)
				MUST(get16(left[j].bytes + tcp) != sport, "port %u twice", sport);
			want[role].sport = sport;
		}
		MUST(role || sport == syn->sport, "SYN0 from port %u", sport);
		length = packet_build(&want[role], bytes);
		MUST(l->length == length, "SYN%u has %u bytes, not %u", role, l->length, length);
		for (j = 0; j < length; j++)
			MUST(l->bytes[j] == bytes[j], "byte %u of SYN%u, TCP at %u: %02x, not %02x",
			     j, role, tcp, l->bytes[j], bytes[j]);
	}
	MUST(own == (peer->ports_mode ? 3 : host_splitter_stats()->port_reused), "%u", own);
}

/*
 * Once in 65,536 a checksum that is left to the device is the right one already, or a finished one
 * looks as if it were left. Where a payload or the device hides which it is the gate cannot tell,
 * and may pass the segment on with a wrong checksum: the client has to send once more.
 */
static bool ambiguous(const struct packet *syn, const struct left *l, unsigned int tcp)
{
	unsigned int address = syn->ipv6 ? 16 : 4;
	uint32_t sum = 6 + l->length - tcp;

	sum = inet_add(sum, syn->src, address);
	sum = inet_add(sum, syn->dst, address);
	return (syn->partial_checksum || syn->payload) &&
	       get16(l->bytes + tcp + 16) == inet_fold(sum) &&
	       inet_fold(inet_add(sum, l->bytes + tcp, l->length - tcp)) == 0xffff;
}

/*
 * An ISN that is the same as one of its group's fields: nobody can tell which of the two is SYN0, and
 * from the same port they are even the same segment.
 */
static bool look_alike(unsigned int tcp)
{
	unsigned int i, j;

	for (i = 0; i < 4; i++)
		for (j = 0; j < i; j++)
			if (!memcmp(left[i].bytes + tcp + 4, left[j].bytes + tcp + 4, 4))
				return true;
	return false;
}

/* The other end, with a service that takes this encoding. */
static void check_gate(const struct packet *syn, const struct tap_peer *peer, unsigned int tcp,
		       bool broken_options)
{
	static struct tap_gate_constants constants;
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct host_output out;
	struct packet admitted;
	uint8_t want[PACKET_BYTES];
	unsigned int i, length;

	host_gate_forget(NULL, NULL);
	constants = scenario_make()->constants[0];
	constants.encoding = peer->encoding;
	host_gate_constants(&constants);
	for (i = 0; i < 4; i++)
		host_gate_run(left[i].bytes, left[i].length, l3, 1, &out);
	if (look_alike(tcp)) /* the client has to send once more, at another time */
		return;
	if (broken_options || (syn->ipv6 && !memcmp(syn->dst, mapped, sizeof(mapped)))) {
		MUST(host_gate_stats()->malformed == 4, "broken options, or IPv4 in IPv6");
		return;
	}
	MUST(host_gate_stats()->admitted == 1 && out.verdict == XDP_PASS, "not admitted");
	if (ambiguous(syn, &left[3], tcp))
		return;
	packet_admitted(syn, &admitted);
	length = packet_build(&admitted, want);
	MUST(out.length == length && !memcmp(out.bytes, want, length), "not the SYN");
}

static void check_syn(struct input *input, const struct packet *built, unsigned int faults)
{
	static uint8_t bytes[PACKET_BYTES];
	const struct tap_peer *peer = host_splitter_peer(3);
	const struct tap_client_stats *stats = host_splitter_stats();
	struct packet syn = *built;
	unsigned int length = packet_build(&syn, bytes), tcp;
	struct host_skb *skb = host_skb(0, bytes, length, take8(input) % (length + 1));
	uint8_t bits = take8(input);
	int timestamp = timestamp_of(&syn);
	bool mine = !(bits & 1), forwarded = bits & 2;

	syn.timestamp_at = timestamp > 0 ? timestamp : 0;
	skb->partial = syn.partial_checksum;
	skb->uid = mine ? TEST_UID : TEST_UID + 1;
	skb->ctx.ifindex = 7;
	skb->ctx.ingress_ifindex = forwarded ? 6 : 0;
	host_fail_in = faults;
	leave(skb);
	host_fail_in = 0;
	if (faults) /* SYN0 has left whatever happened, that is all */
		return;
	tcp = length - (20 + syn.tcp_options_length + (syn.payload ? strlen(syn.payload) : 0));
	if (skb->ctx.len == length && n_left == 1) {
		MUST(!memcmp(left[0].bytes, bytes, length), "changed");
		if (!stats->passed && !stats->failed) /* too little of it in one piece to be read */
			return;
		MUST(!stats->split && stats->passed + stats->failed == 1, "counters");
		MUST(!mine || forwarded ? stats->passed :
					  !peer->key_id || signed_perhaps(&syn),
		     "a SYN to split");
		return;
	}
	MUST(n_left == 4 && stats->split == 1 && !stats->failed && !stats->passed, "%u left",
	     n_left);
	MUST(stats->own == 3, "%u seen again", (unsigned int)stats->own);
	MUST(mine && !forwarded && peer->key_id, "a SYN to leave alone");
	check_four(&syn, peer, tcp);
	if (peer->key_id == 1 && peer->mark_mode == TAP_MARK_SEALED && peer->n_marks)
		check_gate(&syn, peer, tcp, timestamp < 0);
	/* The same once more, as from a device below: all four are left alone. */
	for (tcp = 0; tcp < 4; tcp++) {
		skb = host_skb(0, left[tcp].bytes, left[tcp].length, left[tcp].length);
		skb->ctx.ifindex = 8;
		MUST(host_splitter_run(skb, l3) == -1 && skb->ctx.len == left[tcp].length, "again");
	}
	MUST(stats->split == 1 && stats->own == 7, "split again");
}

/* Any bytes; so much of them in one piece. */
static void raw(struct input *input)
{
	unsigned int linear = take16(input), length = input->left, i;
	static uint8_t bytes[PACKET_BYTES];
	struct host_skb *skb;

	if (length > sizeof(bytes))
		length = sizeof(bytes);
	take(input, bytes, length);
	skb = host_skb(0, bytes, length, linear > length ? length : linear);
	skb->ctx.ifindex = 7;
	skb->uid = TEST_UID;
	leave(skb);
	for (i = 0; n_left == 1 && i < length; i++)
		MUST(left[0].bytes[i] == bytes[i], "byte %u", i);
	MUST(n_left == 1 || host_splitter_stats()->split + host_splitter_stats()->failed, "%u",
	     n_left);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct tap_ruleset rules;
	const struct scenario *s = scenario_make();

	host_gate_start();
	host_gate_services((struct tap_ruleset *)&s->rules);
	host_gate_set_key(1, &s->keys[0]);
	host_splitter_start();
	rules.n_rules = 1;
	rules.rules[0] = (struct tap_rule){
		.ports = { { RULE_PORT, RULE_PORT } }, .n_ports = 1,
		.client = { .uid = TEST_UID, .peer = 3, .origin = TAP_ORIGIN_LOCAL },
	};
	MUST(!ruleset_compile(&rules, RULESET_CLIENT), "compile");
	host_splitter_rules(&rules);
	host_send_clone = leave;
	host_has_socket = port_used;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint8_t first = take8(&input), bits = take8(&input);
	struct packet packet;

	host_splitter_forget();
	n_left = 0;
	host_seed = take16(&input);
	host_clock_ns = (SCENARIO_NOW + take8(&input)) * 1000000000ULL;
	host_clock_ns += take32(&input) % 1000000000;
	l3 = first & 1;
	used_ports = take8(&input);
	set_peer(&input, bits);
	set_range(bits & 64 ? take8(&input) : 0);
	if (first & 2) {
		raw(&input);
		return 0;
	}
	build(&input, &packet);
	check_syn(&input, &packet, first & 4 ? take8(&input) : 0);
	return 0;
}
