"""What came out, as tables and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.adapters import BASES
from benchmarks.runner import Result
from benchmarks.workloads import Workload

WORDS = {"cpu": "CPU time", "wall": "wall clock"}


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
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}; load {load}"
    )


def table(results: Iterable[Result], workloads: dict[str, Workload], database: str, measure: str, limits: bool) -> str:
    """Ratios to the hand-written code, a line for each workload, a column for each adapter."""
    rows = [result for result in results if result.database == database]
    base = BASES[database]
    adapters = list(dict.fromkeys(name for result in rows for name in result.rounds if name != result.base))
    head = ["workload", f"{base} ms", *adapters, *(["goal"] if limits else [])]
    lines: list[list[str]] = []
    for result in rows:
        workload = workloads[result.workload]
        cells = [workload.title, f"{result.seconds(result.base, measure) * 1e3:.2f}"]
        cells += [_ratio(result, name, measure) for name in adapters]
        if limits:
            cells.append("" if workload.limit is None else f"{workload.limit:.1f}{_verdict(result, workload, measure)}")
        lines.append(cells)
    return f"{database}, {WORDS[measure]}\n" + _drawn([head, *lines])


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


def _drawn(lines: list[list[str]]) -> str:
    """As a Markdown table whose columns stand under each other."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]

    def drawn(line: list[str]) -> str:
        first, *others = line
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        return f"| {' | '.join(cells)} |"

    rule = f"|{'-' * (widths[0] + 2)}|" + "".join(f"{'-' * (width + 1)}:|" for width in widths[1:])
    return "\n".join([drawn(lines[0]), rule, *map(drawn, lines[1:])])


def as_json(results: Iterable[Result], versions: dict[str, str], where: str) -> dict[str, Any]:
    """Every round, for plots and for those who want to compute for themselves."""
    return {
        "machine": where,
        "versions": versions,
        "results": [
            {"database": result.database, "workload": result.workload, "rounds": result.rounds} for result in results
        ],
    }
