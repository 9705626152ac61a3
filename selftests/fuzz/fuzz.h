/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all fuzz targets share: libFuzzer's two entry points, reading the input piece by piece, and
 * what to do where a property does not hold.
 */
#ifndef TAP_FUZZ_H
#define TAP_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the code under test; libFuzzer keeps the input that breaks it. */
#define MUST(property, ...)                                                                        \
	do {                                                                                       \
		if (!(property))                                                                   \
			fuzz_broken(__FILE__, __LINE__, #property, __VA_ARGS__);                   \
	} while (0)

void fuzz_broken(const char *file, int line, const char *property, const char *format, ...)
	__attribute__((noreturn, format(printf, 4, 5)));

/* What is left of the input. Beyond its end everything is 0. */
struct input {
	const uint8_t *at;
	size_t left;
};

uint8_t take8(struct input *input);
uint16_t take16(struct input *input);
uint32_t take32(struct input *input);
uint64_t take64(struct input *input);
void take(struct input *input, void *bytes, size_t length);
uint32_t take_below(struct input *input, uint32_t n); /* 0 to n - 1 */

/* All that is left, as a string for free(); zero bytes in it end it early. */
char *take_text(struct input *input);

#endif /* TAP_FUZZ_H */
