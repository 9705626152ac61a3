// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate in the kernel (BPF_PROG_TEST_RUN) beside the gate on the host, with the same constants,
 * rules, keys and clock: of every frame the same verdict, the same reason and the same bytes, and
 * after each stream the same records and log. Needs root.
 */
#include <errno.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "selftests/fuzz/host_gate.h"
#include "selftests/fuzz/scenario.h"
#include "gate.skel.h"

#define NS 1000000000ULL
#define TENTH (NS / 10)
#define EPOCH_SHIFT 30
#define CPUS_MAX 256

static struct gate_bpf *gates[SCENARIO_VARIANTS];

struct context {
	const struct scenario *scenario;
	struct gate_bpf *gate;
	unsigned int variant;
	uint32_t now;
	uint64_t tai_minus_utc;
	uint64_t started; /* CLOCK_TAI when the stream began */
	/* The machine was too slow: the kernel's clock went on to the next second, or epoch. */
	bool late;
};

static void update(const struct bpf_map *map, const void *key, const void *value)
{
	MUST(!bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), "%s: %s",
	     bpf_map__name(map), strerror(errno));
}

static void look_up(const struct bpf_map *map, const void *key, void *value)
{
	MUST(!bpf_map_lookup_elem(bpf_map__fd(map), key, value), "%s: %s", bpf_map__name(map),
	     strerror(errno));
}

static uint64_t tai(void)
{
	struct timespec now;

	clock_gettime(CLOCK_TAI, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

/* What bpf_ktime_get_coarse_ns() gives. */
static uint64_t coarse(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

/* --- The gate in the kernel --- */

static void load_rules(struct gate_bpf *gate, const struct tap_ruleset *rules)
{
	uint32_t zero = 0;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rules", sizeof(zero), sizeof(*rules), 1, NULL);

	MUST(fd >= 0, "%s", strerror(errno));
	MUST(!bpf_map_update_elem(fd, &zero, rules, BPF_ANY), "%s", strerror(errno));
	update(gate->maps.tap_services, &zero, &fd);
	close(fd);
}

/* The keys that exist, as tapctl lists them. */
static struct tap_acl all_keys;

/* NULL: deletes it. */
static void set_key(struct gate_bpf *gate, uint32_t id, const struct tap_key *key)
{
	static const struct tap_key none;
	uint32_t list = TAP_ACL_ANY;

	update(gate->maps.tap_keys, &id, key ?: &none);
	if (key)
		all_keys.allowed[id / 64] |= 1ULL << (id % 64);
	else
		all_keys.allowed[id / 64] &= ~(1ULL << (id % 64));
	update(gate->maps.tap_acl, &list, &all_keys);
}

static struct gate_bpf *load(const struct scenario *s, unsigned int variant)
{
	struct gate_bpf *gate = gate_bpf__open();
	uint32_t list = SCENARIO_ACL, i;

	MUST(gate, "the gate's object does not open");
	memcpy(&gate->rodata->gate, &s->constants[variant], sizeof(s->constants[variant]));
	MUST(!gate_bpf__load(gate), "the gate does not load: %s (run as root)", strerror(errno));
	load_rules(gate, &s->rules);
	for (i = 0; i < SCENARIO_KEYS; i++)
		set_key(gate, s->key_ids[i], &s->keys[i]);
	update(gate->maps.tap_acl, &list, &s->acl);
	return gate;
}

/* Like the host's, its clock stands at a tenth of a second; it goes on from there. */
static void set_clock(void *context, uint32_t now)
{
	struct context *c = context;
	struct tap_realm realm = c->scenario->realm[c->variant];
	uint32_t zero = 0;

	c->now = now;
	host_clock_ns = now * NS + TENTH;
	/* No whole seconds, so that it is taken for a test's clock. */
	c->tai_minus_utc = tai() - host_clock_ns;
	if (c->tai_minus_utc % NS == 0)
		c->tai_minus_utc++;
	realm.tai_minus_utc_ns = c->tai_minus_utc;
	realm.started_boot_ns = 0; /* the host has no such clock */
	*host_gate_realm() = realm;
	host_gate_realm()->tai_minus_utc_ns = 0;
	update(c->gate->maps.tap_realm, &zero, &realm);
}

static void forget_bucket(void *context, uint32_t bucket)
{
	static const struct tap_bucket empty;
	struct context *c = context;

	update(c->gate->maps.tap_pending, &bucket, &empty);
}

static void forget_second(void *context, uint32_t second)
{
	static const uint64_t empty;
	struct context *c = context;

	update(c->gate->maps.tap_seconds, &second, &empty);
}

static void forget_recent(void *context, uint32_t slot)
{
	static const uint64_t empty[CPUS_MAX][6];
	struct context *c = context;

	MUST(bpf_map__value_size(c->gate->maps.tap_recent) == sizeof(empty[0]), "its size");
	update(c->gate->maps.tap_recent, &slot, empty);
}

static void forget_use(void *context, uint32_t key_id)
{
	static const struct tap_key_use empty;
	struct context *c = context;
	struct tap_key_use use;

	look_up(c->gate->maps.tap_key_use, &key_id, &use);
	if (!c->late)
		MUST(!memcmp(&use, host_gate_key_use(key_id), sizeof(use)), "use of key %u",
		     key_id);
	update(c->gate->maps.tap_key_use, &key_id, &empty);
}

static void forget_record(void *context, const void *key)
{
	struct context *c = context;

	bpf_map_delete_elem(bpf_map__fd(c->gate->maps.tap_replay), key);
}

static void forget_flow(void *context, const void *key)
{
	struct context *c = context;

	bpf_map_delete_elem(bpf_map__fd(c->gate->maps.tap_flows), key);
}

static void read_counters(struct context *c, uint64_t sum[TAP_REASON_COUNT])
{
	static uint64_t values[CPUS_MAX][TAP_REASON_COUNT];
	uint32_t zero = 0;
	int cpus = libbpf_num_possible_cpus(), cpu, i;

	MUST(cpus <= CPUS_MAX, "%d", cpus);
	look_up(c->gate->maps.tap_stats, &zero, values);
	memset(sum, 0, TAP_REASON_COUNT * sizeof(*sum));
	for (cpu = 0; cpu < cpus; cpu++)
		for (i = 0; i < TAP_REASON_COUNT; i++)
			sum[i] += values[cpu][i];
}

static int run(struct context *c, const struct frame *frame, uint8_t *out, unsigned int *length)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes,
		    .data_size_in = frame->length, .data_out = out, .data_size_out = PACKET_BYTES,
		    .repeat = 1);
	const struct bpf_program *program =
		frame->l3 ? c->gate->progs.tap_gate_l3 : c->gate->progs.tap_gate;

	MUST(!bpf_prog_test_run_opts(bpf_program__fd(program), &opts), "%u bytes: %s",
	     frame->length, strerror(errno));
	*length = opts.data_size_out;
	return opts.retval;
}

/* --- Side by side --- */

static void start(void *context, unsigned int variant)
{
	struct context *c = context;

	c->gate = gates[variant];
	c->variant = variant;
	c->started = tai();
	host_monotonic_ns = coarse();
	host_gate_constants(&c->scenario->constants[variant]);
	set_clock(c, SCENARIO_NOW);
}

static void add_key(void *context, uint16_t id, const struct tap_key *key)
{
	struct context *c = context;

	set_key(c->gate, id, key);
	host_gate_set_key(id, key);
}

/* An IPv6 RST has a random flow label. */
static void hide_flow_label(int verdict, bool l3, uint8_t *bytes, unsigned int length)
{
	unsigned int at = l3 ? 0 : 14;

	while (!l3 && at + 4 <= length &&
	       ((bytes[at - 2] == 0x81 && bytes[at - 1] == 0) ||
		(bytes[at - 2] == 0x88 && bytes[at - 1] == 0xa8)))
		at += 4;
	if (verdict != XDP_TX || at + 4 > length || bytes[at] >> 4 != 6)
		return;
	bytes[at + 1] &= 0xf0;
	bytes[at + 2] = bytes[at + 3] = 0;
}

static void compare(void *context, const struct frame *frame)
{
	static uint8_t there[PACKET_BYTES], here[PACKET_BYTES];
	struct context *c = context;
	uint64_t before[TAP_REASON_COUNT], after[TAP_REASON_COUNT];
	const uint64_t *counters = (const uint64_t *)host_gate_stats();
	uint64_t counted[TAP_REASON_COUNT];
	struct host_output out;
	unsigned int length, i;
	int verdict;

	if (frame->length < 14 || c->late) /* shorter ones the kernel does not take here */
		return;
	memcpy(counted, counters, sizeof(counted));
	read_counters(c, before);
	verdict = run(c, frame, there, &length);
	read_counters(c, after);
	/* The test run's frames come from the loopback device, which is number 1. */
	host_gate_run(frame->bytes, frame->length, frame->l3, 1, &out);
	/* In a later second, or too late for connections seen a second ago. */
	if ((tai() - c->tai_minus_utc) / NS != c->now || tai() - c->started > NS / 2 ||
	    coarse() >> EPOCH_SHIFT != host_monotonic_ns >> EPOCH_SHIFT) {
		c->late = true;
		return;
	}
	for (i = 0; i < TAP_REASON_COUNT; i++)
		MUST(after[i] - before[i] == counters[i] - counted[i],
		     "reason %u: %d in the kernel, %d on the host", i,
		     (int)(after[i] - before[i]), (int)(counters[i] - counted[i]));
	MUST(verdict == out.verdict, "%d in the kernel, %d on the host", verdict, out.verdict);
	MUST(length == out.length, "%u bytes in the kernel, %zu on the host", length, out.length);
	memcpy(here, out.bytes, length);
	hide_flow_label(verdict, frame->l3, there, length);
	hide_flow_label(verdict, frame->l3, here, length);
	for (i = 0; i < length; i++)
		MUST(there[i] == here[i], "byte %u: %02x in the kernel, %02x on the host", i,
		     there[i], here[i]);
}

static void compare_logs(struct context *c, const struct tap_gate_state *state)
{
	struct tap_event there, *here;
	uint64_t n;
	int log;

	for (log = 0; log < 2; log++)
		for (n = 0; n < state->next_event[log]; n++) {
			uint32_t at = log * TAP_LOG_EVENTS + n;

			look_up(c->gate->maps.tap_events, &at, &there);
			here = host_gate_event(at);
			MUST(there.options_bytes <= sizeof(there.options), "%u bytes of options",
			     there.options_bytes);
			MUST(there.time_ns / NS == here->time_ns / NS, "time");
			there.time_ns = here->time_ns;
			/* Beyond them is what an earlier event left. */
			memcpy(there.options + there.options_bytes,
			       here->options + there.options_bytes,
			       sizeof(there.options) - there.options_bytes);
			MUST(!memcmp(&there, here, sizeof(there)), "event %u of log %d",
			     (unsigned int)n, log);
		}
}

static void delete_all(const struct bpf_map *map)
{
	uint8_t key[sizeof(struct tap_flow)];

	while (!bpf_map_get_next_key(bpf_map__fd(map), NULL, key))
		bpf_map_delete_elem(bpf_map__fd(map), key);
}

/* In a second or an epoch of its own the kernel may have come to more than the host knows of. */
static void wipe(struct context *c)
{
	uint32_t i;

	for (i = 0; i < TAP_PENDING_BUCKETS; i++)
		forget_bucket(c, i);
	for (i = 0; i < TAP_SECONDS; i++)
		forget_second(c, i);
	for (i = 0; i < SCENARIO_KEYS; i++)
		forget_use(c, c->scenario->key_ids[i]);
	delete_all(c->gate->maps.tap_replay);
	delete_all(c->gate->maps.tap_flows);
}

static void finish(struct context *c)
{
	static const struct tap_gate_state nothing;
	const struct host_gate_forgetting too = {
		.bucket = forget_bucket, .second = forget_second, .recent = forget_recent,
		.use = forget_use, .record = forget_record, .flow = forget_flow,
	};
	struct tap_gate_state state;
	uint32_t zero = 0;

	look_up(c->gate->maps.tap_gate_state, &zero, &state);
	if (!c->late) {
		MUST(!memcmp(&state, host_gate_state(), sizeof(state)), "the gate's state");
		compare_logs(c, &state);
	}
	host_gate_forget(&too, c);
	if (c->late)
		wipe(c);
	update(c->gate->maps.tap_gate_state, &zero, &nothing);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct scenario *s = scenario_make();
	unsigned int i;

	/* Where nothing listens and nobody else's settings count. */
	MUST(!unshare(CLONE_NEWNET), "%s (run as root)", strerror(errno));
	host_gate_start();
	host_gate_services((struct tap_ruleset *)&s->rules);
	for (i = 0; i < SCENARIO_KEYS; i++)
		host_gate_set_key(s->key_ids[i], &s->keys[i]);
	*host_gate_acl(SCENARIO_ACL) = s->acl;
	for (i = 0; i < SCENARIO_VARIANTS; i++)
		gates[i] = load(s, i);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sink sink = { .start = start, .clock = set_clock, .key = add_key,
					  .frame = compare };
	struct input input = { data, size };
	struct context context = { .scenario = scenario_make() };

	scenario_run(&input, &sink, &context);
	finish(&context);
	return 0;
}
