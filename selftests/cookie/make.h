/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes good SYN cookies, which a stranger has to guess.
 */
#ifndef TAP_SELFTESTS_COOKIE_MAKE_H
#define TAP_SELFTESTS_COOKIE_MAKE_H

#include "selftests/common/packet.h"

/*
 * Makes the packet, whatever it is, the ACK that ends a handshake which never began: its seq stays,
 * its ack is a good cookie's. Addresses and ports must be in it. Exits when that is impossible.
 */
void cookie_make(struct packet *packet);

#endif /* TAP_SELFTESTS_COOKIE_MAKE_H */
