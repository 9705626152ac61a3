/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts what passed and what failed, for test programs that go on after a failure.
 */
#ifndef TAP_SELFTESTS_CHECK_H
#define TAP_SELFTESTS_CHECK_H

#include <stdbool.h>

/* Counts one check; prints "FAIL: ..." when it did not hold. Returns ok. */
bool check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A check that this machine cannot do; printed and counted, and no success. */
void check_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints "N passed, N failed" (and skips); what main() returns. */
int check_summary(const char *program);

/* Prints why and exits: without this, nothing can be tested. */
void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif /* TAP_SELFTESTS_CHECK_H */
