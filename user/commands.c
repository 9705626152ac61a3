// SPDX-License-Identifier: GPL-2.0-only
/*
 * THE table of commands. Dispatch, usage lines and every --help page come from here; the order is
 * that of the overall help.
 */
#include "user/verbs.h"
#include "user/warnings.h"

#define PEER_OPTIONS                                                                               \
	"[--encoding veiled|classic] [--mark sealed|open]\n"                                       \
	"[--ports distinct|shared] [--bind none|dst|src|both]"

#define TIMES                                                                                      \
	"TIME is a date or date-time (2027-01-31, 2027-01-31T18:00:00Z), now, or +90d, +12h, +30m.\n" \
	"A date alone means from its first second, or to its last, in local time.\n"

const struct command commands[] = {
	/* Secrets */
	{ "realm", "gen", "[-o FILE] [--rotate OLD]",
	  "make a realm key: it names one server, all its clients have it",
	  "48 bytes, base64, on stdout or in FILE (mode 0600; an existing file is kept): an ID, which\n"
	  "is public and stays, and a secret, which hides the realm from strangers.\n\n"
	  "  --rotate OLD  the ID of this realm key and a new secret: for when somebody leaves\n\n"
	  "Example: tapctl realm gen -o /etc/tap/realm.key",
	  realm_gen },
	{ "realm", "rotate", "--realm-key NEW [--overlap SECONDS]",
	  "give a running gate a new secret; the old one works a while longer",
	  "No connection is lost on the way. Both secrets are taken for SECONDS (default 3600; 0\n"
	  "ends the old one at once), in which the clients get the new one: `tapctl peer update NAME\n"
	  "--realm-key NEW`; `tapctl status` shows which keys still use the old one. Users keep\n"
	  "their keys. A second rotation has to wait until the old secret has ended.\n\n"
	  "Example: tapctl realm gen --rotate realm.key -o new.key &&\n"
	  "         tapctl realm rotate --realm-key new.key --overlap 604800",
	  realm_rotate },
	{ "key", "gen", "[-o FILE]", "make a user key: it proves who connects",
	  "32 random bytes, base64, on stdout or in FILE (mode 0600; an existing file is kept).\n\n"
	  "Example: tapctl key gen -o alice.key",
	  key_gen },
	{ "key", "derive", "--realm-key FILE --user-key FILE|- [-o FILE]",
	  "make the tag key, all that a server needs of a user key",
	  "A user who trusts the server with as little as possible hands over the tag key: it opens\n"
	  "this realm and no other. The server takes it by `key add ID --user-key FILE --tag-key`.\n\n"
	  "Example: tapctl key derive --realm-key realm.key --user-key alice.key -o alice.tag",
	  key_derive },

	/* The server */
	{ "server", "load",
	  "-i IF[,IF...] --realm-key FILE [--mode auto|native|generic]\n"
	  "[--shared] [--encoding veiled|classic] [--mark sealed|open]\n"
	  "[--group-by mark,ts|mark|ts] [--skew SECONDS] [--replay-size N]\n"
	  "[--monitor[=on|off]]",
	  "attach the gate to interfaces, or reload it with new settings",
	  "Without services the gate passes everything: loading it cuts no connection, and services\n"
	  "only ever judge new ones.\n\n"
	  "  -i, --interface IF  one or more interfaces, all or none of them are attached\n"
	  "  --realm-key FILE    the realm key, as `realm gen` made it; - reads stdin\n"
	  "  --mode              native: in the driver, fast. generic: works on every device.\n"
	  "                      auto (default): native where the driver has it\n"
	  "  --shared            through libxdp's dispatcher, beside other XDP programs\n"
	  "  --encoding          of the groups that services take which do not name their own.\n"
	  "                      veiled (default): 56 bits of tag, nothing to see. classic: as in the\n"
	  "                      2005 paper, 30 bits, for study and for old clients\n"
	  "  --mark              sealed (default): strangers' SYNs are dropped before any state is\n"
	  "                      kept. open: for paths that rewrite the TCP window\n"
	  "  --group-by          what makes four SYNs a group (default mark,ts); leave out what a\n"
	  "                      path rewrites\n"
	  "  --skew SECONDS      how far clocks may be apart, 1 to 3600 (default 30)\n"
	  "  --replay-size N     admissions that are sure to be remembered (default 131072)\n"
	  "  --monitor           judge and count, but drop nothing: to try it out\n\n"
	  "A second load is a reload: the program is replaced in place without a gap, interfaces\n"
	  "named are added to those attached, and options not given keep their value. Keys and\n"
	  "services stay. The realm and --replay-size cannot change. For a new secret of\n"
	  "the realm there is `realm rotate`.\n\n"
	  "Where net.ipv4.tcp_syncookies is 2, or nftables or iptables have a SYN proxy, the program\n"
	  "drops ACKs of no connection at all tap services, because one random ACK in 2^29 bears a\n"
	  "good SYN cookie. Load again when you set up one of them later; `tapctl status` warns.\n\n"
	  "Example: tapctl server load -i eth0 --realm-key /etc/tap/realm.key",
	  server_load },
	{ "server", "unload", "[-i IF[,IF...]]", "detach the gate: the protected ports are open again",
	  "With -i from these interfaces: keys, services and replay records stay, also when it was\n"
	  "the last one, and a load attaches the gate again. Without -i from all interfaces, and\n"
	  "then all of that is forgotten.\n\n"
	  "Example: tapctl server unload -i eth0",
	  server_unload },
	{ "service", "add",
	  "PORT[-PORT] [--dst PREFIX] [--src PREFIX] [--dev IF]\n"
	  "[--action tap|pass|drop] [--public-port PORT]\n"
	  "[--public-address ADDR] [--encoding veiled|classic]\n"
	  "[--bind any|dst|src|both] [--stealth on|off] [--reject drop|rst]\n"
	  "[--keys ID[-ID],...|any] [--at N]",
	  "protect a port (or pass or drop it); the first match wins",
	  "  --dst, --src PREFIX  only SYNs to, from these addresses\n"
	  "  --dev IF             only SYNs that come in there. The name counts: it is looked up\n"
	  "                       again at each `server load`. The gate must be on IF itself\n"
	  "  --action             tap (default): only key holders get in. pass: ordinary TCP.\n"
	  "                       drop: nobody gets in\n"
	  "  --public-port PORT   what clients dial when a port forward stands before the server\n"
	  "                       (for a range of ports: what stands for its first one)\n"
	  "  --public-address ADDR  what clients dial when the address is translated on the way\n"
	  "                       (port forward, NAT); for all SYNs that match, whatever they were\n"
	  "                       sent to: one service for each such address\n"
	  "  --encoding           veiled or classic; else as the gate was loaded\n"
	  "  --bind               what clients' groups must be bound to. dst: the address they dial\n"
	  "                       (behind a NAT or port forward, give --public-address). src: their\n"
	  "                       own address (nothing may translate it). both. any (default): what\n"
	  "                       the client chose, nothing included\n"
	  "  --stealth on|off     on: segments that are no SYN and of no connection get silence,\n"
	  "                       too, so that no scan finds the port (default off)\n"
	  "  --reject drop|rst    what a refused segment gets: silence (default), or the RST of a\n"
	  "                       closed port; with rst, segments of no connection are refused, too.\n"
	  "                       rst and --stealth on exclude each other\n"
	  "  --keys               which keys may connect (default any)\n"
	  "  --at N               put it before rule N instead of last\n\n"
	  "Example: tapctl service add 22 --keys 1-20",
	  service_add },
	{ "service", "del", "N", "remove service rule N of `service list`",
	  "Prints what is open to everybody from then on, if anything.\n\n"
	  "Example: tapctl service del 2", service_del },
	{ "service", "list", "", "show the service rules in the order in which they are tried",
	  "Example: tapctl service list", service_list },
	{ "service", "import", "FILE|-", "add many service rules at once, all or none",
	  "Each line holds the arguments of one `service add`; # starts a comment.\n\n"
	  "Example: tapctl service import services.txt",
	  service_import },
	{ "key", "add",
	  "ID --user-key FILE|- [--tag-key] [--name NAME]\n"
	  "[--not-before TIME] [--not-after TIME] [--rate N]",
	  "let a user in",
	  "ID is a number from 1 to 65535 that the user's client sends.\n"
	  "  --tag-key  FILE holds what `key derive` made instead of the user key\n"
	  "  --rate N   admissions a second, 0: no limit. Default: a part of the replay window that\n"
	  "             leaves room for others, replay size / (8 * skew + 8)\n" TIMES "\n"
	  "Example: tapctl key add 10 --user-key alice.key --name alice --not-after +90d",
	  key_add },
	{ "key", "rotate", "ID --user-key FILE|- [--tag-key] [--overlap SECONDS]",
	  "give a user a new key; the old one works a while longer",
	  "Both keys are taken for SECONDS (default 3600; 0 ends the old one at once).\n\n"
	  "Example: tapctl key rotate 10 --user-key alice-new.key --overlap 86400",
	  key_rotate },
	{ "key", "revoke", "ID", "refuse a key from now on; it stays listed",
	  "Connections that are open live on.\n\n"
	  "Example: tapctl key revoke 10",
	  key_revoke },
	{ "key", "del", "ID", "forget a key",
	  "Connections that are open live on.\n\n"
	  "Example: tapctl key del 10",
	  key_del },
	{ "key", "list", "", "show the keys, never their secrets", "Example: tapctl -j key list", key_list },
	{ "key", "import", "FILE|-", "add many keys at once, all or none",
	  "Lines of: ID BASE64 [name=NAME] [not-before=TIME] [not-after=TIME] [rate=N] [tag]\n"
	  "# starts a comment; `tag` says that BASE64 is what `key derive` made.\n" TIMES "\n"
	  "Example: tapctl key import keys.txt",
	  key_import },
	{ "acl", "allow", "PORT ID[-ID],...", "let more keys use a service",
	  "A service that any key could use is from then on open to these only.\n\n"
	  "Example: tapctl acl allow 22 10,20-29",
	  acl_allow },
	{ "acl", "deny", "PORT ID[-ID],...", "take a service away from keys",
	  "A service that any key could use is from then on open to all but these.\n\n"
	  "Example: tapctl acl deny 22 13",
	  acl_deny },
	{ "acl", "list", "", "show which keys may use which service", "Example: tapctl acl list", acl_list },

	/* The client */
	{ "client", "load", "-i IF[,IF...] [--hook auto|tcx|clsact]",
	  "attach the splitter to interfaces, or reload it",
	  "Without rules the splitter leaves every packet as it is.\n\n"
	  "  -i, --interface IF  one or more interfaces, all or none of them are attached\n"
	  "  --hook              tcx needs Linux 6.6; clsact works on older ones. auto (default)\n"
	  "                      takes tcx where the kernel has it\n\n"
	  "A second load is a reload: the program is replaced in place, interfaces named are added.\n"
	  "Peers and rules stay.\n\n"
	  "Example: tapctl client load -i eth0",
	  client_load },
	{ "client", "unload", "[-i IF[,IF...]]", "detach the splitter: SYNs leave as they are",
	  "With -i from these interfaces: peers and rules stay, also when it was the last one.\n"
	  "Without -i from all interfaces, and then peers and rules are forgotten.\n\n"
	  "Example: tapctl client unload -i eth0",
	  client_unload },
	{ "peer", "add",
	  "NAME --realm-key FILE --user-key FILE --key-id ID\n" PEER_OPTIONS,
	  "name a server and the key to use there",
	  "Nothing is sent until a rule points to the peer. --encoding, --mark: as the server has them\n"
	  "(veiled, sealed). --ports shared: for paths that balance by port. --bind: what a group is\n"
	  "bound to, so that it opens nothing else. dst: the address that is dialled. src: this host's\n"
	  "own, if nothing translates it on the way. both. Default: none.\n\n"
	  "A realm has one secret: a second peer of the same realm with another one is refused.\n\n"
	  "Example: tapctl peer add office --realm-key realm.key --user-key alice.key --key-id 10",
	  peer_add },
	{ "peer", "update",
	  "NAME [--realm-key FILE] [--user-key FILE] [--key-id ID]\n" PEER_OPTIONS,
	  "change a peer; what is not given stays",
	  "A new key of the same realm needs no --user-key; that of another realm does.\n\n"
	  "Example: tapctl peer update office --realm-key new.key",
	  peer_update },
	{ "peer", "del", "NAME", "forget a peer that no rule uses", "Example: tapctl peer del office",
	  peer_del },
	{ "peer", "list", "", "show the peers, never their secrets", "Example: tapctl peer list",
	  peer_list },
	{ "rule", "add",
	  "--peer NAME --port PORT[-PORT],... [--dst PREFIX|HOST]\n"
	  "[--src PREFIX] [--dev IF] [--user NAME|UID]\n"
	  "[--type local|forward|any] [--at N]",
	  "use a peer's key for these connections; the first match wins",
	  "  --dst PREFIX|HOST  where to; a host name becomes one rule for each of its addresses\n"
	  "  --src PREFIX       only from these addresses\n"
	  "  --dev IF           only those that leave there. The name counts: it is looked up again\n"
	  "                     at each `client load`\n"
	  "  --user NAME|UID    only connections of this user (type local)\n"
	  "  --type             local (default): made on this machine. forward: routed by it.\n"
	  "  --at N             put it before rule N instead of last\n\n"
	  "Example: tapctl rule add --peer office --port 22,443 --dst 203.0.113.7",
	  rule_add },
	{ "rule", "del", "N", "remove client rule N of `rule list`", "Example: tapctl rule del 1",
	  rule_del },
	{ "rule", "list", "", "show the client rules in the order in which they are tried",
	  "Example: tapctl rule list", rule_list },
	{ "rule", "import", "FILE|-", "add many client rules at once, all or none",
	  "Each line holds the arguments of one `rule add`; # starts a comment.\n\n"
	  "Example: tapctl rule import rules.txt",
	  rule_import },

	/* Both */
	{ "status", NULL, "", "show what is loaded and attached, and what is wrong with it",
	  "Exit status: 0 all is well; 3 something is loaded, and there are warnings; 1 nothing is\n"
	  "loaded, or status cannot find out. With -j each warning is {\"code\": ..., \"text\": ...}.\n"
	  "The codes stay the same from version to version:\n\n" WARNINGS_HELP
	  "\nWhat to do about each: tapctl(8), WARNINGS.\n\n"
	  "Example: tapctl -j status",
	  status_show },
	{ "stats", NULL, "[--watch]", "count what became of the SYNs",
	  "Each segment that the gate judged has exactly one reason.\n\n"
	  "Example: tapctl -j stats",
	  stats_show },
	{ "events", NULL, "[--follow]", "show the last groups judged: who, from where, to what, why",
	  "Example: tapctl events --follow", events_show },
};

const size_t n_commands = sizeof(commands) / sizeof(commands[0]);
