"""Where the time of a workload goes: what the bare driver takes, and in which files and functions Crowsfoot is."""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from benchmarks.adapters import ADAPTERS
from benchmarks.data import Sizes
from benchmarks.kept import FOLDER
from benchmarks.places import Place
from benchmarks.report import DECIDES, WORDS, drawn
from benchmarks.runner import Process, base_of, start
from benchmarks.workloads import Workload

ROUNDS = 7
SECONDS = 0.1
FUNCTIONS = 25
FILES = 5


PAGE = FOLDER / "profiles.md"
ABOUT = """# Where the time goes

Written by `make bench ARGS="--profile --keep"`: {machine}.

The hand-written code is the floor, and on SQLite the same code over apsw, the driver that Crowsfoot uses. Beside it is
how many times as long Crowsfoot takes, measured without the profiler, and the files in which a profile finds it, with
their shares. A profiler makes calls of Python code look dearer than they are: the shares say where to look, no more.
"built in" is what runs in C, queries and their rows included; `<string>` are functions that Crowsfoot generates, most
of all from rows to instances.
"""


def write(machine: str, tables: dict[str, list[list[str]]]) -> None:
    """Write the page, with a table of ``show``'s lines for each database."""
    parts = [ABOUT.format(machine=machine)]
    for database, lines in tables.items():
        head = ["workload", "floor ms", "over apsw", "Crowsfoot", "where"]
        parts.append(f"## {database}, {WORDS[DECIDES[database]]}\n\n{drawn([head, *lines])}\n")
    PAGE.write_text("\n".join(parts))


def show(place: Place, workloads: list[Workload], sizes: Sizes) -> list[list[str]]:
    """Print the profile of each of these workloads on one database; gives a line of a table for each.

    Times are measured without the profiler, which makes calls of Python code look dearer than they are: its shares
    say where to look, no more.
    """
    drivers = [entry.name for entry in ADAPTERS.values() if entry.bare and place.name in entry.databases]
    names = [*(name for name in drivers if not ADAPTERS[name].missing), "crowsfoot"]
    table: list[list[str]] = []
    with ExitStack() as stack:
        processes = start(place, names, sizes, stack)
        for workload in workloads:
            able = [process for process in processes if workload.name in process.workloads]
            measure = DECIDES[place.name]
            measured = _medians(able, workload, measure)
            floor = measured[base_of(workload, place.name)]
            times = [f"{name} {seconds * 1e3:.2f} ms ({seconds / floor:.2f})" for name, seconds in measured.items()]
            print(f"\n{workload.title} ({workload.name}), {place.name}, {WORDS[measure]}: {', '.join(times)}\n")
            found = able[-1].ask("profile", workload=workload.name, times=max(1, round(1 / measured["crowsfoot"])))
            print(drawn([["file", "share"], *([name, f"{share:.1%}"] for name, share in found["files"])]), end="\n\n")
            functions = found["functions"][:FUNCTIONS]
            lines = [[name, f"{share:.1%}", f"{calls:,.0f}"] for name, share, calls in functions]
            print(drawn([["function", "share", "calls"], *lines]))
            ratios = [f"{measured[name] / floor:.2f}" if name in measured else "-" for name in ("apsw", "crowsfoot")]
            where = ", ".join(f"{name} {share:.0%}" for name, share in found["files"][:FILES])
            table.append([workload.title, f"{floor * 1e3:.2f}", *ratios, where])
    return table


def _medians(processes: list[Process], workload: Workload, measure: str) -> dict[str, float]:
    times: dict[str, list[float]] = {process.adapter: [] for process in processes}
    for process in processes:
        process.ask("check", workload=workload.name)
    for _ in range(ROUNDS):
        for process in processes:
            done = times[process.adapter]
            repeated = max(1, round(SECONDS / done[0])) if done else 1
            done.append(process.ask("time", workload=workload.name, times=repeated)[measure])
    return {name: statistics.median(found[1:]) for name, found in times.items()}
