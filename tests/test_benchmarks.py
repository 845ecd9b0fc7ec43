"""The benchmark runs, and compares what it measures. How long anything takes is nothing that a test looks at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import runner
from benchmarks.data import COLUMNS, Sizes, rows
from benchmarks.runner import Effort, Result, Unequal
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parent.parent


def test_the_command_measures_every_workload() -> None:
    command = ["benchmarks", "--divide", "100", "--rounds", "2", "--share", "0", "-d", "sqlite", "-a", "crowsfoot"]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr  # 1: a goal was missed, which so little work may well do
    assert "sqlite, CPU time" in done.stdout
    for workload in (workload for workload in WORKLOADS if workload.base is None):
        assert done.stdout.count(f"| {workload.title}") == 2


class Fake:
    """A process whose every run takes ``seconds``."""

    def __init__(self, adapter: str, digest: str, seconds: float) -> None:
        self.adapter, self.digest, self.seconds = adapter, digest, seconds

    def ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        if what == "check":
            return {"digest": self.digest}
        return {"cpu": self.seconds, "wall": 2 * self.seconds}


class Here:
    name = "sqlite"


def one(*processes: Fake) -> Result:
    return runner._one(Here(), WORKLOADS[0], list(processes), Effort(rounds=4))  # type: ignore[arg-type]


def test_different_results_are_refused() -> None:
    with pytest.raises(Unequal, match="the result of crowsfoot differs"):
        one(Fake("sqlite3", "a", 1.0), Fake("crowsfoot", "b", 1.0))


def test_a_ratio_is_to_the_hand_written_code() -> None:
    result = one(Fake("sqlite3", "a", 2.0), Fake("crowsfoot", "a", 3.0))
    assert result.ratio("crowsfoot", "cpu") == 1.5
    assert result.seconds("crowsfoot", "wall") == 6.0
    assert len(result.rounds["sqlite3"]) == 4


def test_the_rows_fit_their_tables() -> None:
    for table, values in rows(Sizes().smaller(100)):
        assert all(len(row) == len(COLUMNS[table]) for row in values)
    assert list(rows(Sizes())) == list(rows(Sizes()))
