/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one list of outcomes, for both sides. The enums, the counters' field names (which bpftool
 * prints), the labels of `tapctl -j stats`, its help and the tables in docs/ all come from here.
 * Every segment that the gate judges ends in exactly one reason (protocol.md, "Reasons").
 */
#ifndef TAP_REASONS_H
#define TAP_REASONS_H

/*
 * X(label, text): in the order in which a segment or a group is judged, so that of two readings of
 * one group the one that got further has the greater value.
 */
#define TAP_REASONS(X)                                                                             \
	X(service_drop, "a service rule says drop")                                                \
	X(fragment, "IP fragment that could carry a SYN past the gate")                            \
	X(malformed, "broken TCP header or options, or too many IPv6 extension headers")           \
	X(stray, "no SYN and of no connection: at a stealth service, or where SYN cookies open")   \
	X(no_mark, "the window is no mark of this realm: a stranger")                              \
	X(duplicate, "this segment was already waiting for the rest of its group")                 \
	X(collecting, "kept: the rest of its group is still to come")                              \
	X(unreadable, "four segments, but no reading of them makes a group")                       \
	X(version, "the group has a flag that this version does not know")                         \
	X(skew, "the group's time is too far from this server's")                                  \
	X(unknown_key, "no key with this key ID")                                                  \
	X(key_inactive, "the key is revoked, expired or not yet valid")                            \
	X(acl, "the key is not allowed at this service")                                           \
	X(tag, "the tag is wrong: another key, port or realm, or a guess")                         \
	X(unbound, "the tag does not cover the address that the service requires")                 \
	X(replay_window, "too old to be sure that it is no replay")                                \
	X(rate, "the key has used up its admissions of this second")                               \
	X(replay, "this very group was admitted before")                                           \
	X(admitted, "the group's SYN went on to the TCP stack")

enum tap_reason {
#define X(label, text) TAP_REASON_##label,
	TAP_REASONS(X)
#undef X
	TAP_REASON_COUNT
};

/* X(label, text): what the splitter did with each SYN that left through its device. */
#define TAP_SPLITS(X)                                                                              \
	X(split, "SYNs that became a group of four")                                               \
	X(passed, "SYNs that no client rule matches")                                              \
	X(failed, "SYNs that should have been split and could not be")                             \
	X(own, "SYNs of a group, seen again on their way out")                                     \
	X(port_reused, "segments sent from the SYN's own port, because no free one was found")

enum tap_split {
#define X(label, text) TAP_SPLIT_##label,
	TAP_SPLITS(X)
#undef X
	TAP_SPLIT_COUNT
};

#endif /* TAP_REASONS_H */
