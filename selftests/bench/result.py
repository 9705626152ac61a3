# SPDX-License-Identifier: GPL-2.0-only
"""What an experiment hands in: tables, aims, charts, and the raw figures."""
import dataclasses
import statistics


@dataclasses.dataclass
class Table:
	caption: str
	columns: list
	rows: list  # of lists as long as columns; numbers or words


@dataclasses.dataclass
class Aim:
	"""What was to be reached."""
	text: str
	value: float
	bound: float
	at_least: bool = True  # else: at most
	unit: str = ""

	def reached(self):
		return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclasses.dataclass
class Chart:
	"""kind "lines": series are {label: [(x, y), ...]}; "bars": {label: [(name, value), ...]}."""
	name: str  # of the file, without .svg
	title: str
	xlabel: str
	ylabel: str
	series: dict
	logx: bool = False
	logy: bool = False
	kind: str = "lines"


@dataclasses.dataclass
class Result:
	tables: list = dataclasses.field(default_factory=list)
	aims: list = dataclasses.field(default_factory=list)
	charts: list = dataclasses.field(default_factory=list)
	notes: list = dataclasses.field(default_factory=list)
	data: dict = dataclasses.field(default_factory=dict)


def spread(values):
	"""Median, and from the least to the most, for a table."""
	return f"{figure(statistics.median(values))} ({figure(min(values))}..{figure(max(values))})"


def figure(value):
	"""A number with the digits that mean something."""
	if not isinstance(value, float):
		return f"{value:,}" if isinstance(value, int) else str(value)
	if abs(value) >= 1000:
		return f"{value:,.0f}"
	return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def by_turns(names, number):
	"""All of them, in the order of the round of that number: each round begins with another one."""
	names = [*names]
	first = number % len(names)
	return names[first:] + names[:first]
