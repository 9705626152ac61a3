// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain words: numbers, one of several, names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/parse.h"
#include "user/tapctl.h"

int parse_number(const char *what, const char *text, unsigned int min, unsigned int max,
		 unsigned int *out)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long long value;

	errno = 0;
	value = strtoull(text, NULL, 10);
	if (!digits || text[digits] || errno || value < min || value > max)
		return usage("%s: '%s' is no number from %u to %u", what, text, min, max);
	*out = value;
	return 0;
}

int parse_key_id(const char *text, __u16 *id)
{
	unsigned int number;
	int err = parse_number("key ID", text, TAP_KEY_ID_MIN, TAP_KEY_ID_MAX, &number);

	if (!err)
		*id = number;
	return err;
}

int parse_choice(const char *what, const char *text, const char *const *words, __u8 *index)
{
	char list[128] = "";
	__u8 i;

	for (i = 0; words[i]; i++) {
		if (!strcmp(text, words[i])) {
			*index = i;
			return 0;
		}
		if (i)
			strncat(list, words[i + 1] ? ", " : " or ", sizeof(list) - strlen(list) - 1);
		strncat(list, words[i], sizeof(list) - strlen(list) - 1);
	}
	return usage("%s: '%s' is none of %s", what, text, list);
}

static const char *const encodings[] = {
	[TAP_ENCODING_CLASSIC] = "classic", [TAP_ENCODING_VEILED] = "veiled", NULL
};

int parse_encoding(const char *text, __u8 *encoding)
{
	if (!strcmp(text, "both"))
		return usage("--encoding both is gone, because strangers could then choose the weaker "
			     "one: give a service that old clients need its own, `service add ... "
			     "--encoding classic`");
	return parse_choice("--encoding", text, encodings, encoding);
}

const char *encoding_text(__u8 encoding)
{
	return encoding == TAP_ENCODING_CLASSIC ? "classic" : "veiled";
}

int parse_bind(const char *text, const char *unbound, __u8 *bind)
{
	const char *const words[] = {
		[TAP_BIND_ANY] = unbound, [TAP_BIND_DST] = "dst",
		[TAP_BIND_SRC] = "src",	  [TAP_BIND_BOTH] = "both", NULL,
	};

	return parse_choice("--bind", text, words, bind);
}

const char *bind_text(__u8 bind, const char *unbound)
{
	const char *const words[] = {
		[TAP_BIND_ANY] = unbound, [TAP_BIND_DST] = "dst",
		[TAP_BIND_SRC] = "src",	  [TAP_BIND_BOTH] = "both",
	};

	return bind <= TAP_BIND_BOTH ? words[bind] : "unknown";
}

int parse_name(const char *what, const char *text, bool person, char name[TAP_NAME_BYTES])
{
	const char *allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@+";
	size_t length = strlen(text);

	if (!length || length >= TAP_NAME_BYTES || text[strspn(text, allowed)] ||
	    (!person && strpbrk(text, "@+")))
		return usage("%s: '%s' is no name: use 1 to %d of A-Z a-z 0-9 . _ -%s", what, text,
			     TAP_NAME_BYTES - 1, person ? " @ +" : "");
	memset(name, 0, TAP_NAME_BYTES);
	memcpy(name, text, length);
	return 0;
}
