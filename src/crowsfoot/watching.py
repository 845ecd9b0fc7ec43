"""`watch()`: which lines of a program sent how many queries, and how many were saved by loading for several at once.

`plan_cache()`: what is kept of queries that were asked before.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple

from crowsfoot.database import databases
from crowsfoot.drivers.worker import TASK, WATCHERS
from crowsfoot.persistence import cohort
from crowsfoot.query.shapes import LIMIT, TALLY, Shape

OWN = "crowsfoot."
# A loop that loads for several rows at once sends one statement this often for 65,000 rows.
OFTEN = 16
# How statements begin that are made from a plan; those of transactions and of the schema are not.
PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "(")


class PlanCache(NamedTuple):
    """What is kept of the queries of this process. ``shapes`` are queries without their values, each with its plans;
    beyond ``limit`` of them all are dropped and made anew, as they are when a database is connected or a look-up
    registered. Since the process began, ``compiled`` plans were made, and all were dropped ``emptied`` times."""

    shapes: int
    limit: int
    compiled: int
    emptied: int


def plan_cache() -> PlanCache:
    """What is kept of the queries that were asked before, and how often a plan had to be made. Costs nothing."""
    return PlanCache(Shape.made, LIMIT, TALLY.compiled, TALLY.emptied)


@dataclass(slots=True)
class Site:
    """One line of a program: the queries it sent, those it was saved, and the statements themselves."""

    place: str
    sent: int = 0
    saved: int = 0
    statements: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def repeated(self) -> int:
        """How often the line sent its most frequent statement."""
        return max(self.statements.values(), default=0)


class Watch:
    """What happened while a ``watch()`` block ran. ``sites``: the lines that asked, those with most queries first."""

    def __init__(self) -> None:
        self._sites: dict[str, Site] = {}
        self._started = TALLY.compiled
        self._ended: int | None = None

    @property
    def sites(self) -> list[Site]:
        return sorted(self._sites.values(), key=lambda site: (-site.sent, -site.saved, site.place))

    @property
    def sent(self) -> int:
        """The number of statements sent."""
        return sum(site.sent for site in self._sites.values())

    @property
    def saved(self) -> int:
        """The number of queries that a mapper without cohorts would have sent on top."""
        return sum(site.saved for site in self._sites.values())

    @property
    def compiled(self) -> int:
        """The number of statements compiled, all threads' together, as long as the block ran."""
        return (TALLY.compiled if self._ended is None else self._ended) - self._started

    @property
    def hit_rate(self) -> float | None:
        """The part of the statements sent whose plan was there already, from 0 to 1; None where none was sent.

        Statements of transactions and of the schema have no plan and are left out; SQL of one's own counts as planned.
        """
        sent = sum(
            number
            for site in self._sites.values()
            for sql, number in site.statements.items()
            if sql.lstrip().upper().startswith(PLANNED)
        )
        return max(0.0, 1 - self.compiled / sent) if sent else None

    def loops(self, more_than: int = OFTEN) -> list[Site]:
        """The lines that sent one statement more often than this: most likely a loop that asks for each row (N+1).

        Relations do not, whatever the loop. What does are queries on a manager of a model, rows with
        ``fetch_mode(FETCH_ONE)``, and rows that came one by one.
        """
        return [site for site in self.sites if site.repeated > more_than]

    def report(self) -> str:
        """A line for each call site: what it sent, what it was saved, and its most frequent statement. Those of
        ``loops()`` say so. The last line is about plans."""
        lines = [f"{self.sent} queries sent, {self.saved} saved"]
        for site in self.sites:
            often = max(site.statements, key=lambda sql: site.statements[sql], default="")
            loop = f", a loop: one statement {site.repeated} times" if site.repeated > OFTEN else ""
            told = f"{site.place}: {site.sent} sent, {site.saved} saved{loop}"
            lines.append(told + (f"  {often[:100]}" if often else ""))
        rate = self.hit_rate
        if rate is not None:
            lines.append(f"{self.compiled} plans compiled, hit rate {rate:.0%}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.report()

    def _site(self) -> Site:
        place = caller()
        return self._sites.setdefault(place, Site(place))

    def _on_statement(self, sql: str, params: Sequence[Any]) -> None:
        site = self._site()
        site.sent += 1
        site.statements[sql] = site.statements.get(sql, 0) + 1

    def _on_saved(self, number: int) -> None:
        self._site().saved += number


def caller() -> str:
    """``file:line`` of the nearest code that is not Crowsfoot's own.

    In a worker's thread it is that of the task that waits, ``(async)`` where no task does.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not _is_theirs(frame):
        frame = frame.f_back
    if frame is None:
        frame = _waiting(TASK.get())
    return "(async)" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _is_theirs(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__", "")
    inside = module.startswith(OWN) or module in ("threading", "contextlib")
    return not inside and "<" not in frame.f_code.co_filename


def _waiting(task: asyncio.Task[Any] | None) -> FrameType | None:
    """The innermost frame of a suspended task that is not Crowsfoot's own."""
    found: FrameType | None = None
    coroutine: Any = None if task is None else task.get_coro()
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
        if frame is not None and _is_theirs(frame):
            found = frame
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)
    return found


@contextmanager
def watch() -> Generator[Watch]:
    """Watch every database as long as the block runs: ``with crowsfoot.watch() as w: view(); print(w.report())``.

    Costs a look at the stack for each statement.
    """
    watched = Watch()
    with ExitStack() as stack:
        for database in databases.all():
            stack.enter_context(database.watched(watched._on_statement))
        cohort.SAVED.append(watched._on_saved)
        WATCHERS.append(watched)
        try:
            yield watched
        finally:
            watched._ended = TALLY.compiled
            WATCHERS.remove(watched)
            cohort.SAVED.remove(watched._on_saved)
