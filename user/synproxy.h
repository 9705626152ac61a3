/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether this network namespace has a SYN proxy.
 */
#ifndef TAP_SYNPROXY_H
#define TAP_SYNPROXY_H

#include <stdbool.h>

/* A rule or an object of nftables, or a rule of iptables. True if it cannot be found out. */
bool synproxy_in_use(void);

#endif /* TAP_SYNPROXY_H */
