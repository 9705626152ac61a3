/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the words of a command, and writing values the same way. Parsers return 0, or USAGE after
 * usage() (or -errno after fail() where the system does not know a name); `what` says in the
 * message which argument it was. On failure nothing is stored.
 */
#ifndef TAP_PARSE_H
#define TAP_PARSE_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "tap/maps.h"

/* --- parse_options.c: one verb's options -------------------------------------------------- */

#define OPTIONS_END (-1)
#define OPTIONS_BAD '?' /* usage() was called */

/* Starts over with an argv; then options_next() gives each option's `val`, as getopt_long(3). */
void options_start(void);
int options_next(int argc, char **argv, const char *shorts, const struct option *options);

/* The option just read may come again. */
void options_again(int option);

/* After the options: exactly `wanted` more words, of which `what` speaks. The first one's index. */
int options_words(int argc, char **argv, int wanted, const char *what);

/* --- parse_word.c: numbers, choices, names ------------------------------------------------- */

int parse_number(const char *what, const char *text, unsigned int min, unsigned int max,
		 unsigned int *out);
int parse_key_id(const char *text, __u16 *id);

/* One of the words of a list that ends with NULL; its index. */
int parse_choice(const char *what, const char *text, const char *const *words, __u8 *index);

/* veiled or classic; enum tap_encoding. */
int parse_encoding(const char *text, __u8 *encoding);
const char *encoding_text(__u8 encoding);

/* any (where that may be said; else none), dst, src or both; enum tap_bind. */
int parse_bind(const char *text, const char *unbound, __u8 *bind);
const char *bind_text(__u8 bind, const char *unbound);

/* 1 to 31 of A-Z a-z 0-9 . _ - and, for people's names, also @ and +. */
int parse_name(const char *what, const char *text, bool person, char name[TAP_NAME_BYTES]);

/* --- parse_time.c ------------------------------------------------------------------------- */

/*
 * A date (from its first second, local time without a zone), a date-time (RFC 3339, UTC without a zone),
 * @UNIX, now, +90d, +12h, +30m or +10s.
 */
int parse_time(const char *what, const char *text, __s64 *seconds);
/* Likewise the first second after: a date counts to its last second. */
int parse_time_end(const char *what, const char *text, __s64 *seconds);

#define TIME_TEXT 40
/* RFC 3339, UTC. */
const char *time_text(__s64 seconds, char text[TIME_TEXT]);
/* With milliseconds. */
const char *time_ns_text(__s64 ns, char text[TIME_TEXT]);

/* --- parse_prefix.c ----------------------------------------------------------------------- */

/* An IPv4 or IPv6 address or prefix; bits beyond its length must be 0. */
int parse_prefix(const char *what, const char *text, struct tap_prefix *prefix);

/*
 * One IPv4 or IPv6 address that a client may dial, in the 16 bytes that a tag has it in: one in
 * 64:ff9b::/96 is the IPv4 address that it stands for.
 */
int parse_address(const char *what, const char *text, __u64 address[2]);

/* The prefix of one address; 16 bytes as in maps.h. */
void prefix_of_address(const unsigned char address[16], struct tap_prefix *prefix);

#define PREFIX_TEXT 64
/* "any", "10.0.0.0/8", "fd00::1". */
const char *prefix_text(const struct tap_prefix *prefix, char text[PREFIX_TEXT]);
const char *address_text(const unsigned char address[16], char text[PREFIX_TEXT]);

/* --- parse_device.c ------------------------------------------------------------------------ */

/* The name of an interface that is here: sets the rule's device, netns and ifindex. */
int parse_device(const char *text, struct tap_rule *rule);

#define DEVICE_TEXT 32
/* "any", "eth0", or "eth0 (gone)". */
const char *device_text(const struct tap_rule *rule, char text[DEVICE_TEXT]);

/* --- parse_ports.c ------------------------------------------------------------------------- */

/* A port from 1 to 65535, or a name from /etc/services. */
int parse_port(const char *what, const char *text, __u16 *port);
/* PORT or PORT-PORT. */
int parse_port_range(const char *what, const char *text, struct tap_port_range *range);
/* Ranges joined by commas; stored in order, overlapping ones joined. */
int parse_ports(const char *what, const char *text, struct tap_port_range ports[TAP_RULE_PORTS],
		__u32 *n_ports);

#define PORTS_TEXT (TAP_RULE_PORTS * 12)
const char *ports_text(const struct tap_rule *rule, char text[PORTS_TEXT]);

/* --- parse_ids.c: sets of key IDs ----------------------------------------------------------- */

/* ID[-ID],...; adds to what is in the list. */
int parse_ids(const char *what, const char *text, struct tap_acl *list);

bool ids_have(const struct tap_acl *list, __u32 id);
void ids_add(struct tap_acl *list, __u32 first, __u32 last);
unsigned int ids_count(const struct tap_acl *list);
/* "1,5-9"; "none" for an empty list. For free(); NULL: out of memory. */
char *ids_text(const struct tap_acl *list);

#endif /* TAP_PARSE_H */
