"""Rounds: every adapter in a process of its own, each doing its share of a round, one after the other.

Whatever disturbs the machine disturbs neighbours in a round alike, so adapters are compared within each round, and the
median of these ratios is what counts.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.adapters import BASES
from benchmarks.data import Sizes
from benchmarks.places import Place
from benchmarks.workloads import Workload

ROOT = Path(__file__).resolve().parent.parent


class Unequal(Exception):
    """An adapter's result is not that of the hand-written code."""


class Process:
    """The process of one adapter."""

    def __init__(self, adapter: str, url: str, sizes: Sizes) -> None:
        self.adapter = adapter
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        answer = self.ask("open", adapter=adapter, url=url, sizes=asdict(sizes))
        self.versions: dict[str, str] = answer["versions"]
        self.workloads: set[str] = set(answer["workloads"])

    def ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"The process of {self.adapter} ended at {what} {arguments}: see its error above.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        if self.process.poll() is None:
            self.ask("close")
        self.process.communicate()


@dataclass
class Result:
    """The seconds of every round of one workload on one database, by adapter: ``{"cpu": …, "wall": …}``."""

    database: str
    workload: str
    base: str
    rounds: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    def seconds(self, adapter: str, measure: str) -> float:
        return statistics.median(one[measure] for one in self.rounds[adapter])

    def ratio(self, adapter: str, measure: str) -> float:
        """The median of the rounds' ratios to the hand-written code."""
        return statistics.median(self._ratios(adapter, measure))

    def spread(self, adapter: str, measure: str) -> tuple[float, float]:
        """Between which ratios the middle half of the rounds lies."""
        low, _, high = statistics.quantiles(self._ratios(adapter, measure), n=4)
        return low, high

    def _ratios(self, adapter: str, measure: str) -> list[float]:
        base = self.rounds[self.base]
        return [mine[measure] / theirs[measure] for mine, theirs in zip(self.rounds[adapter], base, strict=True)]


@dataclass(frozen=True)
class Effort:
    """How many rounds, and how long each adapter works in one (seconds, about)."""

    rounds: int = 21
    share: float = 0.06


def measure(
    place: Place,
    adapters: Iterable[str],
    workloads: Iterable[Workload],
    sizes: Sizes,
    effort: Effort,
    tell: Callable[[str], None],
) -> tuple[list[Result], dict[str, str]]:
    """The results on one database, and the versions of what was measured. Raises ``Unequal``."""
    results: list[Result] = []
    with ExitStack() as stack:
        processes: list[Process] = []
        for adapter in adapters:
            process = Process(adapter, place.make(adapter), sizes)
            stack.callback(process.close)
            processes.append(process)
        for workload in workloads:
            able = [process for process in processes if workload.name in process.workloads]
            if base_of(workload, place.name) in [process.adapter for process in able]:
                tell(f"{place.name}: {workload.title}")
                results.append(_one(place, workload, able, effort))
    return results, {name: version for process in processes for name, version in process.versions.items()}


def base_of(workload: Workload, database: str) -> str:
    """The adapter that the others are compared with."""
    return workload.base or BASES[database]


def _one(place: Place, workload: Workload, processes: list[Process], effort: Effort) -> Result:
    expected: str | None = None
    times: dict[str, int] = {}
    for process in processes:
        digest = process.ask("check", workload=workload.name)["digest"]
        if expected not in (None, digest):
            raise Unequal(f"{place.name}, {workload.title}: the result of {process.adapter} differs from the others'.")
        expected = digest
        process.ask("time", workload=workload.name, times=1)  # what is made once is made now
        once = process.ask("time", workload=workload.name, times=1)["wall"]
        times[process.adapter] = max(1, round(effort.share / once))
    base = base_of(workload, place.name)
    result = Result(place.name, workload.name, base, {process.adapter: [] for process in processes})
    for number in range(effort.rounds):
        first = number % len(processes)  # everyone is everyone's neighbour in turn
        for process in [*processes[first:], *processes[:first]]:
            result.rounds[process.adapter].append(
                process.ask("time", workload=workload.name, times=times[process.adapter])
            )
    return result
