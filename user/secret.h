/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `realm gen` and `key gen` share: both make 32 random bytes.
 */
#ifndef TAP_SECRET_H
#define TAP_SECRET_H

#include "user/tapctl.h"

/*
 * The verb of a secret called `what`: reads [-o FILE], makes it and writes it. A realm key's
 * fingerprint is told, too.
 */
int secret_gen(const struct tapctl *tapctl, int argc, char **argv, const char *what, bool realm);

#endif /* TAP_SECRET_H */
