"""What came out, as tables."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable
from pathlib import Path

from benchmarks.adapters import ADAPTERS, BASES
from benchmarks.kept import MEASURES, Run
from benchmarks.runner import Result
from benchmarks.workloads import BY_NAME, GROUPS, WORKLOADS, Workload

WORDS = {"cpu": "CPU time", "wall": "wall clock"}
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# What counts: SQLite works in the process that asks, a server beside it.
DECIDES = {"sqlite": "cpu", "postgresql": "wall"}
# The most that Crowsfoot may take in the mean of a group, in times of the hand-written code.
GOALS = {
    ("sqlite", "reads"): 1.0,
    ("sqlite", "writes"): 1.2,
    ("sqlite", "naive"): 1.5,
    ("postgresql", "reads"): 1.2,
    ("postgresql", "writes"): 1.2,
    ("postgresql", "naive"): 1.5,
    ("postgresql", "tasks"): 1.0,
}


def machine() -> str:
    """The computer, its interpreter, and how busy others keep it."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    load = ", ".join(f"{number:.2f}" for number in os.getloadavg())
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release().partition('-')[0]}, "
        f"{platform.python_implementation()} {platform.python_version()}; load {load}"
    )


def table(run: Run, database: str, measure: str) -> str:
    """Ratios to the hand-written code, a line for each workload, a column for each adapter."""
    rows = run.of(database)
    base, limits = BASES[database], measure == DECIDES[database]
    adapters = columns(rows)
    head = ["workload", f"{base} ms", *adapters, *(["goal"] if limits else [])]
    lines: list[list[str]] = []
    for workload in WORKLOADS:
        result = run.results.get((database, workload.name))
        if result is None:
            continue
        cells = [workload.title, f"{result.seconds(result.base, measure) * 1e3:.2f}"]
        cells += [_ratio(result, name, measure) for name in adapters]
        if limits:
            cells.append("" if workload.limit is None else f"{workload.limit:.1f}{_verdict(result, workload, measure)}")
        lines.append(cells)
    return drawn([head, *lines])


def columns(results: Iterable[Result]) -> list[str]:
    """The adapters in these results, those that are no base in the order of the list."""
    found = {name for result in results for name in result.rounds if name != result.base}
    return [name for name in ADAPTERS if name in found]


def summary(run: Run, other: bool = False) -> str:
    """Geometric means by group, a line for each adapter; of the other measure than the one that decides, if wanted."""
    groups = [(database, group) for database in DECIDES for group in GROUPS if members(run, database, group)]
    measures = {database: next(m for m in MEASURES if (m == DECIDES[database]) != other) for database in DECIDES}
    head = ["", *(f"{NAMES[database]} {GROUPS[group]}" for database, group in groups)]
    lines = [
        [name, *(_mean(run, database, group, name, measures[database]) for database, group in groups)]
        for name in columns(run.results.values())
    ]
    if not other:
        goals = [GOALS.get(place) for place in groups]
        lines.append(["goal", *("" if goal is None else f"{goal:.1f}" for goal in goals)])
    return drawn([head, *lines])


def mean(results: Iterable[Result], adapter: str, measure: str) -> tuple[float, bool] | None:
    """The geometric mean of an adapter's ratios, and whether it did all of the workloads. ``None`` if it did none."""
    results = list(results)
    ratios = [result.ratio(adapter, measure) for result in results if adapter in result.rounds]
    return (statistics.geometric_mean(ratios), len(ratios) == len(results)) if ratios else None


def members(run: Run, database: str, group: str) -> list[Result]:
    return [result for result in run.of(database) if BY_NAME[result.workload].group == group]


def _mean(run: Run, database: str, group: str, adapter: str, measure: str) -> str:
    found = mean(members(run, database, group), adapter, measure)
    if found is None:
        return "-"
    number, complete = found
    return f"{number:.2f}" + ("" if complete else "\\*")


def _ratio(result: Result, adapter: str, measure: str) -> str:
    if adapter not in result.rounds:
        return "-"
    return f"{result.ratio(adapter, measure):.2f}"


def _verdict(result: Result, workload: Workload, measure: str) -> str:
    return " missed" if exceeds(result, workload, measure) else ""


def exceeds(result: Result, workload: Workload, measure: str) -> bool:
    """Whether Crowsfoot takes longer than it should."""
    limit = workload.limit
    return limit is not None and "crowsfoot" in result.rounds and result.ratio("crowsfoot", measure) > limit


def drawn(lines: list[list[str]]) -> str:
    """As a Markdown table whose columns stand under each other."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]

    def told(line: list[str]) -> str:
        first, *others = line
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        return f"| {' | '.join(cells)} |"

    rule = f"|{'-' * (widths[0] + 2)}|" + "".join(f"{'-' * (width + 1)}:|" for width in widths[1:])
    return "\n".join([told(lines[0]), rule, *map(told, lines[1:])])
