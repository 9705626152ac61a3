/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interfaces on top of each other: a bridge on its ports, a VLAN or macvlan on its Ethernet device.
 * What comes in through one passes the other too, and a second gate would refuse what the first has
 * admitted and made into an ordinary SYN.
 */
#ifndef TAP_STACKING_H
#define TAP_STACKING_H

#include "user/interfaces.h"
#include "user/tapctl.h"

/*
 * -EINVAL after fail() if, with the gate on these interfaces besides where it is, one packet could
 * pass it twice; 0; or another negative errno after fail().
 */
int stacking_check(const struct tapctl *tapctl, const struct interfaces *named);

#endif /* TAP_STACKING_H */
