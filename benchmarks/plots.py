"""What was measured, drawn: a picture for each database, as SVG and as PNG, to be read on white and on black."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks import report
from benchmarks.kept import Run
from benchmarks.workloads import GROUPS

# Stands out from white and from black alike; the background is left as it is.
TEXT, GRID, BAR, OURS = "#7b8088", "#7b808850", "#6f9bd170", "#e0862cb0"
STYLE = {
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": GRID,
    "axes.titlesize": 10,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "svg.fonttype": "none",
    "svg.hashsalt": "crowsfoot",  # the same picture is the same file
}


def draw(run: Run, folder: Path, stem: str) -> list[Path]:
    """Draw each database of ``run``; returns the SVG files, beside which there are PNG files of the same names."""
    drawn: list[Path] = []
    with mpl.rc_context(STYLE):
        for database in report.DECIDES:
            if run.of(database):
                path = folder / f"{stem}-{database}.svg"
                figure = _figure(run, database)
                figure.savefig(path, transparent=True, metadata={"Date": None})
                figure.savefig(path.with_suffix(".png"), transparent=True, dpi=144, metadata={"Software": None})
                drawn.append(path)
    return drawn


def _figure(run: Run, database: str) -> Figure:
    measure = report.DECIDES[database]
    groups = [group for group in GROUPS if report.members(run, database, group)]
    rows = -(-len(groups) // 3)
    figure = Figure(figsize=(10, 0.6 + 2.6 * rows), layout="constrained")
    figure.suptitle(f"{report.NAMES[database]}: {report.WORDS[measure]} in times of hand-written code (log scale)")
    adapters = report.columns(run.of(database))
    for number, group in enumerate(groups, 1):
        axes = figure.add_subplot(rows, 3, number)
        _panel(axes, run, database, group, [name for name in adapters if _has(run, database, group, name)])
    return figure


def _has(run: Run, database: str, group: str, adapter: str) -> bool:
    return any(adapter in result.rounds for result in report.members(run, database, group))


def _panel(axes: Any, run: Run, database: str, group: str, adapters: list[str]) -> None:
    """A bar for each adapter's geometric mean, and a dot for each workload."""
    measure = report.DECIDES[database]
    results = report.members(run, database, group)
    highest = 1.0
    for place, adapter in enumerate(adapters):
        ratios = [result.ratio(adapter, measure) for result in results if adapter in result.rounds]
        found = report.mean(results, adapter, measure)
        assert found is not None
        number, _ = found
        highest = max(highest, number, *ratios)
        axes.barh(place, number - 1, left=1, height=0.6, color=OURS if adapter == "crowsfoot" else BAR)
        axes.plot(ratios, [place] * len(ratios), "|", color=TEXT, markersize=6, markeredgewidth=0.8)
        axes.annotate(f" {number:.1f}", (max(number, *ratios, 1.0), place), va="center", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(right=highest * 2.2)
    axes.set_yticks(range(len(adapters)), adapters)
    axes.invert_yaxis()
    axes.axvline(1, color=TEXT, linewidth=0.8)
    goal = report.GOALS.get((database, group))
    if goal is not None:
        axes.axvline(goal, color=OURS, linewidth=0.8, linestyle=":")
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(GROUPS[group])
