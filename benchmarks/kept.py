"""Runs that are kept: one file of JSON per Python version, to which every run adds, workload by workload.

So a long run may be done in parts, or go on where it was interrupted, and the page is made of what is there.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.runner import Result

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"
MEASURES = ("cpu", "wall")


def usual_file() -> Path:
    """Where the runs of this Python version are kept."""
    major, minor, _ = platform.python_version_tuple()
    return FOLDER / f"{platform.python_implementation().lower()}-{major}.{minor}.json"


@dataclass
class Run:
    """What was measured with one Python version: the latest result of each workload on each database."""

    machine: str
    versions: dict[str, str] = field(default_factory=dict)
    results: dict[tuple[str, str], Result] = field(default_factory=dict)
    dates: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        key = result.database, result.workload
        self.results[key] = result
        self.dates[key] = datetime.now().date().isoformat()

    def of(self, database: str) -> list[Result]:
        return [result for result in self.results.values() if result.database == database]

    def days(self) -> str:
        """The day of the measurements, or the first and the last one."""
        first, last = min(self.dates.values()), max(self.dates.values())
        return first if first == last else f"{first} to {last}"

    def save(self, path: Path) -> None:
        results = [{**shortened(result), "date": self.dates[key]} for key, result in self.results.items()]
        # A line for each result: small, and a difference can be read.
        lines = ",\n".join(json.dumps(result, separators=(",", ":")) for result in results)
        head = json.dumps({"machine": self.machine, "versions": self.versions}, indent=1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{head[:-2]},\n "results": [\n{lines}\n]}}\n')

    @classmethod
    def load(cls, path: Path) -> Run:
        kept = json.loads(path.read_text())
        run = cls(kept["machine"], kept["versions"])
        for entry in kept["results"]:
            key = entry["database"], entry["workload"]
            run.results[key] = Result(*key, entry["base"], {name: rounds(of) for name, of in entry["rounds"].items()})
            run.dates[key] = entry["date"]
        return run


def shortened(result: Result) -> dict[str, Any]:
    """A result without digits that say nothing."""
    times = {
        name: {measure: [one and float(f"{one[measure]:.4g}") for one in found] for measure in MEASURES}
        for name, found in result.rounds.items()
    }
    return {"database": result.database, "workload": result.workload, "base": result.base, "rounds": times}


def rounds(kept: dict[str, list[float | None]]) -> list[dict[str, float] | None]:
    return [
        None if cpu is None or wall is None else {"cpu": cpu, "wall": wall}
        for cpu, wall in zip(*(kept[measure] for measure in MEASURES), strict=True)
    ]
