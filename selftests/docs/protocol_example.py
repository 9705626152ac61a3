#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
What docs/protocol.md shows is right: every value of its worked example follows from the keys and
from what the client knows, the packets are those values with correct checksums, a server reads
them, and the figures that the text computes are so. The tables of reasons in docs/ are those of
include/tap/reasons.h. Prints a line for each check.
"""
import ipaddress
import json
import pathlib
import re
import struct
import sys

sys.dont_write_bytecode = True  # leave nothing in the source tree
import wire

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
failed = False


def check(what, wrong):
	"""wrong: what is, line by line; nothing: the check passed."""
	global failed
	print(f"{'not ok' if wrong else 'ok'} {what}")
	for line in wrong:
		print(f"    {line}", file=sys.stderr)
	failed |= bool(wrong)


def section(title, text=DOCUMENT):
	found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^\1 |\Z)", text, re.M | re.S)
	return found.group(2) if found else ""


EXAMPLE = section("A worked example")


def given(name):
	"""The hexadecimal value of a line `name = value` of the example, and of lines that go on with it."""
	found = re.search(rf"^    {name} += ([0-9a-f]+)\b.*\n((?:     +[0-9a-f]{{32}}\n)*)", EXAMPLE, re.M)
	return found.group(1) + "".join(found.group(2).split()) if found else ""


def number(name):
	return int(given(name) or "0", 16)


# --- The example's values -----------------------------------------------------------------------

P, S, U = (bytes.fromhex(given(name)) for name in "PSU")
ISN, SEC, KEYID, FRAC, FLAGS, PORT, SPORT, MARK = map(
	number, ("ISN", "SEC", "KEYID", "FRAC", "FLAGS", "PORT", "SPORT", "mark"))
SRC, DST = "192.0.2.10", "198.51.100.255"


def missing_lines(lines):
	"""Those of the lines that the example has not; blanks are as good as each other."""
	have = {" ".join(line.split()) for line in EXAMPLE.splitlines()}
	return [f"the example has no line: {line}" for line in lines
		if not any(h == line or h.startswith(line + " ") for h in have)]


def values():
	"""Every computed line of the example, from the keys on; the sequence numbers."""
	tag_key, veil_key, mark_key = wire.k_tag(U, P), wire.k_veil(S, P), wire.k_mark(S, P)
	tag = wire.siphash(tag_key, wire.message(ISN, SEC, KEYID, FRAC, FLAGS, PORT, wire.VEILED, DST, SRC))
	seqs = wire.encode(wire.VEILED, veil_key, tag, ISN, SEC, FRAC, KEYID, FLAGS)
	mask = wire.veil(veil_key, ISN, seqs[3])
	plain1 = f"{KEYID:04x} {FRAC:x} {tag >> 32 & 0xfff:03x}"
	plain2 = f"{SEC & 0xffff:04x} {tag >> 44 & 0xfff:03x} {FLAGS:x}"
	joined1, joined2 = plain1.replace(" ", ""), plain2.replace(" ", "")
	return [
		f"K_tag = {tag_key.hex()}",
		f"K_veil = {veil_key.hex()}",
		f"K_mark = {mark_key.hex()}",
		f"SipHash(K_mark, {MARK:04x}) = {wire.siphash(mark_key, struct.pack('>H', MARK)):016x}",
		f"T = SipHash(K_tag, M) = {tag:016x}",
		f"field3 = T[31:0] = {seqs[3]:08x}",
		f"mask = SipHash(K_veil, {ISN:08x} {seqs[3]:08x}) = {mask:016x}",
		f"plain1 = KEYID FRAC T[43:32] = {plain1} = {joined1}",
		f"plain2 = SEC[15:0] T[55:44] FLAGS = {plain2} = {joined2}",
		f"field1 = plain1 XOR mask[31:0] = {joined1} XOR {mask & 0xffffffff:08x} = {seqs[1]:08x}",
		f"field2 = plain2 XOR mask[63:32] = {joined2} XOR {mask >> 32:08x} = {seqs[2]:08x}",
	], seqs


def message_rows():
	"""What is wrong with the table of the message's bytes."""
	rows = re.findall(r"^\| (\d+) \| `([0-9a-f ]+)` \|", EXAMPLE, re.M)
	shown, wrong = b"", []
	for offset, data in rows:
		if int(offset) != len(shown):
			wrong.append(f"offset {offset} of the message should be {len(shown)}")
		shown += bytes.fromhex(data)
	message = wire.message(ISN, SEC, KEYID, FRAC, FLAGS, PORT, wire.VEILED, DST, SRC)
	if shown != message:
		wrong.append(f"the message is {message.hex(' ')}, the table has {shown.hex(' ')}")
	return wrong


# --- The example's packets ----------------------------------------------------------------------


def checksum_is_right(data):
	"""Whether 16-bit words with their checksum among them sum to all ones."""
	total = sum(word for (word,) in struct.iter_unpack(">H", data + bytes(len(data) % 2)))
	while total >> 16:
		total = (total & 0xffff) + (total >> 16)
	return total == 0xffff


def dumps():
	"""The packets of the example, in order."""
	packets = []
	for offset, data in re.findall(r"^    ([0-9a-f]{4})  ((?:[0-9a-f]{2} ?)+)$", EXAMPLE, re.M):
		if offset == "0000":
			packets.append(b"")
		if packets and int(offset, 16) == len(packets[-1]):
			packets[-1] += bytes.fromhex(data)
	return packets


def unchanged(packet):
	"""All but source port, sequence number, window and TCP checksum."""
	return packet[:20] + packet[22:24] + packet[28:34] + packet[38:]


def packet_faults(name, packet, original, sport, window, seq):
	if len(packet) != len(original) or len(packet) < 40:
		return [f"{name} has {len(packet)} bytes"]
	wrong = []
	tcp = packet[20:]
	pseudo = packet[12:20] + struct.pack(">BBH", 0, 6, len(tcp))
	if not checksum_is_right(packet[:20]):
		wrong.append(f"{name}: wrong IP checksum")
	if not checksum_is_right(pseudo + tcp):
		wrong.append(f"{name}: wrong TCP checksum")
	if packet[0] != 0x45 or struct.unpack(">H", packet[2:4])[0] != len(packet) or packet[9] != 6:
		wrong.append(f"{name}: no IPv4 packet of its length with TCP in it")
	if packet[12:20] != ipaddress.ip_address(SRC).packed + ipaddress.ip_address(DST).packed:
		wrong.append(f"{name}: other addresses than {SRC} and {DST}")
	if struct.unpack(">HHII", tcp[:12]) != (sport, PORT, seq, 0):
		wrong.append(f"{name}: ports and numbers are not {sport}, {PORT}, {seq:#x} and 0")
	if tcp[12] >> 4 != len(tcp) // 4 or tcp[13] != 2 or struct.unpack(">H", tcp[14:16])[0] != window:
		wrong.append(f"{name}: no SYN with window {window}")
	if unchanged(packet) != unchanged(original):
		wrong.append(f"{name}: differs from SYN-ORIG where it should not")
	return wrong


def packets_wrong(seqs):
	found = dumps()
	if len(found) != 6:
		return [f"{len(found)} packets instead of 6"], []
	original, *four, admitted = found
	others = re.search(r"of SYN1, SYN2, SYN3: ([0-9a-f]{4}) ([0-9a-f]{4}) ([0-9a-f]{4})", EXAMPLE)
	ports = [int(p, 16) for p in others.groups()] if others else [0, 0, 0]
	kernels = struct.unpack(">H", original[34:36])[0]
	wrong = packet_faults("SYN-ORIG", original, original, SPORT, kernels, ISN)
	for i, name in enumerate(("SYN1", "SYN2", "SYN3")):
		wrong += packet_faults(name, four[i], original, ports[i], MARK, seqs[i + 1])
	wrong += packet_faults("SYN0", four[3], original, SPORT, MARK, ISN)
	wrong += packet_faults("what is passed on", admitted, original, SPORT, 65535, ISN)
	if len({SPORT, *ports}) != 4:
		wrong.append("the four source ports are not distinct")
	if kernels == MARK:
		wrong.append("the mark is the window that the kernel chose")
	return wrong, [struct.unpack(">I", p[24:28])[0] for p in four]


def reading_wrong(seqs):
	"""A server with this key reads the packets, as they are sent and in another order."""
	keys = {KEYID: [wire.k_tag(U, P)], 1: [wire.k_tag(bytes(32), P)]}
	wrong = []
	for order in ((0, 1, 2, 3), (3, 1, 0, 2)):
		got = wire.decode(wire.VEILED, [wire.k_veil(S, P)], keys, SEC + 29, 30, PORT,
				  [seqs[i] for i in order] if len(seqs) == 4 else [0] * 4, DST, SRC)
		if got != (order.index(3), KEYID, SEC):
			wrong.append(f"read in the order {order} they are {got}")
	return wrong


def in_vectors(seqs):
	path = ROOT / "selftests/vectors/groups.json"
	groups = json.loads(path.read_text(encoding="utf-8"))["groups"]
	return [] if any(group.get("seq") == list(seqs) for group in groups) else [
		f"no group of {path.name} has these sequence numbers"]


# --- What else the text computes ----------------------------------------------------------------


def figures_wrong():
	groups = 14.9e6 / 4  # a second
	marks = sum(wire.is_mark(wire.k_mark(S, P), w) for w in range(65536))
	windows = [int(w) for w in re.search(r"use by default is a \[mark\].*?\n\n(.*?)\n\n", DOCUMENT,
					    re.S).group(1).split()]
	facts = (
		("default rate", 131072 // (8 * 30 + 8) == 528, "528 a second with 131072 records"),
		("veiled", 150 <= 2 ** 56 / (4 * groups) / (365.25 * 86400) < 155, "about 150 years"),
		("classic", (round(2 ** 30 / (2 * groups)), int(2 ** 30 / groups)) == (144, 288),
		 "144 to 289 seconds"),
		("marks", (65536 - 1024) / 64 == 1008 and 900 < marks < 1120, "1008 on average"),
		("epoch", round(2 ** 30 / 1e9, 2) == 1.07, "every 1.07 s"),
		("noise", 24 / 4 == 6, "6 N / 65536"),
	)
	wrong = [f"{name}: the text does not have \"{text}\", or it is not so"
		 for name, right, text in facts if not right or text not in " ".join(DOCUMENT.split())]
	if tuple(windows) != wire.COMMON_WINDOWS:
		wrong.append("the list of common windows is another")
	wrong += [f"{w} is a mark of the example's realm" for w in windows
		  if wire.is_mark(wire.k_mark(S, P), w)]
	return wrong


# --- Reasons ------------------------------------------------------------------------------------


def header_list(name):
	"""(label, text) of every X() of a list in reasons.h."""
	text = (ROOT / "include/tap/reasons.h").read_text(encoding="utf-8")
	body = re.search(rf"#define {name}\(X\)(.*?)\n\n", text, re.S).group(1)
	return re.findall(r'X\((\w+),\s*"(.*?)"\)', body)


def table_wrong(title):
	rows = re.findall(r"^\| `(\w+)` \| (.*?) \|$", section(title), re.M)
	want = header_list("TAP_REASONS") + header_list("TAP_SPLITS")
	if rows == want:
		return []
	return [f"only the header has: {item}" for item in want if item not in rows] + [
		f"only the document has: {item}" for item in rows if item not in want] or ["another order"]


def labels_elsewhere():
	"""Labels in tables of other texts that are none, and a list in the manual page that is not whole."""
	labels = {label for label, _ in header_list("TAP_REASONS") + header_list("TAP_SPLITS")}
	operations = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
	rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section("When a connection times out", operations), re.M)
	named = [label for row in rows for label in re.findall(r"`(\w+)`", row)]
	wrong = [f"docs/operations.md: {label} is no reason" for label in named if label not in labels]
	if len(named) < 10:
		wrong.append(f"docs/operations.md: only {len(named)} reasons found")
	manual = (ROOT / "docs/tapctl.8.scd").read_text(encoding="utf-8")
	listed = {label for label, _ in header_list("TAP_REASONS")
		  if re.search(rf"^(\|? ?)?[*_]{label}[*_]", manual, re.M)}
	if len(listed) > 5:  # a list of them, and not a word or two
		wrong += [f"docs/tapctl.8.scd: {label} is missing in the list of reasons"
			  for label, _ in header_list("TAP_REASONS") if label not in listed]
	return wrong


def main():
	sizes = [f"{name} has {len(key)} bytes" for name, key, size in (("P", P, 16), ("S", S, 32), ("U", U, 32))
		 if len(key) != size]
	check("protocol.md: the example has its keys", sizes)
	if sizes:
		return 1
	lines, seqs = values()
	check("protocol.md: every value of the example follows from its keys", missing_lines(lines))
	check("protocol.md: the example's mark is one", [] if wire.is_mark(wire.k_mark(S, P), MARK) else ["no"])
	check("protocol.md: the message, byte by byte", message_rows())
	wrong, sent = packets_wrong(seqs)
	check("protocol.md: the packets have those values and correct checksums", wrong)
	check("protocol.md: a server reads the packets", reading_wrong(sent))
	check("protocol.md: the example is a group of the vectors", in_vectors(seqs))
	check("protocol.md: the computed figures", figures_wrong())
	check("protocol.md: the reasons are those of reasons.h", table_wrong("Reasons"))
	check("docs: labels of reasons elsewhere", labels_elsewhere())
	return failed


if __name__ == "__main__":
	sys.exit(main())
