// SPDX-License-Identifier: GPL-2.0-only
/*
 * Import files as a whole, through a real descriptor: lists of keys, services and client rules.
 * What is taken must be within its bounds, and nothing of a list of keys may be shown when it is
 * refused.
 *
 * Input: a byte that chooses the kind of list, then the file.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/fuzz/fuzz.h"

/* What is noted of host names would be all that is to be seen. */
#include "user/tapctl.h"
#define note(...) ((void)0)

/* No names are looked up: of every host it depends on its name how many addresses it has. */
static int get_addresses(const char *name, const char *port, const struct addrinfo *hints,
			 struct addrinfo **found);
static void free_addresses(struct addrinfo *found);
#define getaddrinfo get_addresses
#define freeaddrinfo free_addresses
#include "user/rule_dst.c"
#undef getaddrinfo
#undef freeaddrinfo
#undef note

#include "user/key_import.c"
#include "user/rule.h"
#include "user/service.h"

#define ADDRESSES_MAX 40

static struct addrinfo list[ADDRESSES_MAX];
static struct sockaddr_in6 addresses[ADDRESSES_MAX];

static int get_addresses(const char *name, const char *port, const struct addrinfo *hints,
			 struct addrinfo **found)
{
	unsigned int n = (unsigned char)name[0] % (ADDRESSES_MAX + 1), i;

	for (i = 0; i < n; i++) {
		memset(&addresses[i], 0, sizeof(addresses[i]));
		addresses[i].sin6_addr.s6_addr[15] = i % 37;
		addresses[i].sin6_flowinfo = i % 37; /* where IPv4's address is */
		list[i] = (struct addrinfo){ .ai_family = i % 3 ? AF_INET6 : AF_INET,
					     .ai_addr = (struct sockaddr *)&addresses[i],
					     .ai_next = i + 1 < n ? &list[i + 1] : NULL };
	}
	*found = list;
	return n ? 0 : EAI_NONAME;
}

static void free_addresses(struct addrinfo *found)
{
}

/* --- What comes after reading, and is not wanted here --- */

int keytable_open(const struct tapctl *tapctl, bool write, struct keytable *table)
{
	return fail(ENOENT, "not here");
}

void keytable_close(struct keytable *table)
{
}

int keytable_scan(const struct keytable *table, keytable_visit *visit, void *context)
{
	return 0;
}

int keytable_realm_id(const struct tapctl *tapctl, unsigned char id[TAP_REALM_ID_BYTES])
{
	return 0;
}

int keytable_list(const struct keytable *table, const struct tap_acl *ids, bool exist)
{
	return 0;
}

int keytable_forget_uses(const struct keytable *table, const __u32 *ids, __u32 n)
{
	return 0;
}

int keytable_set_name(const struct keytable *table, __u16 id, const char *name)
{
	return 0;
}

int output_done(const struct tapctl *tapctl, json_t *value, const char *format, ...)
{
	return 0;
}

/* --- The lists --- */

static void check_ports(const struct tap_rule *rule)
{
	uint32_t i;

	MUST(rule->n_ports >= 1 && rule->n_ports <= TAP_RULE_PORTS, "%u", rule->n_ports);
	for (i = 0; i < rule->n_ports; i++)
		MUST(rule->ports[i].lo && rule->ports[i].lo <= rule->ports[i].hi, "range %u", i);
}

static int take_service(void *context, int argc, char **argv)
{
	struct service_request request;
	const struct tap_service *s = &request.rule.service;
	int err = service_parse(argc, argv, &request);

	if (err)
		return err;
	check_ports(&request.rule);
	MUST(s->action <= TAP_ACTION_DROP && s->encoding <= TAP_SERVICE_VEILED &&
	     s->stealth <= 1 && s->bind <= TAP_BIND_BOTH && s->reject <= TAP_REJECT_RST && !s->acl, "out of its list");
	MUST(s->public_port + (request.rule.ports[0].hi - request.rule.ports[0].lo) <= 65535,
	     "public port %u", s->public_port);
	MUST(request.at <= TAP_RULES_MAX, "%u", request.at);
	return 0;
}

static int take_rule(void *context, int argc, char **argv)
{
	struct rule_request request;
	int err = rule_parse(argc, argv, &request);

	if (err)
		return err;
	check_ports(&request.rule);
	MUST(*request.peer && !request.peer[TAP_NAME_BYTES - 1], "no peer");
	MUST(request.n_dst >= 1 && request.n_dst <= RULE_ADDRESSES, "%u", request.n_dst);
	MUST(request.rule.client.origin <= TAP_ORIGIN_ANY, "%u", request.rule.client.origin);
	MUST(request.at <= TAP_RULES_MAX, "%u", request.at);
	return 0;
}

static void check_keys(const struct import *import)
{
	uint32_t i;

	MUST(import->n_names <= import->n_keys, "%u names", import->n_names);
	MUST(ids_count(&import->listed) == import->n_keys, "%u keys", import->n_keys);
	for (i = 0; i < import->n_keys; i++) {
		MUST(import->ids[i] && import->ids[i] <= 65535, "%u", import->ids[i]);
		MUST(import->keys[i].not_before < import->keys[i].not_after, "never valid");
		MUST(import->keys[i].until[0] == TAP_FOREVER && !import->keys[i].until[1], "until");
		MUST(import->keys[i].rate <= TAP_RATE_MAX || import->keys[i].rate == TAP_RATE_DEFAULT,
		     "%u a second", import->keys[i].rate);
	}
	for (i = 0; i < import->n_names; i++)
		MUST(ids_have(&import->listed, import->name_ids[i]) && *import->names[i],
		     "name %u", i);
}

/* A run of so many characters of base64 in the message may be part of a key. */
static bool shows_key(const char *text, const char *file)
{
	size_t at, length = strlen(text);
	char part[17];

	for (at = 0; at + 16 <= length; at++) {
		memcpy(part, text + at, 16);
		part[16] = '\0';
		if (!strpbrk(part, " .,:;()'=-") && strstr(file, part))
			return true;
	}
	return false;
}

static void read_file(uint8_t kind, const char *path, const char *file)
{
	static struct import *keys;
	int err;

	if (kind % 3 == 1) {
		err = lines_read(path, false, take_service, NULL);
	} else if (kind % 3 == 2) {
		err = lines_read(path, false, take_rule, NULL);
	} else {
		keys = keys ?: calloc(1, sizeof(*keys));
		MUST(keys, "no memory");
		memset(&keys->listed, 0, sizeof(keys->listed));
		memset(keys->keys, 0, keys->n_keys * sizeof(keys->keys[0]));
		memset(keys->inputs, 0, keys->n_keys * sizeof(keys->inputs[0]));
		keys->n_keys = keys->n_names = 0;
		err = lines_read(path, true, take_line, keys);
		check_keys(keys);
		if (err)
			MUST(!shows_key(failure(), file), "%s", failure());
	}
	MUST(!err == !failure() && (!err || err > USAGE), "%d", err);
	forget_failure();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return sodium_init() < 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint8_t kind = take8(&input);
	char path[32], *file;
	int fd = memfd_create("list", 0);

	MUST(fd >= 0 && !fchmod(fd, 0600), "no file");
	MUST(write(fd, input.at, input.left) == (ssize_t)input.left && !lseek(fd, 0, SEEK_SET),
	     "full");
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	file = take_text(&input);
	read_file(kind, path, file);
	free(file);
	close(fd);
	return 0;
}
