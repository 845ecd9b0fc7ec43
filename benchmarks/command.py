"""The command: ``python benchmarks --help``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import report
from benchmarks.adapters import ADAPTERS, BASES
from benchmarks.data import Sizes
from benchmarks.places import Missing, Place, PostgreSQLPlace, SQLitePlace
from benchmarks.runner import Effort, Result, Unequal, measure
from benchmarks.workloads import WORKLOADS

PLACES = ("sqlite", "postgresql")


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for. 0 where every goal is met, 1 where one is missed, 2 where results differ."""
    asked = _parser().parse_args(arguments)
    sizes = Sizes() if asked.divide == 1 else Sizes().smaller(asked.divide)
    chosen = [workload for workload in WORKLOADS if not asked.workload or workload.name in asked.workload]
    effort = Effort(asked.rounds, asked.share)
    where = report.machine()
    print(where)
    results: list[Result] = []
    versions: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="bench_") as folder:
        for name in asked.database or PLACES:
            place = _place(name, Path(folder), sizes)
            if place is None:
                continue
            try:
                versions[name] = place.version
                found, theirs = measure(place, _adapters(name, asked.adapter), chosen, sizes, effort, _tell)
            except Unequal as error:
                print(error, file=sys.stderr)
                return 2
            finally:
                place.close()
            results += found
            versions |= theirs
    _tell("")
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"{asked.rounds} rounds; a ratio is the median of the rounds' ratios to the first column\n")
    missed = _show(results)
    if asked.json:
        Path(asked.json).write_text(json.dumps(report.as_json(results, versions, where)))
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description="Crowsfoot, bare drivers and other mappers compared."
    )
    parser.add_argument("-w", "--workload", action="append", choices=[workload.name for workload in WORKLOADS])
    parser.add_argument("-d", "--database", action="append", choices=PLACES)
    parser.add_argument("-a", "--adapter", action="append", choices=list(ADAPTERS), help="beside the bare drivers")
    parser.add_argument("-r", "--rounds", type=int, default=Effort.rounds)
    parser.add_argument("-s", "--share", type=float, default=Effort.share, help="seconds of an adapter in each round")
    parser.add_argument("--divide", type=int, default=1, help="the amount of data by this number")
    parser.add_argument("--json", metavar="FILE", help="write every round there")
    return parser


def _place(name: str, folder: Path, sizes: Sizes) -> Place | None:
    if name == "sqlite":
        return SQLitePlace(folder, sizes)
    try:
        return PostgreSQLPlace(sizes)
    except Missing as error:
        print(f"skipped: postgresql ({str(error).strip().splitlines()[0]})")
        return None


def _adapters(database: str, asked: list[str] | None) -> list[str]:
    """The adapters to run on a database, the one that the others are compared with first."""
    found = [BASES[database]]
    for entry in ADAPTERS.values():
        if database not in entry.databases or entry.name in found or (asked and entry.name not in asked):
            continue
        if entry.missing:
            print(f"skipped: {entry.name} (not installed: {', '.join(entry.missing)})")
        else:
            found.append(entry.name)
    return found


def _show(results: list[Result]) -> int:
    """Print the tables; returns how many goals were missed."""
    by_name = {workload.name: workload for workload in WORKLOADS}
    missed = 0
    for database, first, second in (("sqlite", "cpu", "wall"), ("postgresql", "wall", "cpu")):
        mine = [result for result in results if result.database == database]
        if not mine:
            continue
        print(report.table(mine, by_name, database, first, True), end="\n\n")
        print(report.table(mine, by_name, database, second, False), end="\n\n")
        missed += sum(report.exceeds(result, by_name[result.workload], first) for result in mine)
    return missed


def _tell(text: str) -> None:
    """What is going on, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
