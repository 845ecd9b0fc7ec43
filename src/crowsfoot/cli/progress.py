"""A progress bar for people who have waited a second; nobody else sees it."""

from __future__ import annotations

from threading import Timer

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

PATIENCE = 1.0
"""Seconds before the bar appears."""


class Progress:
    """A context manager around work of ``total`` steps (None: nobody knows how many).

    The bar appears on a terminal only, after ``PATIENCE``, and is gone when the work is done.
    """

    def __init__(self, console: Console, what: str, total: int | None = None) -> None:
        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
        self.bar = Bar(*columns, console=console, transient=True)
        self.task = self.bar.add_task(what, total=total)
        self._timer = Timer(PATIENCE, self.bar.start) if console.is_terminal else None

    def __enter__(self) -> Progress:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()  # it may be starting the bar just now
        if self.bar.live.is_started:
            self.bar.stop()

    def doing(self, what: str, total: int | None = None) -> None:
        """Say what is being done now, and of how many steps, once that is known."""
        self.bar.update(self.task, description=what, total=total)

    def advance(self) -> None:
        """One step is done."""
        self.bar.advance(self.task)
