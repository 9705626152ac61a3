/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verbs: one small file each, declared here for the table in commands.c. What they get and
 * return: struct command in user/tapctl.h.
 */
#ifndef TAP_VERBS_H
#define TAP_VERBS_H

#include "user/tapctl.h"

#define VERB(name) int name(const struct tapctl *tapctl, int argc, char **argv)

/* Secrets */
VERB(realm_gen);
VERB(realm_rotate);
VERB(key_gen);
VERB(key_derive);

/* The server */
VERB(server_load);
VERB(server_unload);
VERB(service_add);
VERB(service_del);
VERB(service_list);
VERB(service_import);
VERB(key_add);
VERB(key_rotate);
VERB(key_revoke);
VERB(key_del);
VERB(key_list);
VERB(key_import);
VERB(acl_allow);
VERB(acl_deny);
VERB(acl_list);

/* The client */
VERB(client_load);
VERB(client_unload);
VERB(peer_add);
VERB(peer_update);
VERB(peer_del);
VERB(peer_list);
VERB(rule_add);
VERB(rule_del);
VERB(rule_list);
VERB(rule_import);

/* Both */
VERB(status_show);
VERB(stats_show);
VERB(events_show);

#undef VERB

#endif /* TAP_VERBS_H */
