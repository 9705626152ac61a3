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
#define CPUS_MAX 256

static struct gate_bpf *gates[SCENARIO_VARIANTS];

struct context {
	const struct scenario *scenario;
	struct gate_bpf *gate;
	uint32_t now;
	uint64_t tai_minus_utc;
	uint64_t started; /* CLOCK_TAI when the stream began */
	bool late; /* the machine was too slow: the kernel's clock went on to the next second */
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

static struct gate_bpf *load(const struct scenario *s, unsigned int variant)
{
	struct gate_bpf *gate = gate_bpf__open();
	uint32_t list = SCENARIO_ACL, i;

	MUST(gate, "the gate's object does not open");
	memcpy(&gate->rodata->gate, &s->constants[variant], sizeof(s->constants[variant]));
	MUST(!gate_bpf__load(gate), "the gate does not load: %s (run as root)", strerror(errno));
	load_rules(gate, &s->rules);
	for (i = 0; i < SCENARIO_KEYS; i++) {
		uint32_t id = s->key_ids[i];

		update(gate->maps.tap_keys, &id, &s->keys[i]);
	}
	update(gate->maps.tap_acl, &list, &s->acl);
	return gate;
}

/* Like the host's, its clock stands at a tenth of a second; it goes on from there. */
static void set_clock(void *context, uint32_t now)
{
	struct context *c = context;
	struct tap_realm realm = {};
	uint32_t zero = 0;

	c->now = now;
	host_clock_ns = now * NS + TENTH;
	/* No whole seconds, so that it is taken for a test's clock. */
	c->tai_minus_utc = tai() - host_clock_ns;
	if (c->tai_minus_utc % NS == 0)
		c->tai_minus_utc++;
	realm.tai_minus_utc_ns = c->tai_minus_utc;
	update(c->gate->maps.tap_realm, &zero, &realm);
}

static void forget_bucket(void *context, uint32_t bucket)
{
	static const struct tap_bucket empty;
	static const struct tap_bucket_tsecr no_tsecrs;
	struct context *c = context;

	update(c->gate->maps.tap_pending, &bucket, &empty);
	update(c->gate->maps.tap_pending_tsecr, &bucket, &no_tsecrs);
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
	c->started = tai();
	host_gate_constants(&c->scenario->constants[variant]);
	set_clock(c, SCENARIO_NOW);
}

/* In the failures of this second, on both sides. */
static void attack(void *context)
{
	struct context *c = context;
	struct tap_gate_state state;
	uint32_t zero = 0;

	look_up(c->gate->maps.tap_gate_state, &zero, &state);
	state.failures = (uint64_t)c->now << 32 | (TAP_AUTO_FAILURES + 1);
	update(c->gate->maps.tap_gate_state, &zero, &state);
	host_gate_state()->failures = state.failures;
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
	if ((tai() - c->tai_minus_utc) / NS != c->now || tai() - c->started > NS / 2) {
		c->late = true;
		return;
	}
	for (i = 0; i < TAP_REASON_COUNT; i++)
		MUST(after[i] - before[i] == counters[i] - counted[i], "reason %u: %d and %d", i,
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
			MUST(there.time_ns / NS == here->time_ns / NS, "time");
			there.time_ns = here->time_ns;
			MUST(!memcmp(&there, here, sizeof(there)), "event %u of log %d",
			     (unsigned int)n, log);
		}
}

static void finish(struct context *c)
{
	static const struct tap_gate_state nothing;
	const struct host_gate_forgetting too = { forget_bucket, forget_second, forget_recent,
							   forget_record, forget_flow };
	struct tap_gate_state state;
	uint32_t zero = 0;

	look_up(c->gate->maps.tap_gate_state, &zero, &state);
	if (!c->late) {
		MUST(!memcmp(&state, host_gate_state(), sizeof(state)), "the gate's state");
		compare_logs(c, &state);
	}
	host_gate_forget(&too, c);
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
		*host_gate_key(s->key_ids[i]) = s->keys[i];
	*host_gate_acl(SCENARIO_ACL) = s->acl;
	for (i = 0; i < SCENARIO_VARIANTS; i++)
		gates[i] = load(s, i);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sink sink = { .start = start, .clock = set_clock, .attack = attack,
					  .frame = compare };
	struct input input = { data, size };
	struct context context = { .scenario = scenario_make() };

	scenario_run(&input, &sink, &context);
	finish(&context);
	return 0;
}
