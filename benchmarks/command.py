"""The command: ``python benchmarks --help``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import page, profiling, report, scale
from benchmarks.adapters import ADAPTERS, BASES
from benchmarks.data import Sizes
from benchmarks.kept import Run, usual_file
from benchmarks.places import Missing, Place, PostgreSQLPlace, SQLitePlace
from benchmarks.runner import Effort, Ended, Unequal, measure, start
from benchmarks.workloads import BY_NAME, GROUPS, WORKLOADS, Workload

PLACES = ("sqlite", "postgresql")


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for. 0 if every goal is met, 1 if one is missed, 2 if results differ or a process ends."""
    asked = _parser().parse_args(arguments)
    if asked.keep and asked.divide != 1:
        _parser().error("--keep is for runs with all the data, not with --divide")
    if asked.page and not asked.keep:
        page.write()
        return 0
    if asked.scale:
        print(report.machine())
        scale.show(asked.database or list(PLACES), asked.divide)
        return 0
    kept = usual_file() if asked.keep else None
    run = Run.load(kept) if kept and kept.exists() else Run("")
    run.machine = report.machine()
    print(run.machine)
    faults = 0
    profiles: dict[str, list[list[str]]] = {}
    with tempfile.TemporaryDirectory(prefix="bench_") as folder:
        for name in asked.database or PLACES:
            try:
                _on(name, Path(folder), asked, run, kept, profiles)
            except (Unequal, Ended) as error:
                faults += 1
                print(error, file=sys.stderr)
    if asked.profile:
        if asked.keep:
            profiling.write(run.machine, profiles)
        return 2 if faults else 0
    _tell("")
    print(", ".join(f"{name} {version}" for name, version in run.versions.items()))
    print(f"{asked.rounds} rounds; a ratio is the median of the rounds' ratios to the first column\n")
    missed = _show(run)
    if asked.page:
        page.write()
    return 2 if faults else 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description="Crowsfoot, bare drivers and other mappers compared."
    )
    names = ", ".join(BY_NAME)
    parser.add_argument("-w", "--workload", action="append", choices=list(BY_NAME), metavar="NAME", help=names)
    parser.add_argument("-g", "--group", action="append", choices=list(GROUPS))
    parser.add_argument("-d", "--database", action="append", choices=PLACES)
    parser.add_argument("-a", "--adapter", action="append", choices=list(ADAPTERS), help="beside the bare drivers")
    parser.add_argument("-r", "--rounds", type=int, default=Effort.rounds)
    parser.add_argument("-s", "--share", type=float, default=Effort.share, help="seconds of an adapter in each round")
    parser.add_argument("--divide", type=int, default=1, help="the amount of data by this number")
    parser.add_argument("--keep", action="store_true", help="add the rounds to those kept in docs/benchmarks")
    parser.add_argument("--resume", action="store_true", help="leave out what is kept already")
    parser.add_argument("--page", action="store_true", help="write docs/benchmarks.md and its plots from what is kept")
    parser.add_argument(
        "--profile",
        action="store_true",
        help="show where Crowsfoot's time goes instead; with --keep, write it to docs/benchmarks/profiles.md",
    )
    parser.add_argument("--scale", action="store_true", help="show memory and time of what is large instead")
    return parser


def _on(
    name: str,
    folder: Path,
    asked: argparse.Namespace,
    run: Run,
    kept: Path | None,
    profiles: dict[str, list[list[str]]],
) -> None:
    """Measure, or profile, on one database."""
    workloads = [workload for workload in WORKLOADS if _wanted(workload, name, asked, run)]
    sizes = Sizes() if asked.divide == 1 else Sizes().smaller(asked.divide)
    place = _place(name, folder, sizes) if workloads else None
    if place is None:
        return
    try:
        if asked.profile:
            profiles[name] = profiling.show(place, workloads, sizes)
            return
        with ExitStack() as stack:
            processes = start(place, _adapters(name, asked.adapter), sizes, stack)
            run.versions |= place.versions()
            for process in processes:
                run.versions |= process.versions
            for result in measure(name, processes, workloads, Effort(asked.rounds, asked.share), _tell):
                run.add(result)
                if kept:
                    run.save(kept)
    finally:
        place.close()


def _wanted(workload: Workload, database: str, asked: argparse.Namespace, run: Run) -> bool:
    return (
        database in workload.databases
        and (not asked.workload or workload.name in asked.workload)
        and (not asked.group or workload.group in asked.group)
        and not (asked.resume and (database, workload.name) in run.results)
    )


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


def _show(run: Run) -> int:
    """Print the tables; returns how many goals were missed."""
    missed = 0
    for database, decides in report.DECIDES.items():
        for measured in sorted(report.WORDS, key=lambda measured: measured != decides):
            if run.of(database):
                print(f"{database}, {report.WORDS[measured]}\n{report.table(run, database, measured)}\n")
        missed += sum(report.exceeds(result, BY_NAME[result.workload], decides) for result in run.of(database))
    if run.results:
        print(f"geometric means\n{report.summary(run)}\n")
    return missed


def _tell(text: str) -> None:
    """What is going on, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
