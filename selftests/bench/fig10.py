# SPDX-License-Identifier: GPL-2.0-only
"""
Figure 10 of the paper: floods of well-formed groups, which cost a gate most: it must judge each. A
hundred fetches at once meanwhile, again and again. The groups' maker is first shown to make groups
that are admitted when the key is right; a wrong or revoked key is all that the floods differ in.
"""
import contextlib
import statistics
import time

import lab
import result
from defences import FLOORS, PEERS

TITLE = "Floods of well-formed groups"
RATES = (14000, 100000, 300000, 0)  # groups a second; the paper's last; 0: as many as one CPU can
FETCHES = 100
CHECKED = 1000  # groups of each kind, to see that they are what they are to be
GIVE_UP_S = 5
WANTED = 500000  # groups a second
# What the fetches say of their times, and what to make of several hundreds of them.
OF_BATCHES = {"connect_p50_ms": statistics.median, "connect_p99_ms": statistics.median, "connect_max_ms": max}
# What the gate says of groups that it refuses.
REFUSALS = ("unreadable", "version", "skew", "unknown_key", "key_inactive", "acl", "tag", "unbound", "rate",
	    "replay_window", "replay")

# The server has key a as 7, b as 8 and c, revoked, as 9.
CLOSED_PORT = 81  # protected, and nobody listens
RIGHT = ("--user-key", lab.key("b"), "--key-id", "8")
FLOODS = {
	"wrong key": ("--user-key", lab.key("b"), "--key-id", "7"),
	"captured mark": (*RIGHT, "--noise"),
	"revoked key": ("--user-key", lab.key("c"), "--key-id", "9"),
}
COOKIES = "SYN cookies"  # the first flood, against a server without TAP


def _groups(seconds, *options, port=lab.PORT):
	"""The words that make groups for that port."""
	return lab.flood(seconds, "--realm-key", lab.key("realm"), *options, port=port, program=lab.GROUPS)


def _reasons():
	return lab.tap_json("server", "stats")["server"]["reasons"]


def _refused():
	reasons = _reasons()
	return sum(reasons[label] for label in REFUSALS)


@contextlib.contextmanager
def _protected():
	with lab.protected():
		lab.tap("server", "service", "add", str(CLOSED_PORT))
		lab.tap("server", "key", "add", "8", "--user-key", lab.key("b"), "--rate", "0")
		lab.tap("server", "key", "add", "9", "--user-key", lab.key("c"), "--rate", "0")
		lab.tap("server", "key", "revoke", "9")
		yield


def _check_maker(count):
	"""Groups with a right key are admitted, all of them; with another one there, none."""
	wanted = {"right key": (RIGHT, "admitted"), "wrong key": (FLOODS["wrong key"], "tag"),
		  "revoked key": (FLOODS["revoked key"], "key_inactive")}
	with _protected():
		lab.let_in()
		for name, (options, label) in wanted.items():
			before = _reasons()
			lab.run("attacker", "taskset", "-c", str(lab.FLOOD_CPU),
				*_groups(2, *options, "--count", str(count), "--rate", "20000", port=CLOSED_PORT))
			after = _reasons()
			changed = {k: after[k] - before[k] for k in after if after[k] != before[k]}
			if changed != {"collecting": 3 * count, label: count}:
				raise RuntimeError(f"of {count} groups with a {name} the gate says {changed}")


def _counts(judged):
	"""What the device received and the gate refused so far, each with the time when it was asked."""
	received = time.monotonic(), lab.received("server", "eth1")
	return received, (time.monotonic(), _refused() if judged else 0)


def _rate(before, after):
	return (after[1] - before[1]) / (after[0] - before[0])


def _measure(options, rate, seconds, judged=True):
	"""Fetches during one flood, for so long at least."""
	fetches = []
	with lab.spawn("attacker", *_groups(600, *options, "--rate", str(rate)),
		       cpu=lab.FLOOD_CPU, fifo=True) as flood:
		time.sleep(0.2)
		before, start = _counts(judged), time.monotonic()
		while not fetches or time.monotonic() - start < seconds:
			fetches.append(lab.fetch("--count", str(FETCHES), "--give-up", str(GIVE_UP_S)))
		after = _counts(judged)
		if flood.poll() is not None:
			raise RuntimeError(f"the flood ended: {flood.stdout.read().strip()}")
	sent, judged = map(_rate, before, after)
	times = {name: [f[name] for f in fetches] for name in OF_BATCHES}
	return {
		"sent": sent / 4,
		"judged": judged,
		"fetches": FETCHES * len(fetches),
		"successes": sum(f["successes"] for f in fetches),
		# None: so many did not connect at all.
		**{name: None if None in times[name] else of(times[name]) for name, of in OF_BATCHES.items()},
	}


def _floor(seconds):
	"""Groups a second that can be made and thrown away unseen by the same core."""
	with FLOORS["drop"].up():
		return _measure(FLOODS["wrong key"], 0, seconds, judged=False)["sent"]


def _rounds(bench, rates, seconds):
	found = {name: {rate: [] for rate in rates} for name in (*FLOODS, COOKIES)}
	floor = []
	for number in range(bench.rounds):
		bench.progress(f"round {number + 1} of {bench.rounds}")
		with _protected():
			lab.let_in()
			for rate in rates:
				for name, options in FLOODS.items():
					found[name][rate].append(_measure(options, rate, seconds))
		with PEERS["cookies1"].up():
			for rate in rates:
				found[COOKIES][rate].append(
					_measure(FLOODS["wrong key"], rate, seconds, judged=False))
		floor.append(_floor(seconds / 2))
	return found, floor


def _all(measurements, what):
	return [m[what] for m in measurements]


def _median(measurements, what):
	return statistics.median(_all(measurements, what))


def _success(measurements):
	"""Per cent of all fetches."""
	return 100 * sum(_all(measurements, "successes")) / sum(_all(measurements, "fetches"))


def _time(measurements, name, of=statistics.median):
	values = _all(measurements, name)
	return "-" if None in values else of(values)


def _table(found, rates):
	rows = []
	for name, by_rate in found.items():
		for rate in rates:
			m = by_rate[rate]
			judged = "-" if name == COOKIES else result.spread(_all(m, "judged"))
			rows.append([name, rate or "all it can", result.spread(_all(m, "sent")), judged,
				     sum(_all(m, "fetches")), _success(m), _time(m, "connect_p50_ms"),
				     _time(m, "connect_p99_ms"), _time(m, "connect_max_ms", max)])
	return result.Table(
		f"{FETCHES} fetches at once, again and again during the flood: medians (least..most) of the rounds; "
		"times to connect in ms; the longest of all rounds",
		["flood", "groups/s asked for", "received/s", "judged/s", "fetches", "success, %", "p50", "p99",
		 "longest"], rows)


def _charts(found, rates):
	def points(by_rate, value):
		return [(_median(by_rate[r], "sent"), value(by_rate[r])) for r in rates if value(by_rate[r]) != "-"]

	success = {name: points(by_rate, _success) for name, by_rate in found.items()}
	times = {name: points(by_rate, lambda m: _time(m, "connect_p99_ms")) for name, by_rate in found.items()}
	return [
		result.Chart("fig10", "Floods of well-formed groups: fetches that succeed",
			     "groups a second (four SYNs each)", "success, %", success, logx=True),
		result.Chart("fig10-connect", "Floods of well-formed groups: time to connect, p99",
			     "groups a second (four SYNs each)", "ms", times, logx=True, logy=True)]


def run(bench):
	rates = RATES[0::3] if bench.quick else RATES
	with lab.off_flood():
		_check_maker(CHECKED)
		found, floor = _rounds(bench, rates, 0.3 if bench.quick else 0.7)
	most = {name: _median(found[name][0], "judged") for name in FLOODS}
	per_group = {name: 1e9 / rate - 1e9 / statistics.median(floor) for name, rate in most.items()}
	aims = [result.Aim(f"success at the highest rate sent, {name}", _success(found[name][0]), 100, unit="%")
		for name in FLOODS]
	aims += [result.Aim(f"groups/s judged, {name}", rate, WANTED) for name, rate in most.items()]
	return result.Result(
		tables=[_table(found, rates)], aims=aims, charts=_charts(found, rates),
		notes=[f"Before: {CHECKED} groups with a right key were all admitted, as many with a wrong one refused for "
		       "the tag, as many with a revoked one for the key. Nothing but the key differs.",
		       "Each group has another source in 10/8, a mark of the realm, the options of Linux's SYN, the time, "
		       "and the tag in full length. \"captured mark\": one mark for all, and random numbers for the rest.",
		       "The core that judges the groups makes them, too: with a program on the device that drops all "
		       f"unseen it gets to {result.spread(floor)} groups/s. The gate's own part of a group is the "
		       "difference: " + ", ".join(f"{name} {ns:,.0f} ns ({1e9 / ns:,.0f} groups/s)"
						  for name, ns in per_group.items()) + ".",
		       f"A fetch is given up after {GIVE_UP_S} s.",
		       f"\"{COOKIES}\": the first flood against port {lab.PORT} without TAP, tcp_syncookies = 1. There each SYN "
		       "of a group is answered; what the queue of the device loses before is not counted as received."],
		data={"floor": floor, **{n: {str(r): m for r, m in by_rate.items()} for n, by_rate in found.items()}})
