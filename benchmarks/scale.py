"""``python benchmarks --scale``: a million rows in flat memory, a graph of 500 models, and what an import takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.data import Sizes
from benchmarks.places import Missing, Place, PostgreSQLPlace, SQLitePlace

ROWS, MODELS, BEST_OF = 1_000_000, 500, 7
CHILD = Path(__file__).with_name("large.py")
# With the compiled files of modules, which any second run of a program has.
ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def show(databases: list[str], divide: int) -> None:
    """Measure and print the table. Memory is a process's peak over that of a bare interpreter, time is CPU time."""
    bare = _best("bare", "", 0)
    lines = [["", "done", "seconds", "MB over the interpreter"]]

    def add(what: str, found: dict[str, Any]) -> None:
        lines.append([what, f"{found['done']:,}", f"{found['seconds']:.3f}", f"{found['peak'] - bare['peak']:.1f}"])

    add("a bare interpreter", bare)
    add("crowsfoot, models and SQLite imported", _best("imported", "", 0))
    number = MODELS // divide
    add(f"{number:,} models with {4 * number:,} relations linked", _best("graph", "", number))
    with tempfile.TemporaryDirectory(prefix="bench_") as folder, ExitStack() as stack:
        for name, url in _urls(databases, Path(folder), stack):
            _run("fill", url, ROWS // divide)
            for job, words in (("iterator", "iterator()"), ("aiterator", "aiterator()"), ("everything", "a list")):
                add(f"{report.NAMES[name]}: rows by {words}", _run(job, url, ROWS // divide))
    print(report.drawn(lines))


def _urls(databases: list[str], folder: Path, stack: ExitStack) -> Iterator[tuple[str, str]]:
    sizes = Sizes().smaller(1000)
    for name in databases:
        try:
            place: Place = SQLitePlace(folder, sizes) if name == "sqlite" else PostgreSQLPlace(sizes)
        except Missing as error:
            print(f"skipped: {name} ({str(error).strip().splitlines()[0]})")
            continue
        stack.callback(place.close)
        yield name, place.make("crowsfoot")


def _best(job: str, url: str, number: int) -> dict[str, Any]:
    """The quickest of several runs: on a machine that does other things too, the one that was disturbed least."""
    return min((_run(job, url, number) for _ in range(BEST_OF)), key=lambda found: found["seconds"])


def _run(job: str, url: str, number: int) -> dict[str, Any]:
    line = [sys.executable, str(CHILD), job, url, str(number)]
    done = subprocess.run(line, env=ENVIRON, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
