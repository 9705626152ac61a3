/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The codes of what `tapctl status` warns of: the one list of them. Monitoring relies on the codes,
 * so a code keeps its name and its meaning. The table of the man page is checked against this list
 * (selftests/e2e/papers.sh).
 */
#ifndef TAP_WARNINGS_H
#define TAP_WARNINGS_H

#define TAP_WARNINGS(X, arg)                                                                     \
	X(unfinished, "a load, an unload or a rotation was cut short, and left a part of its work", arg) \
	X(not_attached, "the gate, or the splitter, is attached to no interface", arg)               \
	X(device_gone, "an interface was removed, or the program was taken off it", arg)             \
	X(no_service, "no service is protected: the gate passes everything", arg)                    \
	X(no_usable_key, "no key opens a service: none that it takes is valid now", arg)             \
	X(never_matches, "an earlier service or rule takes all that a later one is for", arg)        \
	X(rule_device_gone, "a service or rule names an interface that is not there", arg)           \
	X(rule_device_renamed, "an interface that a service or rule names has another name now", arg) \
	X(device_without_gate, "a service names an interface that the gate is not attached to", arg) \
	X(device_without_splitter, "a rule names an interface without the splitter", arg)            \
	X(monitor, "the gate judges and counts, but drops nothing", arg)                             \
	X(not_admitting_yet, "the gate has just started, and admits nobody yet", arg)                \
	X(no_rule, "the client has no rule: the splitter changes nothing", arg)                      \
	X(clock_unsynchronised, "nothing is known to keep this machine's clock right", arg)          \
	X(clock_offset, "the clock of the gate, or of the splitter, was shifted on purpose", arg)    \
	X(old_secret_in_use, "clients still use the realm's old secret during a rotation", arg)      \
	X(replay_rate, "one key alone can fill the replay window and shut out all others", arg)      \
	X(cookie_acks, "a guessed SYN cookie can open a connection to a service", arg)

#define WARNING_IS(code, text, wanted) !__builtin_strcmp(#code, wanted) ||
#define WARNING_HELP(code, text, arg) "  " #code "\n      " text "\n"

/* Whether CODE, a string literal, is in the list: a constant. */
#define WARNING_LISTED(code) (TAP_WARNINGS(WARNING_IS, code) 0)

/* The list for --help. */
#define WARNINGS_HELP TAP_WARNINGS(WARNING_HELP, )

#endif /* TAP_WARNINGS_H */
