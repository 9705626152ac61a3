# SPDX-License-Identifier: GPL-2.0-only
"""
Success to connect over a path that loses packets: TAP, plain TCP and the arithmetic; what would make
it better; and what order and spacing of the four SYNs do.
"""
import collections
import contextlib
import dataclasses
import os

import badpath
import lab
import spacing
from arithmetic import connect_chance, group_chance, wilson
from result import Chart, Result, Table

TITLE = "Loss, order and spacing on the path"
LOSSES = (0, 0.01, 0.05, 0.10)
BURST_MS = 10

# When the client's kernel sends its SYN, in seconds. Linux 6.5 brought the setting, and 4 for it.
LINEAR_SETTING = "/proc/sys/net/ipv4/tcp_syn_linear_timeouts"
LINEAR = (0, 1, 2, 3, 4, 5, 7)
DOUBLING = (0, 1, 3, 7)
SOONER = (0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.4, 2.2, 3.8, 7.0)


@dataclasses.dataclass(frozen=True)
class Way:
	"""A way to connect."""
	name: str
	tap: bool = True
	syns: tuple = LINEAR
	twice: str = None  # of each group: "last" or "all"
	burst: bool = False

	def rule(self, loss):
		words = [f"loss={loss}"]
		if self.burst and loss:
			words.append(f"burst={BURST_MS}")
		if self.twice:
			words.append(f"twice={self.twice}")
		return ",".join(words)

	def expected(self, loss, limit):
		"""The arithmetic; None where there is none."""
		if self.burst:
			return None
		arrives = group_chance(loss, self.twice) if self.tap else 1 - loss
		return connect_chance(arrives, loss, self.syns, limit)


PLAIN, TAP = Way("plain TCP", tap=False), Way("TAP")
OLD = (Way("plain TCP, Linux before 6.5", False, DOUBLING), Way("TAP, Linux before 6.5", True, DOUBLING))
BURSTS = (Way("plain TCP, losses in bursts", tap=False, burst=True), Way("TAP, losses in bursts", burst=True))
LAST_TWICE, ALL_TWICE = Way("TAP, SYN0 twice", twice="last"), Way("TAP, all four twice", twice="all")
SOON = (Way("plain TCP, again after 200 ms", False, SOONER), Way("TAP, again after 200 ms", True, SOONER))
SOON_TWICE = Way("TAP, again after 200 ms, all twice", True, SOONER, "all")
CHARTED = (PLAIN, TAP, *OLD, *BURSTS, ALL_TWICE, SOON[1])
WAYS = (PLAIN, TAP, *OLD, *BURSTS, LAST_TWICE, ALL_TWICE, *SOON, SOON_TWICE)


def ports(ways):
	"""{port: (way, loss)}, each port of the kind that its way needs."""
	kinds = {True: iter(badpath.PROTECTED), False: iter(badpath.OPEN)}
	return {next(kinds[way.tap]): (way, loss) for way in ways for loss in LOSSES}


@contextlib.contextmanager
def linear_timeouts(count):
	"""How many of the client's SYNs wait for no longer than the one before."""
	before = lab.run("client", "cat", LINEAR_SETTING)
	lab.run("client", "sh", "-c", f"echo {count} >{LINEAR_SETTING}")
	try:
		yield
	finally:
		lab.run("client", "sh", "-c", f"echo {before.strip()} >{LINEAR_SETTING}")


def batch(ways, plan, group=None):
	"""All at once over one path; {(way, loss): milliseconds}, and what the path did."""
	cells = ports(ways)
	with badpath.path({port: way.rule(loss) for port, (way, loss) in cells.items()}) as path:
		soon = [port for port, (way, _) in cells.items() if way.syns == SOONER]
		dials = [badpath.Dial([port for port in cells if port not in soon], *plan)]
		if soon:
			dials.append(badpath.Dial(soon, *plan, group))
		times = {cells[port]: taken for dial in dials for port, taken in dial.times().items()}
	return times, {cells[port]: counts for port, counts in path.ports.items()}


def one_round(plan, group):
	if not os.path.exists(LINEAR_SETTING):
		return batch(OLD, plan)
	new = [way for way in WAYS if way.syns == LINEAR or (way.syns == SOONER and group)]
	with linear_timeouts(4):
		times, lost = batch(new, plan, group)
	with linear_timeouts(0):
		more_times, more_lost = batch(OLD, plan)
	return {**times, **more_times}, {**lost, **more_lost}


class Shares:
	"""Of each way at each loss: how many connected within so many seconds, in each round."""

	def __init__(self, limits):
		self.limits = limits
		self.rounds = collections.defaultdict(list)
		self.count = 0
		self.slowest = 0  # milliseconds, of those where nothing was lost

	def add(self, times, count):
		self.count += count
		self.slowest = max(self.slowest, *(ms for (_, loss), taken in times.items() if not loss for ms in taken))
		for cell, taken in times.items():
			connected = [sum(ms < 1000 * limit for ms in taken) for limit in self.limits]
			self.rounds[cell].append(connected)

	def total(self, cell, limit):
		at = self.limits.index(limit)
		return sum(counts[at] for counts in self.rounds[cell])

	def share(self, cell, limit):
		return self.total(cell, limit) / self.count

	def interval(self, cell, limit):
		return wilson(self.total(cell, limit), self.count)

	def words(self, cell, limit):
		low, high = self.interval(cell, limit)
		return f"{100 * self.share(cell, limit):.1f} ({100 * low:.1f}..{100 * high:.1f})"

	def table(self, caption, ways):
		columns = ["lost", "way"]
		for limit in self.limits:
			columns += [f"within {limit} s, %", "arithmetic"]
		rows = []
		for loss in LOSSES:
			for way in ways:
				if (way, loss) in self.rounds:
					rows.append(self._row(way, loss))
		return Table(caption, columns, rows)

	def _row(self, way, loss):
		row = [f"{100 * loss:g} %", way.name]
		for limit in self.limits:
			expected = way.expected(loss, limit)
			row.append(self.words((way, loss), limit))
			row.append("" if expected is None else f"{100 * expected:.1f}")
		return row

	def agreement(self):
		"""How many of the shares have the arithmetic within their interval, of how many."""
		inside = asked = 0
		for way, loss in self.rounds:
			for limit in self.limits:
				expected = way.expected(loss, limit)
				if expected is None or not loss:
					continue
				low, high = self.interval((way, loss), limit)
				asked += 1
				inside += low <= expected <= high
		return inside, asked

	def chart(self, limit):
		series = {way.name: [(100 * loss, 100 * self.share((way, loss), limit)) for loss in LOSSES]
			  for way in CHARTED if (way, 0) in self.rounds}
		return Chart(f"loss-{limit}s", f"Connected within {limit} s on a path that loses packets",
			     "packets lost, %", "connections, %", series)

	def data(self):
		return [{"way": way.name, "loss": loss, "connections": self.count,
			 "within_s": self.limits, "connected_each_round": rounds,
			 "connected": [self.total((way, loss), limit) for limit in self.limits],
			 "interval_95": [self.interval((way, loss), limit) for limit in self.limits],
			 "arithmetic": [way.expected(loss, limit) for limit in self.limits]}
			for (way, loss), rounds in self.rounds.items()]


def lost_share(rounds, loss):
	"""What the path really lost, of all frames of all ways whose losses are independent."""
	cells = [counts for path in rounds for (way, at), counts in path.items()
		 if at == loss and not way.burst]
	return sum(c["lost"] for c in cells) / sum(c["frames"] for c in cells)


def measure(bench):
	limits = (1,) if bench.quick else (1, 3, 7)
	count, span, rounds = (40, 0.3, 1) if bench.quick else (300, 4, 4)
	shares, paths = Shares(limits), []
	with badpath.protected(), badpath.sooner() as group:
		for number in range(rounds):
			bench.progress(f"loss: round {number + 1} of {rounds}")
			times, lost = one_round((count, span, max(limits) + 0.1), group)
			shares.add(times, count)
			paths.append(lost)
		reasons = lab.tap_json("server", "stats")["server"]["reasons"]
	return shares, paths, reasons, group


def notes(shares, paths, group):
	inside, asked = shares.agreement()
	really = ", ".join(f"{100 * lost_share(paths, loss):.2f} %" for loss in LOSSES)
	found = [
		f"{shares.count} connections for each figure. Of {asked} shares that the arithmetic foretells "
		f"{inside} have it within their 95 % interval.",
		f"The path lost {really} of the frames, in both directions, each on its own. Bursts: times of "
		f"{BURST_MS} ms on average in which all is lost, the same share of the time.",
		f"Where nothing was lost the slowest connection took {shares.slowest:.0f} ms. Much more than 100 "
		"would mean that the machine was too busy to tell.",
		"Arithmetic: a group gets through if each of its SYNs does, in one of its copies; the client "
		"sends again when its kernel does; the server sends its SYN-ACK again after 1, 3 and 7 s, or "
		"when the client's SYN comes again.",
		"Linux sends a SYN again after 1, 2, 3, 4, 5 and 7 s; before 6.5 (and with "
		"tcp_syn_linear_timeouts=0) after 1, 3 and 7 s.",
	]
	if not os.path.exists(LINEAR_SETTING):
		found.append("Not measured: what later kernels do, and what would help there.")
	elif not group:
		found.append("Not measured: sending again sooner. No cgroup2 file system is mounted.")
	return found


def run(bench):
	shares, paths, reasons, group = measure(bench)
	result = Result(
		tables=[shares.table("Connected in time, of all (95 % confidence interval), and the arithmetic",
				     (PLAIN, TAP, *OLD, *BURSTS)),
			shares.table("What would make it better (prototypes)",
				     (PLAIN, TAP, LAST_TWICE, ALL_TWICE, *SOON, SOON_TWICE))],
		charts=[shares.chart(limit) for limit in shares.limits[:2]],
		notes=notes(shares, paths, group),
		data={"shares": shares.data(), "gate": reasons})
	spacing.add(bench, result)
	return result
