"""Rounds: every adapter in a process of its own, each doing its share of a round, one after the other.

Whatever disturbs the machine disturbs neighbours in a round alike, so adapters are compared within each round, and the
median of these ratios is what counts.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
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


class Ended(Exception):
    """The process of an adapter is no more."""


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
            raise Ended(f"The process of {self.adapter} ended at {what} {arguments}: see its error above.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        with suppress(Ended, BrokenPipeError):
            self.ask("close")
        self.process.communicate()


@dataclass
class Result:
    """The seconds of every round of one workload on one database, by adapter: ``{"cpu": …, "wall": …}``.

    ``None`` stands for a round that an adapter left out, being slow.
    """

    database: str
    workload: str
    base: str
    rounds: dict[str, list[dict[str, float] | None]] = field(default_factory=dict)

    def seconds(self, adapter: str, measure: str) -> float:
        return statistics.median(one[measure] for one in self.rounds[adapter] if one)

    def ratio(self, adapter: str, measure: str) -> float:
        """The median of the rounds' ratios to the hand-written code."""
        pairs = zip(self.rounds[adapter], self.rounds[self.base], strict=True)
        return statistics.median(mine[measure] / theirs[measure] for mine, theirs in pairs if mine and theirs)


@dataclass(frozen=True)
class Effort:
    """How many rounds, and how long each adapter works in one (seconds, about).

    An adapter whose rounds would take longer than ``most`` seconds altogether leaves some out, down to ``least``.
    """

    rounds: int = 21
    share: float = 0.06
    most: float = 3.0
    least: int = 3

    def every(self, seconds: float) -> int:
        """Of how many rounds somebody takes part in one, to whom one takes ``seconds``."""
        wanted = min(self.rounds, max(self.least, int(self.most / seconds)))
        return max(1, self.rounds // wanted)


@dataclass
class Turn:
    """How an adapter takes part in the rounds of a workload: in each of ``every``, doing it ``times`` times."""

    process: Process
    times: int = 1
    every: int = 1

    def take(self, number: int, workload: str) -> dict[str, float] | None:
        if number % self.every:
            return None
        return self.process.ask("time", workload=workload, times=self.times)


def start(place: Place, adapters: Iterable[str], sizes: Sizes, stack: ExitStack) -> list[Process]:
    """A process for each adapter, with a database of its own. They end with ``stack``."""
    processes: list[Process] = []
    for adapter in adapters:
        process = Process(adapter, place.make(adapter), sizes)
        stack.callback(process.close)
        processes.append(process)
    return processes


def measure(
    database: str, processes: list[Process], workloads: Iterable[Workload], effort: Effort, tell: Callable[[str], None]
) -> Iterator[Result]:
    """The results on one database, one by one. Raises ``Unequal``."""
    for workload in workloads:
        able = [process for process in processes if workload.name in process.workloads]
        if base_of(workload, database) in [process.adapter for process in able]:
            tell(f"{database}: {workload.title}")
            yield _one(database, workload, able, effort)


def base_of(workload: Workload, database: str) -> str:
    """The adapter that the others are compared with."""
    return workload.base or BASES[database]


def _one(database: str, workload: Workload, processes: list[Process], effort: Effort) -> Result:
    base = base_of(workload, database)
    expected: str | None = None
    turns: list[Turn] = []
    for process in processes:
        answer = process.ask("check", workload=workload.name)
        if expected not in (None, answer["digest"]):
            raise Unequal(f"{database}, {workload.title}: the result of {process.adapter} differs from the others'.")
        expected = answer["digest"]
        turns.append(_turn(process, workload, effort, answer["wall"], process.adapter == base))
    result = Result(database, workload.name, base, {process.adapter: [] for process in processes})
    for number in range(effort.rounds):
        first = number % len(turns)  # everyone is everyone's neighbour in turn
        for turn in [*turns[first:], *turns[:first]]:
            result.rounds[turn.process.adapter].append(turn.take(number, workload.name))
    return result


def _turn(process: Process, workload: Workload, effort: Effort, once: float, is_base: bool) -> Turn:
    """What an adapter can do in its share of a round, whose first run, in which much is made once, took ``once``."""
    if once < 10 * effort.share:
        once = min(process.ask("time", workload=workload.name, times=1)["wall"] for _ in range(2))
    times = max(1, round(effort.share / once))
    return Turn(process, times, 1 if is_base else effort.every(once * times))
