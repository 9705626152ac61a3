// SPDX-License-Identifier: GPL-2.0-only
/*
 * The realm's secrets in the gate's settings: see realm.h.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/parse.h"
#include "user/pins.h"
#include "user/realm.h"

int realm_slot(const struct tap_realm *realm, const unsigned char secret[TAP_REALM_SECRET_BYTES])
{
	for (int slot = 0; slot < TAP_REALM_SECRETS; slot++)
		if (!sodium_memcmp(realm->secret[slot].secret, secret, TAP_REALM_SECRET_BYTES))
			return slot;
	return -1;
}

bool realm_overlaps(const struct tap_realm *realm, __s64 now)
{
	return now < realm->before_until;
}

bool realm_overlapped(const struct tap_realm *realm, __s64 now)
{
	return realm->before_until && now >= realm->before_until;
}

bool realm_has_older(const struct tap_realm *realm)
{
	return !sodium_is_zero(realm->secret[!realm->newest].secret, TAP_REALM_SECRET_BYTES);
}

void realm_forget_older(struct tap_realm *realm)
{
	sodium_memzero(&realm->secret[!realm->newest], sizeof(realm->secret[0]));
	realm->before_until = 0;
}

void realm_rotate_to(struct tap_realm *realm, const struct tap_realm_secret *secret, __s64 now,
		     __u32 overlap)
{
	realm->newest = !realm->newest;
	realm->secret[realm->newest] = *secret;
	realm->rotated_before = realm->rotated;
	realm->rotated = now;
	realm->before_until = now + overlap;
	if (!overlap)
		realm_forget_older(realm);
}

/* Wipes it in the map; `realm` is in locked memory. */
static int wipe(int fd, struct tap_realm *realm)
{
	char at[TIME_TEXT];
	__u32 zero = 0;

	if (bpf_map_lookup_elem(fd, &zero, realm))
		return fail(errno, "cannot read the gate's settings: %s", cause(errno));
	if (!realm_overlapped(realm, time(NULL)) || !realm_has_older(realm))
		return 0;
	/*
	 * The programs have that secret until they are reloaded. An end long ago keeps them from taking
	 * it again should the clock be set back.
	 */
	time_text(realm->before_until, at);
	realm->before_until = REALM_LONG_OVER;
	sodium_memzero(&realm->secret[!realm->newest], sizeof(realm->secret[0]));
	if (bpf_map_update_elem(fd, &zero, realm, BPF_ANY))
		return fail(errno, "cannot wipe the realm's old secret: %s", cause(errno));
	if (!realm->rotating)
		note("the realm's old secret was taken until %s, and is wiped now: clients that still "
		     "have it are strangers", at);
	return 0;
}

int realm_wipe_older(const struct tapctl *tapctl)
{
	struct tap_realm realm;
	int fd, err;

	if (!pins_have(tapctl, "tap_realm"))
		return 0;
	fd = pins_map(tapctl, "tap_realm");
	if (fd < 0)
		return fd;
	sodium_mlock(&realm, sizeof(realm));
	err = wipe(fd, &realm);
	sodium_munlock(&realm, sizeof(realm)); /* wipes it, too */
	close(fd);
	return err;
}
