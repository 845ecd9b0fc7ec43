"""What is measured. An adapter implements a workload as a method of the same name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.data import COLUMNS


def as_it_is(result: Any) -> Any:
    return result


def all_fields(found: Any) -> list[tuple[Any, ...]]:
    return sorted(tuple(getattr(row, name) for name in COLUMNS["bench_reading"]) for row in found)


def by_owner(found: Any) -> list[tuple[Any, list[Any]]]:
    return sorted((owner, sorted(items)) for owner, items in found)


@dataclass(frozen=True)
class Workload:
    """One thing to do.

    ``facts`` makes of the method's result what has to be equal for all adapters; that is not timed. ``limit`` is the
    most that Crowsfoot may take, in times of the hand-written code.
    """

    name: str
    title: str
    facts: Callable[[Any], Any] = as_it_is
    limit: float | None = None


WORKLOADS = (
    Workload("get", "get by key, 2,000 times", limit=2.0),
    Workload("flat", "20,000 rows of 8 columns", all_fields, limit=1.8),
    Workload("naive_key", "naive walk over a foreign key, 2,000 posts", sorted, limit=1.6),
    Workload("naive_reverse", "naive walk over a reverse key, 500 authors", by_owner, limit=1.6),
    Workload("naive_links", "naive walk over a many-to-many, 2,000 posts", by_owner, limit=1.6),
)
