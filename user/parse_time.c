// SPDX-License-Identifier: GPL-2.0-only
/*
 * Points in time, read and written: Unix seconds inside, RFC 3339 outside.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/parse.h"
#include "user/tapctl.h"

#define AMOUNT_DIGITS 10 /* keeps every sum far from overflow */

/* Digits only, then the end of the text or a unit. */
static bool read_amount(const char *text, __s64 *amount, const char **end)
{
	size_t digits = strspn(text, "0123456789");

	*amount = strtoll(text, NULL, 10);
	*end = text + digits;
	return digits >= 1 && digits <= AMOUNT_DIGITS;
}

static bool from_now(const char *text, __s64 *seconds)
{
	static const struct { char unit; int seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
	};
	const char *unit;
	__s64 amount;
	size_t i;

	if (!read_amount(text, &amount, &unit) || !unit[0] || unit[1])
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit == *unit) {
			*seconds = time(NULL) + amount * units[i].seconds;
			return true;
		}
	}
	return false;
}

/* What follows a time: nothing or Z, or +hh:mm, -hh:mm; how far east of UTC, in seconds. */
static bool read_zone(const char *text, int *east)
{
	int hours, minutes, end = 0;
	char sign;

	*east = 0;
	if (!*text || !strcmp(text, "Z") || !strcmp(text, "z"))
		return true;
	if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &end) != 3 || text[end] ||
	    (sign != '+' && sign != '-') || hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*east = (sign == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
	return true;
}

/*
 * 2027-01-31[zone], 2027-01-31T18:00[:00][zone]; a blank or t may stand for T. A date alone is that day's
 * first second, or the one after its last (`end`), in local time unless there is a zone.
 */
static bool from_date(const char *text, bool end, __s64 *seconds)
{
	const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dt%H:%M:%S", "%Y-%m-%d %H:%M:%S",
					"%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d" };
	const char *rest = NULL;
	struct tm tm, check;
	bool day_alone;
	int east;
	size_t i;

	if (strspn(text, "0123456789") != 4)
		return false;
	for (i = 0; !rest && i < sizeof(formats) / sizeof(formats[0]); i++) {
		memset(&tm, 0, sizeof(tm));
		rest = strptime(text, formats[i], &tm);
	}
	if (!rest || !read_zone(rest, &east))
		return false;
	check = tm;
	*seconds = timegm(&check) - east;
	if (check.tm_mday != tm.tm_mday)
		return false; /* there is no such day: 31 June */
	day_alone = i == sizeof(formats) / sizeof(formats[0]);
	tm.tm_mday += day_alone && end;
	tm.tm_isdst = -1;
	if (day_alone)
		*seconds = *rest ? timegm(&tm) - east : mktime(&tm);
	return true;
}

static int parse(const char *what, const char *text, bool day_end, __s64 *seconds)
{
	const char *end;
	__s64 value;
	bool good;

	if (!strcmp(text, "now")) {
		value = time(NULL);
		good = true;
	} else if (*text == '@') {
		good = read_amount(text + 1, &value, &end) && !*end;
	} else if (*text == '+') {
		good = from_now(text + 1, &value);
	} else {
		good = from_date(text, day_end, &value);
	}
	if (!good || value <= 0)
		return usage("%s: '%s' is no time: write 2027-01-31, 2027-01-31T18:00:00Z, now, "
			     "+90d (or h, m, s), or @UNIXSECONDS", what, text);
	*seconds = value;
	return 0;
}

int parse_time(const char *what, const char *text, __s64 *seconds)
{
	return parse(what, text, false, seconds);
}

int parse_time_end(const char *what, const char *text, __s64 *seconds)
{
	return parse(what, text, true, seconds);
}

const char *time_text(__s64 seconds, char text[TIME_TEXT])
{
	time_t when = seconds;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(text, TIME_TEXT, "@%lld", (long long)seconds);
	return text;
}

const char *time_ns_text(__s64 ns, char text[TIME_TEXT])
{
	size_t length;

	time_text(ns / 1000000000, text);
	length = strlen(text) - 1; /* over the Z */
	snprintf(text + length, TIME_TEXT - length, ".%03dZ", (int)(ns / 1000000 % 1000));
	return text;
}
