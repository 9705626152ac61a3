# SPDX-License-Identifier: GPL-2.0-only
"""Writes what was found: results.md, results.json and a chart.svg for each chart, by gnuplot."""
import dataclasses
import json
import os
import subprocess

from result import figure

GNUPLOT_HEAD = """
set terminal svg size 900,520 font "sans-serif,14" background "white"
set output "{path}"
set title "{title}"
set xlabel "{xlabel}"
set ylabel "{ylabel}"
set grid
"""


def _quoted(text):
	return text.replace("\\", "").replace('"', "'")


def _block(name, rows):
	lines = "\n".join(" ".join(str(cell) for cell in row) for row in rows)
	return f"${name} << END\n{lines}\nEND\n"


def _lines(chart):
	script = "".join(_block(f"d{i}", points) for i, points in enumerate(chart.series.values()))
	script += "set key outside bottom center horizontal maxrows 4\n"
	if chart.logx:
		script += 'set logscale x\nset format x "%.0s%c"\n'
	# From 0, or small differences look large; and a line at the edge would be hard to see.
	script += "set logscale y\n" if chart.logy else "set yrange [0:*]\nset offsets graph 0, 0, 0.05, 0\n"
	plots = [f'$d{i} using 1:2 with linespoints linewidth 2 title "{_quoted(label)}"'
		 for i, label in enumerate(chart.series)]
	return script + "plot " + ", ".join(plots) + "\n"


def _bars(chart):
	names = list(dict.fromkeys(name for points in chart.series.values() for name, _ in points))
	values = [dict(points) for points in chart.series.values()]
	rows = [['"' + _quoted(name) + '"', *(v.get(name, "NaN") for v in values)] for name in names]
	script = _block("d", rows)
	script += 'set style data histograms\nset style histogram clustered gap 0.5\n'
	script += 'set style fill solid 0.8\nset boxwidth 0.9\nset yrange [0:*]\n'
	script += "set xtics rotate by 30 right\nset grid noxtics\n"
	script += "set key off\n" if len(values) == 1 else "set key outside top center horizontal\n"
	plots = [f'$d using {i + 2}:xtic(1) title "{_quoted(label)}"' for i, label in enumerate(chart.series)]
	return script + "plot " + ", ".join(plots) + "\n"


def draw(directory, chart):
	script = GNUPLOT_HEAD.format(path=f"{directory}/{chart.name}.svg", title=_quoted(chart.title),
				     xlabel=_quoted(chart.xlabel), ylabel=_quoted(chart.ylabel))
	script += _bars(chart) if chart.kind == "bars" else _lines(chart)
	done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
	if done.returncode:
		raise RuntimeError(f"gnuplot, {chart.name}: {done.stderr.strip()}")


def _table(table):
	rows = [[figure(cell) for cell in row] for row in table.rows]
	lines = [f"{table.caption}:", "", "| " + " | ".join(table.columns) + " |",
		 "|" + "---|" * len(table.columns)]
	lines += ["| " + " | ".join(row) + " |" for row in rows]
	return lines + [""]


def _aim(aim):
	word = "at least" if aim.at_least else "at most"
	reached = "reached" if aim.reached() else "**not reached**"
	return [aim.text, f"{figure(aim.value)} {aim.unit}".strip(),
		f"{word} {figure(aim.bound)} {aim.unit}".strip(), reached]


def _markdown(facts, results):
	lines = ["# Results", "", "Written by `tools/bench`; [what it means](../benchmarks.md).", ""]
	lines += [f"- {name}: {value}" for name, value in facts.items()] + [""]
	aims = [[title, *_aim(aim)] for title, result in results.values() for aim in result.aims]
	if aims:
		lines += ["| experiment | aim | measured | wanted | |", "|---|---|---|---|---|"]
		lines += ["| " + " | ".join(row) + " |" for row in aims] + [""]
	for title, result in results.values():
		lines += [f"## {title}", ""]
		for table in result.tables:
			lines += _table(table)
		for chart in result.charts:
			lines += [f"![{chart.title}]({chart.name}.svg)", ""]
		lines += [f"- {note}" for note in result.notes] + ([""] if result.notes else [])
	return "\n".join(lines)


def summary(results):
	"""A line for each aim."""
	return "\n".join(f"{text}: {value} (wanted: {wanted}): {reached.strip('*')}"
			 for _, result in results.values() for text, value, wanted, reached in map(_aim, result.aims))


def write(directory, facts, results):
	os.makedirs(directory, exist_ok=True)
	for _, result in results.values():
		for chart in result.charts:
			draw(directory, chart)
	with open(f"{directory}/results.md", "w", encoding="utf-8") as file:
		file.write(_markdown(facts, results))
	whole = {"machine": facts,
		 "experiments": {name: dataclasses.asdict(result) for name, (_, result) in results.items()}}
	with open(f"{directory}/results.json", "w", encoding="utf-8") as file:
		json.dump(whole, file, indent=1)
		file.write("\n")
