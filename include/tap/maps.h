/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs in the kernel and tapctl share: the values of the pinned maps. All of TAP's
 * state is in these maps; no process has to run for packets to flow.
 *
 * Integers are in host byte order unless the comment says otherwise. Addresses are 16 bytes in
 * network order, IPv4 as ::ffff:a.b.c.d. Times are Unix seconds (UTC) unless the name ends in _ns.
 * Padding is explicit and zero.
 */
#ifndef TAP_MAPS_H
#define TAP_MAPS_H

#include <linux/types.h>

#include "tap/reasons.h"
#include "tap/wire.h"

#define TAP_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed its size")

/*
 * A 128-bit SipHash key as the two words of the reference implementation: k[i] is the
 * little-endian reading of bytes 8i..8i+7.
 */
struct tap_sipkey {
	__u64 k[2];
};
TAP_SIZE(struct tap_sipkey, 16);

/* --- Rules, both sides: tap_services at the server, tap_rules at the client ------------------- */

#define TAP_RULES_MAX 256 /* rules in a rule set */
#define TAP_RULE_WORDS (TAP_RULES_MAX / 64)
#define TAP_RULE_PORTS 16 /* port ranges in one rule */
/*
 * Ports that the same rules name form one class. 256 rules of 16 ranges each have at most
 * 2 * 16 * 256 boundaries; a set that needs more classes than this is refused by tapctl.
 */
#define TAP_CLASSES_MAX 1024
/* Bits beside a rule's number: */
#define TAP_RULE_ALONE 0x8000u /* it asks for nothing but the port */
#define TAP_RULE_SHUT 0x4000u /* server: and lets only groups in, refusing all else in silence */
#define TAP_CLASS_NONE 0 /* ports that no rule names: no rule is looked at */
#define TAP_CLASS_UNKNOWN_PORT 1 /* segments whose port cannot be read: every tap and drop rule */
#define TAP_CLASS_FIRST 2 /* first class that a port may have besides TAP_CLASS_NONE */

/* An address prefix: it holds an address whose bits under mask equal addr. Mask 0 holds all. */
struct tap_prefix {
	__u64 addr[2]; /* the 16 bytes as they are in memory */
	__u64 mask[2];
};
TAP_SIZE(struct tap_prefix, 32);

struct tap_port_range {
	__u16 lo; /* first and last port, both belong to it */
	__u16 hi;
};
TAP_SIZE(struct tap_port_range, 4);

enum tap_action { TAP_ACTION_TAP, TAP_ACTION_PASS, TAP_ACTION_DROP };
enum tap_reject { TAP_REJECT_DROP, TAP_REJECT_RST };

/* Which encoding a service takes: one of its own, or what `server load` said for all. */
enum tap_service_encoding { TAP_SERVICE_DEFAULT, TAP_SERVICE_CLASSIC, TAP_SERVICE_VEILED };

/* What the tag must cover at a service: bits, as in a group's FLAGS. 0: nothing more. */
enum tap_bind {
	TAP_BIND_ANY = 0,
	TAP_BIND_DST = TAP_FLAG_DST,
	TAP_BIND_SRC = TAP_FLAG_SRC,
	TAP_BIND_BOTH = TAP_FLAG_DST | TAP_FLAG_SRC,
};

#define TAP_ACL_ANY 0 /* every key is allowed; other values are an index into tap_acl */

/* What the gate does with a SYN for this service. */
struct tap_service {
	__u8 action; /* enum tap_action */
	__u8 encoding; /* enum tap_service_encoding */
	__u8 stealth; /* 1: what is no SYN and of no connection is refused too (reason: stray) */
	__u8 reject; /* enum tap_reject */
	__u16 public_port; /* what clients dial instead of ports[0].lo; 0: that itself */
	__u16 acl; /* index into tap_acl, or TAP_ACL_ANY */
	__u64 public_address[2]; /* what clients dial instead of the SYN's own destination; 0: that itself */
	__u8 bind; /* enum tap_bind */
	__u8 pad[7];
};
TAP_SIZE(struct tap_service, 32);

/*
 * Whether segments that are no SYN are looked at, too: to a stranger the port is to look like that of
 * a host that is not there, or like a closed one.
 */
static inline int tap_service_hides(const struct tap_service *service)
{
	return service->action != TAP_ACTION_PASS &&
	       (service->stealth || service->reject == TAP_REJECT_RST);
}

#define TAP_UID_ANY 0xffffffffu
enum tap_origin { TAP_ORIGIN_LOCAL, TAP_ORIGIN_FORWARD, TAP_ORIGIN_ANY };

/* What the splitter does with a SYN that this rule matches. */
struct tap_client_rule {
	__u32 uid; /* owner of the socket, or TAP_UID_ANY */
	__u16 peer; /* index into tap_peers */
	__u8 origin; /* enum tap_origin: made on this host, or forwarded by it */
	__u8 pad;
};
TAP_SIZE(struct tap_client_rule, 8);

struct tap_rule {
	struct tap_prefix dst;
	struct tap_prefix src;
	struct tap_port_range ports[TAP_RULE_PORTS]; /* destination ports; the first n_ports count */
	__u32 n_ports;
	__u32 ifindex; /* input device at the server, output device at the client; 0: any */
	union {
		struct tap_service service;
		struct tap_client_rule client;
	};
	/* For tapctl only, which works out ifindex from them at each load (user/rule_device.h): */
	char device[16]; /* the device's name; "": any */
	__u64 netns; /* inode of the network namespace that it was looked up in; 0: any device */
};
TAP_SIZE(struct tap_rule, 192);

#define TAP_SET_HIDES 1u /* bits of tap_ruleset.has: tap_service_hides() one of the services, */
#define TAP_SET_TAP 2u /* or one has the action tap */

/* As ifindex of a rule: its device is not there. No device has this number, so no packet matches. */
#define TAP_IFINDEX_GONE 0xffffffffu

/*
 * A whole rule set, immutable once published: tapctl fills a fresh one-entry ARRAY and puts it into
 * the one-entry ARRAY_OF_MAPS, so a packet sees the old set or the new one and nothing between.
 * The first rule, in order, that matches wins; no match is ordinary TCP.
 */
struct tap_ruleset {
	/* By destination port (host order): its class, or class_first of it if that is TAP_RULE_ALONE. */
	__u16 port_class[65536];
	__u16 class_first[TAP_CLASSES_MAX]; /* its first rule, with bits; TAP_RULES_MAX: none */
	__u64 class_rules[TAP_CLASSES_MAX][TAP_RULE_WORDS]; /* bit r: rule r names the class */
	struct tap_rule rules[TAP_RULES_MAX];
	__u32 n_rules;
	__u32 has; /* server: TAP_SET_* */
};
TAP_SIZE(struct tap_ruleset, 131072 + 34 * TAP_CLASSES_MAX + 192 * 256 + 8);

/* --- The server: keys and access lists ------------------------------------------------------- */

#define TAP_FOREVER 0x7fffffffffffffffLL
#define TAP_REVOKED (-1LL) /* as not_after */

/*
 * tap_keys: ARRAY by key ID (entry 0 unused). Two secrets live side by side during a rotation. An
 * update goes over a live entry byte by byte, so tapctl puts a new secret only into the slot that
 * is idle (until == 0 or past) and leaves the other one's bytes as they are.
 */
struct tap_key {
	struct tap_sipkey secret[2]; /* K_tag */
	__s64 until[2]; /* secret i is taken while now < until[i]; 0: empty slot */
	__s64 not_before; /* the key is valid from here ... */
	__s64 not_after; /* ... to before here; TAP_FOREVER; TAP_REVOKED */
	__u32 rate; /* admissions a second; TAP_RATE_DEFAULT; 0: no limit */
	__u32 pad;
};
TAP_SIZE(struct tap_key, 72);

#define TAP_RATE_DEFAULT 0xffffffffu /* tap_default_rate() of the gate's settings */
#define TAP_RATE_MAX 1000000u

/*
 * The rate of a key without one of its own (docs/protocol.md, "Judging"): a quarter of the replay
 * window at the most, whatever the key's holder sends. skew: seconds.
 */
static inline __u32 tap_default_rate(__u32 replay_size, __u32 skew)
{
	__u32 rate = replay_size / (8 * skew + 8);

	return rate ? rate : 1;
}

/*
 * tap_key_use: ARRAY by key ID, written by the gate when it admits a group.
 */
struct tap_key_use {
	__u64 rate; /* second 32 | admissions in that second 32, by the gate's clock */
	__u32 admitted[2]; /* by realm secret (index as in tap_realm.secret): last admission; 0: never */
};
TAP_SIZE(struct tap_key_use, 16);

#define TAP_NAME_BYTES 32 /* with the terminating NUL */

/* tap_key_names: HASH by key ID (u32), for people only; the gate never looks. */
struct tap_key_name {
	char name[TAP_NAME_BYTES];
};

#define TAP_ACL_LISTS (2 * TAP_RULES_MAX + 1) /* two for each service, and TAP_ACL_ANY */

/*
 * tap_acl: ARRAY by list number. Bit (id % 64) of word id / 64: key id is allowed. List TAP_ACL_ANY
 * names the keys that are in tap_keys, revoked ones too: random numbers are ruled out as key IDs by it
 * without a look at each entry. Only the reason of a refused group depends on it.
 */
struct tap_acl {
	__u64 allowed[65536 / 64];
};
TAP_SIZE(struct tap_acl, 8192);

/* --- The server: settings --------------------------------------------------------------------- */

/* Random numbers, one for each 32-bit word that a group is hashed by, and one to start from. */
#define TAP_PLACE_WORDS 12
struct tap_place_key {
	__u64 k[TAP_PLACE_WORDS];
	__u64 start;
};
TAP_SIZE(struct tap_place_key, 104);

enum tap_mark_mode { TAP_MARK_SEALED, TAP_MARK_OPEN };

#define TAP_GROUP_BY_MARK 1u /* bits of tap_realm.group_by */
#define TAP_GROUP_BY_TS 2u

#define TAP_SKEW_DEFAULT 30u
#define TAP_SKEW_MAX 3600u

/*
 * TAI minus UTC, which the programs need to tell the time: 37 s since 2017, and one leap second a
 * year was the most. Any other value, or one of no whole seconds, was set on purpose, by a test.
 */
#define TAP_CLOCK_OFFSET_MAX 100 /* seconds */

/* Secrets of a realm: the newest one, and for the time of a rotation the one before it. */
#define TAP_REALM_SECRETS 2
struct tap_realm_secret {
	__u8 secret[TAP_REALM_SECRET_BYTES];
	struct tap_sipkey veil; /* K_veil */
	struct tap_sipkey mark; /* K_mark */
};
TAP_SIZE(struct tap_realm_secret, 64);

/*
 * tap_realm: ARRAY of one. What `server load` and `realm rotate` were told. The gate's program
 * carries the fields that never change as constants of its own (struct tap_gate_constants); it reads
 * only the first four from here, and only when it judges a group.
 */
struct tap_realm {
	__s64 tai_minus_utc_ns; /* now = CLOCK_TAI - this, where the kernel does not tell */
	__s64 started_ns; /* groups made before this are refused: their records are gone */
	__s64 started_boot_ns; /* the same by CLOCK_BOOTTIME, which nobody sets; 0: not known */
	/*
	 * The older secret is taken while now < this (Unix s). 0: there is none, and the programs have
	 * none. Over, it stays until the programs are reloaded, for they may still have that secret: a
	 * later time here would let it in again.
	 */
	__s64 before_until;
	__s64 rotated; /* when the newest secret came (Unix s); 0: with the first load */
	__s64 rotated_before; /* the same of the secret before it */
	__u8 id[TAP_REALM_ID_BYTES];
	struct tap_realm_secret secret[TAP_REALM_SECRETS]; /* all zero: none */
	struct tap_place_key place; /* random: places groups in tap_pending */
	__u32 skew; /* seconds */
	__u32 replay_size; /* records that are sure to be remembered */
	__u8 newest; /* which of secret[] is the newest */
	__u8 encoding; /* enum tap_encoding: of services that do not name one */
	__u8 mark_mode; /* enum tap_mark_mode */
	__u8 group_by; /* TAP_GROUP_BY_* */
	__u8 monitor; /* 1: judge and count, but drop nothing */
	__u8 rotating; /* 1: some programs may not have the newest secret yet */
	__u8 cookie_acks; /* as in struct tap_gate_constants */
	__u8 pad[1];
};
TAP_SIZE(struct tap_realm, 312);

/* The gate's .rodata: fixed when its program is loaded, so that a stranger's SYN costs no look-up. */
struct tap_gate_constants {
	/* Bit (m % 64) of word m / 64: m is a mark, of either secret. Open: all bits set. */
	__u64 marks[65536 / 64];
	/* By secret: [0] is the newest, [1] the one before it, while there is one. */
	__u64 marks_of[TAP_REALM_SECRETS][65536 / 64];
	struct tap_sipkey veil[TAP_REALM_SECRETS];
	struct tap_place_key place;
	__u32 skew;
	__u32 replay_size;
	__u32 default_rate; /* of keys with TAP_RATE_DEFAULT */
	__u8 newest; /* which of tap_realm.secret[] is the newest: that is [0] here */
	__u8 secrets; /* how many there are, 1 or 2 */
	__u8 encoding; /* enum tap_encoding */
	__u8 group_by;
	__u8 monitor;
	__u8 sealed; /* 1: windows that are no mark are dropped */
	__u8 conntrack; /* 1: this kernel lets XDP programs ask for tracked connections, */
	__u8 pull; /* 1: and move what is in later buffers of a frame into the first */
	__u8 cookie_acks; /* 1: ACKs to tap services that do not hide are looked at, too */
	__u8 pad[3];
};
TAP_SIZE(struct tap_gate_constants, 3 * 8192 + 32 + 104 + 24);

/* --- The server: groups under way, replay ----------------------------------------------------- */

#define TAP_PENDING_BUCKETS 4096 /* power of two; small enough to stay in a core's cache */
#define TAP_BUCKET_SLOTS 7

/*
 * tap_pending: ARRAY of buckets, mmapable so that a bucket is one cache line. A segment is one
 * word, put in place by compare-and-swap; see bpf/group.h.
 */
struct tap_bucket {
	__u64 segment[TAP_BUCKET_SLOTS]; /* sequence 32 | source port 16 | group 16; 0: empty */
	__u64 cursor; /* slot to fill next, and a stamp of the last store */
};
TAP_SIZE(struct tap_bucket, 64);

/* tap_replay: LRU_HASH of every group admitted. The value is the admission's time, in seconds. */
struct tap_replay_key {
	__u64 tag; /* all 64 bits, whatever the group carried */
	__u32 isn;
	__u32 sec;
};
TAP_SIZE(struct tap_replay_key, 16);

/*
 * An LRU map evicts in batches from lists kept per CPU, so it is made larger than what it must
 * remember: this many spare entries per possible CPU.
 */
#define TAP_REPLAY_SPARE_PER_CPU 512u
#define TAP_REPLAY_SIZE_DEFAULT 131072u
#define TAP_REPLAY_SIZE_MAX 16777216u

/*
 * tap_seconds: ARRAY of TAP_SECONDS words by SEC mod TAP_SECONDS: SEC 32 | admissions 32, the value
 * of tap_gate_state.admissions when the first group of that second was admitted.
 */
#define TAP_SECONDS 8192 /* power of two, more than 2 * TAP_SKEW_MAX + 2 */

/*
 * tap_flows: LRU_HASH of the connections that the gate let begin, for segments that are no SYN and
 * whose socket cannot be found from here (another host's, or one bound to another device). Value: 1.
 */
struct tap_flow {
	__u64 src[2]; /* the client's address, as in struct tap_prefix */
	__u64 dst[2];
	__u16 sport; /* as on the wire */
	__u16 dport;
	__u32 pad;
};
TAP_SIZE(struct tap_flow, 40);
#define TAP_FLOWS 65536

/* tap_gate_state: ARRAY of one; changed by the gate with atomics only. */
struct tap_gate_state {
	__u64 admissions; /* groups admitted since the records were started */
	__u64 next_event[2]; /* by log: number of events written so far */
	__u64 newest; /* latest time of a group admitted: what a gate without records must not take */
};
TAP_SIZE(struct tap_gate_state, 32);

/* --- Counters, events -------------------------------------------------------------------------- */

/* tap_stats: PERCPU_ARRAY of one; the field names are the labels of `tapctl -j stats`. */
struct tap_stats {
#define X(label, text) __u64 label;
	TAP_REASONS(X)
#undef X
};
TAP_SIZE(struct tap_stats, 8 * TAP_REASON_COUNT);

/* tap_client_stats: PERCPU_ARRAY of one. */
struct tap_client_stats {
#define X(label, text) __u64 label;
	TAP_SPLITS(X)
#undef X
};
TAP_SIZE(struct tap_client_stats, 8 * TAP_SPLIT_COUNT);

enum tap_event_log { TAP_LOG_ADMITTED, TAP_LOG_REFUSED };
#define TAP_LOG_EVENTS 2048 /* power of two: events each log keeps; the oldest is overwritten */

/*
 * tap_events: ARRAY of 2 * TAP_LOG_EVENTS, log L from L * TAP_LOG_EVENTS on; one event for each
 * group judged. Refusals cannot push admissions out. Event number n of a log is at n mod
 * TAP_LOG_EVENTS; it is whole when seq == n + 1 before and after it was copied.
 */
struct tap_event_segment {
	__u32 seq;
	__u16 sport;
	__u16 pad;
};

#define TAP_EVENT_OPTIONS 40 /* bytes: the most that a TCP header has */

struct tap_event {
	__u64 seq; /* n + 1; 0 while it is written */
	__s64 time_ns; /* Unix time of the judgement */
	__u8 src[16];
	__u8 dst[16];
	__u16 sport; /* of SYN0 when the group was readable, else of the segment in hand */
	__u16 dport; /* as seen at the server */
	__u16 key_id; /* as claimed by the group; 0: not known */
	__u8 reason; /* enum tap_reason */
	__u8 secret; /* that unveiled it: 1 the realm's newest, 2 the one before; 0: not known, or classic */
	__u32 sec; /* the group's own time; 0: not known */
	__u32 ifindex; /* input device */
	/* The group as it came: its four segments, oldest first as far as is known, ... */
	struct tap_event_segment segment[TAP_GROUP_SEGMENTS];
	/* ... and of the one in hand, which arrived last: */
	__u16 window; /* the mark */
	__u8 ttl; /* or IPv6 hop limit */
	__u8 options_bytes; /* of TCP options */
	__u8 flags; /* TAP_FLAG_*, as claimed by the group */
	__u8 encoding; /* enum tap_encoding that the service takes */
	__u8 pad[2];
	__u8 options[TAP_EVENT_OPTIONS];
};
TAP_SIZE(struct tap_event, 144);

/* --- The client -------------------------------------------------------------------------------- */

enum tap_ports_mode { TAP_PORTS_DISTINCT, TAP_PORTS_SHARED };

#define TAP_PEERS_MAX 256
#define TAP_PEER_MARKS 1536 /* a realm has about 1008 +- 31 marks */

/*
 * tap_peers: ARRAY. An entry never changes while a rule points to it: tapctl writes a new one
 * elsewhere, publishes a rule set that points there, and then wipes the old one.
 */
struct tap_peer {
	struct tap_sipkey tag; /* K_tag of the user key in this realm */
	struct tap_sipkey veil; /* K_veil */
	__u8 realm_id[TAP_REALM_ID_BYTES];
	__u8 fingerprint[8]; /* of the realm's secret, for people */
	__u16 key_id; /* 0: entry not in use */
	__u8 encoding; /* enum tap_encoding */
	__u8 mark_mode; /* enum tap_mark_mode */
	__u8 ports_mode; /* enum tap_ports_mode */
	__u8 bind; /* enum tap_bind: the FLAGS of its groups */
	__u16 n_marks; /* sealed: how many of marks[] count, at least 1 */
	char name[TAP_NAME_BYTES];
	__u16 marks[TAP_PEER_MARKS];
};
TAP_SIZE(struct tap_peer, 96 + 2 * TAP_PEER_MARKS);

/* tap_client: ARRAY of one. */
struct tap_client {
	__s64 tai_minus_utc_ns; /* as in tap_realm */
	__u16 port_lo; /* net.ipv4.ip_local_port_range at load: where own source ports come from */
	__u16 port_hi;
	__u8 pad[4];
};
TAP_SIZE(struct tap_client, 16);

/*
 * tap_sent: LRU_HASH of the SYNs that the splitter sent, so that it knows them again when they pass
 * a second device (VLAN on Ethernet), maybe later and on another CPU. A SYN's window was changed to
 * a mark that differs from the kernel's, so a retransmission by the kernel never matches.
 */
struct tap_sent_key {
	__u8 dst[16];
	__u32 seq; /* these four as on the wire */
	__u16 sport;
	__u16 dport;
	__u16 window;
	__u16 pad;
};
TAP_SIZE(struct tap_sent_key, 28);
#define TAP_SENT_ENTRIES 4096
#define TAP_SENT_WHOLE 0u /* values: leave it alone, */
#define TAP_SENT_CUT_PAYLOAD 1u /* or cut its payload off (SYN1..3 of a TCP Fast Open SYN) */

/* --- Devices, both sides ----------------------------------------------------------------------- */

enum tap_hook {
	TAP_HOOK_XDP_NATIVE, /* pinned bpf_link, in the driver */
	TAP_HOOK_XDP_GENERIC, /* pinned bpf_link, after the driver made an skb */
	TAP_HOOK_XDP_SHARED, /* libxdp's dispatcher */
	TAP_HOOK_TCX, /* pinned bpf_link */
	TAP_HOOK_CLSACT, /* classic tc filter */
};

#define TAP_DEVICES_MAX 256

/*
 * tap_gate_devices, tap_split_devices: HASH by ifindex, for tapctl only: where the program is
 * attached. Written before the attachment is made, removed after it is gone.
 */
struct tap_device {
	char name[16]; /* when it was attached; interfaces get renamed */
	__u64 netns; /* inode of the network namespace that ifindex belongs to */
	__u32 hook; /* enum tap_hook */
	__u32 prog_id;
	__u32 tc_handle; /* CLSACT only */
	__u32 tc_priority;
	__u32 own_qdisc; /* CLSACT: 1 if tapctl made the clsact qdisc */
	__u32 pad;
};
TAP_SIZE(struct tap_device, 48);

/* --- Layouts, both sides ----------------------------------------------------------------------- */

/*
 * X(map, layout): every pinned map, and the number of its layout: that of its key, value and size.
 * A change of a layout takes a new number, and a step in docs/ that says how what is pinned becomes
 * the new one. Numbers begin at 3, with version 3 of the protocol.
 */
#define TAP_GATE_MAPS(X)                                                                           \
	X(tap_realm, 3)                                                                            \
	X(tap_stats, 3)                                                                            \
	X(tap_services, 3)                                                                         \
	X(tap_keys, 3)                                                                             \
	X(tap_key_names, 3)                                                                        \
	X(tap_key_use, 3)                                                                          \
	X(tap_acl, 3)                                                                              \
	X(tap_pending, 3)                                                                          \
	X(tap_replay, 3)                                                                           \
	X(tap_seconds, 3)                                                                          \
	X(tap_flows, 3)                                                                            \
	X(tap_gate_state, 3)                                                                       \
	X(tap_events, 3)                                                                           \
	X(tap_gate_devices, 3)                                                                     \
	X(tap_gate_layout, 3)

#define TAP_SPLITTER_MAPS(X)                                                                       \
	X(tap_client, 3)                                                                           \
	X(tap_client_stats, 3)                                                                     \
	X(tap_rules, 3)                                                                            \
	X(tap_peers, 3)                                                                            \
	X(tap_sent, 3)                                                                             \
	X(tap_split_devices, 3)                                                                    \
	X(tap_split_layout, 3)

#define TAP_LAYOUT_MAPS 32 /* entries of tap_gate_layout, tap_split_layout */

/*
 * tap_gate_layout, tap_split_layout: ARRAY, for tapctl only. Which layout each pinned map has; an
 * empty name ends the list. Whoever finds another number than his own does not touch the map.
 */
struct tap_layout {
	char map[28];
	__u32 layout;
};
TAP_SIZE(struct tap_layout, 32);

#endif /* TAP_MAPS_H */
