// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a fuzz target's input piece by piece; see fuzz.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "selftests/fuzz/fuzz.h"

void fuzz_broken(const char *file, int line, const char *property, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: does not hold: %s: ", file, line, property);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

void take(struct input *input, void *bytes, size_t length)
{
	size_t there = length < input->left ? length : input->left;

	memset(bytes, 0, length);
	if (!there)
		return;
	memcpy(bytes, input->at, there);
	input->at += there;
	input->left -= there;
}

uint8_t take8(struct input *input)
{
	uint8_t value;

	take(input, &value, sizeof(value));
	return value;
}

uint16_t take16(struct input *input)
{
	uint16_t value;

	take(input, &value, sizeof(value));
	return value;
}

uint32_t take32(struct input *input)
{
	uint32_t value;

	take(input, &value, sizeof(value));
	return value;
}

uint64_t take64(struct input *input)
{
	uint64_t value;

	take(input, &value, sizeof(value));
	return value;
}

uint32_t take_below(struct input *input, uint32_t n)
{
	return (n <= 256 ? take8(input) : n <= 65536 ? take16(input) : take32(input)) % n;
}

char *take_text(struct input *input)
{
	char *text = malloc(input->left + 1);

	if (!text)
		abort();
	memcpy(text, input->at, input->left);
	text[input->left] = '\0';
	input->at += input->left;
	input->left = 0;
	return text;
}
