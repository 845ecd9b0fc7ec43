"""What Crowsfoot costs over the bare driver, on SQLite: ``make bench``.

Each pair of figures comes from one process, in interleaved rounds: a round of the driver, a round of Crowsfoot, and so
on. The ratio printed is the median of the rounds' ratios of CPU time. Results are compared for equality first.
"""

from __future__ import annotations

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

import crowsfoot
from crowsfoot import models

ROWS = 20_000
ROUNDS = 15
GETS = 2_000


class Reading(models.Model):
    """Eight columns that a driver does not have to convert."""

    name = models.CharField(max_length=100)
    place = models.CharField(max_length=100)
    note = models.TextField()
    level = models.IntegerField()
    weight = models.FloatField()
    height = models.FloatField()
    count = models.BigIntegerField()


@dataclass
class Pair:
    """One workload, done by the driver and by Crowsfoot. Both return something that can be compared."""

    name: str
    limit: float
    driver: Callable[[], Any]
    mapper: Callable[[], Any]
    same: Callable[[Any, Any], bool]


def fill(path: Path) -> apsw.Connection:
    """A database with ``ROWS`` rows, opened by the bare driver with the same settings."""
    crowsfoot.connect(f"sqlite:///{path}")
    crowsfoot.create_tables(Reading)
    Reading.objects.bulk_create(
        Reading(
            name=f"n{i}", place=f"p{i % 97}", note="x" * 40, level=i % 9, weight=i / 3, height=i / 7, count=i * 1_000
        )
        for i in range(ROWS)
    )
    return apsw.Connection(str(path))


COLUMNS = "id, name, place, note, level, weight, height, count"


def pairs(raw: apsw.Connection) -> list[Pair]:
    cursor = raw.cursor()
    one = f"SELECT {COLUMNS} FROM main_reading WHERE id = ?"
    every = f"SELECT {COLUMNS} FROM main_reading"

    def driver_gets() -> Any:
        found: Any = None
        for key in range(1, GETS + 1):
            found = cursor.execute(one, (key,)).fetchall()[0]
        return found

    def mapper_gets() -> Any:
        found: Any = None
        for key in range(1, GETS + 1):
            found = Reading.objects.get(pk=key)
        return found

    def values(row: Any) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in COLUMNS.split(", "))

    return [
        Pair("get by primary key", 2.0, driver_gets, mapper_gets, lambda a, b: a == values(b)),
        Pair(
            f"{ROWS:,} rows to instances",
            1.8,
            lambda: cursor.execute(every).fetchall(),
            lambda: list(Reading.objects.all()),
            lambda a, b: a == [values(row) for row in b],
        ),
    ]


def measure(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(pair: Pair) -> tuple[float, float, float]:
    """Median seconds of each side, and the median ratio of the rounds."""
    if not pair.same(pair.driver(), pair.mapper()):
        raise SystemExit(f"{pair.name}: the driver and Crowsfoot do not give the same answer.")
    rounds = [(measure(pair.driver), measure(pair.mapper)) for _ in range(ROUNDS)]
    ratio = statistics.median(mapper / driver for driver, mapper in rounds)
    return statistics.median(d for d, _ in rounds), statistics.median(m for _, m in rounds), ratio


def main() -> int:
    versions = f"CPython {platform.python_version()}, apsw {apsw.apsw_version()}, SQLite {apsw.sqlite_lib_version()}"
    print(f"{versions}, {ROUNDS} rounds")
    print(f"{'workload':<28}{'apsw ms':>10}{'Crowsfoot ms':>14}{'ratio':>8}{'goal':>8}")
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        raw = fill(Path(folder) / "bench.db")
        for pair in pairs(raw):
            driver, mapper, ratio = compare(pair)
            missed += ratio > pair.limit
            print(f"{pair.name:<28}{driver * 1e3:>10.1f}{mapper * 1e3:>14.1f}{ratio:>8.2f}{pair.limit:>8.1f}")
        raw.close()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
