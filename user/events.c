// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapctl events: the last groups judged, and with --follow those to come.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "user/counters.h"
#include "user/eventlog.h"
#include "user/gate.h"
#include "user/keytable.h"
#include "user/output.h"
#include "user/parse.h"
#include "user/pins.h"
#include "user/realm.h"
#include "user/verbs.h"

#define POLL_NS 200000000

static const char *reason_label(const struct tap_event *event)
{
	return event->reason < TAP_REASON_COUNT ? reason_labels[event->reason].label : "unknown";
}

/* Which of the realm's secrets unveiled the group; NULL: not known, or classic. */
static const char *secret_text(const struct tap_event *event)
{
	static const char *const secrets[] = { NULL, "newest", "old" };

	return event->secret < sizeof(secrets) / sizeof(secrets[0]) ? secrets[event->secret] : NULL;
}

/* The four segments, oldest first as far as is known. */
static json_t *json_segments(const struct tap_event *event)
{
	json_t *segments = json_array();

	for (int i = 0; i < TAP_GROUP_SEGMENTS; i++)
		json_array_append_new(segments, json_pack("{s:I, s:i}", "seq",
							  (json_int_t)event->segment[i].seq, "sport",
							  event->segment[i].sport));
	return segments;
}

static int print_json(const struct tap_event *event, const char *key_name)
{
	char time[TIME_TEXT], src[PREFIX_TEXT], dst[PREFIX_TEXT], options[2 * TAP_EVENT_OPTIONS + 1];
	size_t bytes = event->options_bytes;

	sodium_bin2hex(options, sizeof(options), event->options,
		       bytes < TAP_EVENT_OPTIONS ? bytes : TAP_EVENT_OPTIONS);
	return output_json(json_pack(
		"{s:s, s:s, s:i, s:s, s:s, s:i, s:s, s:i, s:I, s:s, s:i, s:s?, s:i, s:i, s:s, s:o}",
		"time", time_ns_text(event->time_ns, time), "reason", reason_label(event), "key_id",
		event->key_id, "key_name", key_name, "src", address_text(event->src, src), "sport",
		event->sport, "dst", address_text(event->dst, dst), "dport", event->dport, "sec",
		(json_int_t)event->sec, "encoding", encoding_text(event->encoding), "flags",
		event->flags, "secret", secret_text(event), "window", event->window,
		"ttl", event->ttl, "options", options, "segments", json_segments(event)));
}

/* [2001:db8::1]:22, or 192.0.2.1:22 */
static const char *endpoint(const unsigned char address[16], __u16 port, char text[PREFIX_TEXT + 10])
{
	char host[PREFIX_TEXT];

	address_text(address, host);
	snprintf(text, PREFIX_TEXT + 10, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
	return text;
}

static void print_line(const struct tap_event *event, const char *key_name)
{
	char time[TIME_TEXT], src[PREFIX_TEXT + 10], dst[PREFIX_TEXT + 10], key[64] = "key ?";

	if (event->key_id)
		snprintf(key, sizeof(key), "key %u%s%s%s", event->key_id, *key_name ? " (" : "", key_name,
			 *key_name ? ")" : "");
	printf("%s %-13s %-20s %s -> %s\n", time_ns_text(event->time_ns, time), reason_label(event),
	       key, endpoint(event->src, event->sport, src), endpoint(event->dst, event->dport, dst));
}

static int print_batch(const struct tapctl *tapctl, const struct eventlog *log)
{
	const struct keytable table = { .names = log->names };
	char name[TAP_NAME_BYTES];
	size_t i;
	int err = 0;

	for (i = 0; i < log->n && !err; i++) {
		const struct tap_event *event = &log->batch[i];

		keytable_name(&table, event->key_id, name);
		if (tapctl->json)
			err = print_json(event, name);
		else
			print_line(event, name);
	}
	return err ? err : output_flush();
}

/* Of a rotation of the realm's secret, while events are followed. */
struct overlap {
	bool started; /* to follow */
	__s64 until; /* an overlap under way; 0: none */
	__s64 ended; /* the last one that was over */
};

/* Notes when an overlap ends, or has begun and ended between two looks. */
static int watch_overlap(const struct tapctl *tapctl, struct overlap *overlap)
{
	struct tap_realm realm;
	__s64 now = time(NULL);
	char at[TIME_TEXT];
	int err;

	sodium_mlock(&realm, sizeof(realm));
	err = gate_read_settings(tapctl, &realm);
	/* A rotation that was killed has no end yet: see `status`. */
	if (!err && realm.before_until > REALM_LONG_OVER && !realm.rotating &&
	    realm.before_until != overlap->ended)
		overlap->until = realm.before_until;
	sodium_munlock(&realm, sizeof(realm)); /* wipes it, too */
	if (!err && overlap->until && now >= overlap->until) {
		if (overlap->started)
			note("the realm's old secret was taken until %s: clients that still have it are "
			     "strangers now", time_text(overlap->until, at));
		overlap->ended = overlap->until;
		overlap->until = 0;
	}
	overlap->started = true;
	return err;
}

static int follow(const struct tapctl *tapctl, struct eventlog *log)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	sigset_t signals;
	__u64 lost = 0;
	struct overlap overlap = { 0 };
	int err = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	while (!err) {
		err = eventlog_read(log);
		if (!err)
			err = print_batch(tapctl, log);
		if (log->lost != lost)
			note("%llu events came too fast and were overwritten before they could be shown",
			     (unsigned long long)(log->lost - lost));
		lost = log->lost;
		if (!err && sigtimedwait(&signals, NULL, &pause) > 0)
			break;
		if (!err && !pins_have(tapctl, "tap_realm"))
			err = fail(ENODEV, "the gate was unloaded, so there are no more events to follow");
		if (!err)
			err = watch_overlap(tapctl, &overlap);
	}
	return err;
}

int events_show(const struct tapctl *tapctl, int argc, char **argv)
{
	static const struct option options[] = { { "follow", no_argument, NULL, 'f' }, {} };
	struct eventlog *log;
	bool following = false;
	int option, err;

	options_start();
	while ((option = options_next(argc, argv, ":f", options)) != OPTIONS_END) {
		if (option == OPTIONS_BAD)
			return USAGE;
		following = true;
	}
	err = options_words(argc, argv, 0, NULL);
	if (err < 0)
		return err;
	err = eventlog_open(tapctl, &log);
	if (err)
		return err;
	if (following) {
		err = follow(tapctl, log);
	} else {
		err = eventlog_read(log);
		if (!err)
			err = print_batch(tapctl, log);
	}
	eventlog_close(log);
	return err;
}
