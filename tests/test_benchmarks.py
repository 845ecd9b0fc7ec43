"""The benchmark runs, and compares what it measures. How long anything takes is nothing that a test looks at."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from benchmarks import page, report, runner
from benchmarks.data import COLUMNS, Sizes, films, rows
from benchmarks.kept import Run
from benchmarks.runner import Effort, Result, Unequal
from benchmarks.workloads import FILMS, WORKLOADS

ROOT = Path(__file__).resolve().parent.parent


def test_the_command_measures_every_workload() -> None:
    done = command("--rounds", "2", "--share", "0", "-a", "crowsfoot")
    assert done.returncode in (0, 1), done.stderr  # 1: a goal was missed, which so little work may well do
    assert "sqlite, CPU time" in done.stdout
    assert not re.search(r"\| +- \|", done.stdout)  # the driver's code and Crowsfoot do all of them
    for workload in (workload for workload in WORKLOADS if "sqlite" in workload.databases):
        assert done.stdout.count(f"| {workload.title}") == 2


def test_mappers_that_are_installed_agree() -> None:
    """Every one of them does a workload of each kind that is not a plain read."""
    done = command("--rounds", "1", "--share", "0", "-w", "json_tree", "-w", "link_bulk", "-w", "delete_each")
    assert done.returncode in (0, 1), done.stderr


def test_films_are_told_alike_by_the_driver_and_by_crowsfoot() -> None:
    done = command("--rounds", "1", "--share", "0", "-g", "imdbench", "-a", "crowsfoot", database="postgresql")
    if "skipped: postgresql" in done.stdout:
        pytest.skip("needs PostgreSQL")
    assert done.returncode in (0, 1), done.stderr
    for workload in FILMS:
        assert re.search(rf"\| {workload.title} +\| +[\d.]+ \| +[\d.]+ \|", done.stdout)


def test_a_profile_names_functions_and_the_floor() -> None:
    done = command("--profile", "-w", "get")
    assert done.returncode == 0, done.stderr
    assert "get by key, 500 times (get), sqlite, CPU time: sqlite3" in done.stdout
    assert "get (crowsfoot/models/" in done.stdout


def test_scale_counts_rows_and_models() -> None:
    done = command("--scale")
    assert done.returncode == 0, done.stderr
    assert re.search(r"\| 5 models with 20 relations linked +\| +5 \| +0\.\d{3} \|", done.stdout)
    for words in (r"iterator\(\)", r"aiterator\(\)", "a list"):
        assert re.search(rf"\| SQLite: rows by {words} +\| +10,000 \| +[\d.]+ \| +[\d.]+ \|", done.stdout)


def command(*options: str, database: str = "sqlite") -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "benchmarks", "--divide", "100", "-d", database, *options]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True)


class Fake:
    """A process whose every run takes ``seconds``."""

    def __init__(self, adapter: str, digest: str, seconds: float) -> None:
        self.adapter, self.digest, self.seconds = adapter, digest, seconds
        self.asked = 0

    def ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        if what == "check":
            return {"digest": self.digest, "wall": 2 * self.seconds}
        self.asked += 1
        return {"cpu": self.seconds, "wall": 2 * self.seconds}


def one(*processes: Fake) -> Result:
    return runner._one("sqlite", WORKLOADS[0], list(processes), Effort(rounds=12))  # type: ignore[arg-type]


def test_different_results_are_refused() -> None:
    with pytest.raises(Unequal, match="the result of crowsfoot differs"):
        one(Fake("sqlite3", "a", 1.0), Fake("crowsfoot", "b", 1.0))


def test_a_ratio_is_to_the_hand_written_code() -> None:
    result = one(Fake("sqlite3", "a", 2.0), Fake("crowsfoot", "a", 3.0))
    assert result.ratio("crowsfoot", "cpu") == 1.5
    assert result.seconds("crowsfoot", "wall") == 6.0
    assert len(result.rounds["sqlite3"]) == 12


def test_who_is_slow_takes_part_in_fewer_rounds() -> None:
    slow = Fake("django", "a", 5.0)
    result = one(Fake("sqlite3", "a", 2.0), slow)
    assert [one is not None for one in result.rounds["django"]] == [True, False, False, False] * 3
    assert slow.asked == 3
    assert result.ratio("django", "wall") == 2.5


def ran(**seconds: float) -> Run:
    """A run of two workloads, of which ``some`` did the first only."""
    run = Run("a machine", {"crowsfoot": "1.0"})
    for number, workload in enumerate(("get", "flat")):
        found = [Fake(name, "a", time) for name, time in seconds.items() if not (number and name == "django")]
        result = runner._one("sqlite", WORKLOADS[0], found, Effort(rounds=3))  # type: ignore[arg-type]
        run.add(Result("sqlite", workload, result.base, result.rounds))
    run.results["sqlite", "flat"].rounds["crowsfoot"] = [{"cpu": 2.0, "wall": 1.0}, None, None]
    return run


def test_a_summary_is_made_of_geometric_means() -> None:
    lines = report.summary(ran(sqlite3=1.0, crowsfoot=8.0, django=3.0)).splitlines()
    assert lines[0].split() == ["|", "|", "SQLite", "reads", "|"]
    assert lines[2].split()[1:4] == ["crowsfoot", "|", "4.00"]
    assert lines[3].split()[1:4] == ["django", "|", "3.00\\*"]


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    run = ran(sqlite3=1.0, crowsfoot=2.0 / 3)
    run.save(tmp_path / "kept.json")
    again = Run.load(tmp_path / "kept.json")
    assert again.results["sqlite", "get"].rounds["crowsfoot"][0] == {"cpu": 0.6667, "wall": 1.333}
    assert again.results["sqlite", "flat"].rounds == run.results["sqlite", "flat"].rounds
    assert (again.machine, again.versions, again.dates) == (run.machine, run.versions, run.dates)


def test_the_page_is_written_between_its_marks(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "page.md"
    path.write_text(f"before\n{page.BEGIN}old{page.END}\nafter\n")
    for version in ("3.9", "3.11"):
        ran(sqlite3=1.0, crowsfoot=2.0).save(tmp_path / "kept" / f"cpython-{version}.json")
    page.write(path, tmp_path / "kept")
    text = path.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert text.index("### CPython 3.11, ") < text.index("### CPython 3.9, ")
    assert "(kept/cpython-3.11-sqlite.svg)" in text
    assert (tmp_path / "kept" / "cpython-3.9-sqlite.png").exists()


def test_the_rows_fit_their_tables() -> None:
    few = Sizes().smaller(100)
    for table, values in chain(rows(few), films(few)):
        assert all(len(row) == len(COLUMNS[table]) for row in values)
    assert list(rows(Sizes())) == list(rows(Sizes()))
    assert list(films(few)) == list(films(few))
