#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
What docs/protocol.md says makes and reads groups as the vectors have them, which an independent
implementation made: the document as a program (wire.py) agrees with every realm, group and reading.

    protocol_vectors.py [FILE]    selftests/vectors/groups.json
"""
import collections
import json
import pathlib
import sys

sys.dont_write_bytecode = True  # leave nothing in the source tree
import wire

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check_realm(realm):
	key = bytes.fromhex(realm["realm_key"])
	realm_id, secret = wire.split_realm_key(key)
	mark_key = wire.k_mark(secret, realm_id)
	marks = [w for w in range(65536) if wire.is_mark(mark_key, w)]
	return (realm_id.hex() == realm["realm_id"] and len(secret) == 32 and
		wire.k_veil(secret, realm_id).hex() == realm["k_veil"] and
		mark_key.hex() == realm["k_mark"] and len(marks) == realm["marks"] and
		marks[:8] == realm["first_marks"] and marks[-8:] == realm["last_marks"] and
		not set(marks) & set(wire.COMMON_WINDOWS))


def check_group(group):
	realm_id, secret = wire.split_realm_key(bytes.fromhex(group["realm_key"]))
	encoding = wire.ENCODINGS[group["encoding"]]
	tag_key = wire.k_tag(bytes.fromhex(group["user_key"]), realm_id)
	fields = [group[name] for name in ("isn", "sec", "key_id", "frac", "flags", "port")]
	tag = wire.siphash(tag_key, wire.message(*fields, encoding, group["dst"], group["src"]))
	seqs = wire.encode(encoding, wire.k_veil(secret, realm_id), tag, group["isn"], group["sec"],
			   group["frac"], group["key_id"], group["flags"])
	return (tag_key.hex() == group["k_tag"] and tag == int(group["tag"], 16) and
		list(seqs) == group["seq"])


def check_reading(reading):
	realms = [wire.split_realm_key(bytes.fromhex(key)) for key in reading["realms"]]
	keys = {int(key_id): [wire.k_tag(bytes.fromhex(user_key), realms[0][0])]
		for key_id, user_key in reading["keys"].items()}
	got = wire.decode(wire.ENCODINGS[reading["encoding"]],
			  [wire.k_veil(secret, realm_id) for realm_id, secret in realms], keys,
			  reading["now"], reading["skew"], reading["port"], reading["seq"], reading["dst"],
			  reading["src"])
	if "reason" in reading:
		return got == (reading["reason"],)
	return got == (reading["syn0"], reading["key_id"], reading["sec"])


def main():
	path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "selftests/vectors/groups.json"
	vectors = json.loads(path.read_text(encoding="utf-8"))
	bad = False
	if "v3" not in vectors["about"]:
		print(f"not ok vectors: {path.name} is not of version 3 of the protocol")
		return 1
	for kind, check, least in (("realms", check_realm, 3), ("groups", check_group, 64),
				   ("readings", check_reading, 94)):
		wrong = [i for i, item in enumerate(vectors[kind]) if not check(item)]
		good = len(vectors[kind]) >= least and not wrong
		print(f"{'ok' if good else 'not ok'} vectors: {len(vectors[kind]) - len(wrong)} of "
		      f"{len(vectors[kind])} {kind} agree" + (f"; wrong: {wrong}" if wrong else ""))
		bad |= not good
	counts = collections.Counter(item.get("reason", "right tag") for item in vectors["readings"])
	print("# readings: " + ", ".join(f"{n} {reason}" for reason, n in counts.most_common()))
	return bad


if __name__ == "__main__":
	sys.exit(main())
