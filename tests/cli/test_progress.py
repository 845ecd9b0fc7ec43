"""The progress bar: for people, after a second, and gone when the work is done."""

from __future__ import annotations

import io
from threading import Event

import pytest
from rich.console import Console

from crowsfoot.cli import progress
from crowsfoot.cli.progress import Progress


class Screen(io.StringIO):
    """Notes when something is first written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = Event()

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)


def test_a_bar_appears_when_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0)
    screen = Screen()
    with Progress(Console(file=screen, force_terminal=True), "Counting sheep", 3) as bar:
        bar.advance()
        assert screen.written.wait(30)
    assert "Counting sheep" in screen.getvalue()
    assert "1/3" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K")  # the line is wiped


def test_nothing_appears_when_it_is_quick() -> None:
    screen = io.StringIO()
    with Progress(Console(file=screen, force_terminal=True), "Counting sheep", 3) as bar:
        bar.doing("Still counting")
        bar.advance()
    assert screen.getvalue() == ""


def test_a_pipe_never_sees_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0)
    screen = io.StringIO()
    with Progress(Console(file=screen), "Counting sheep", 3) as bar:
        bar.advance()
    assert screen.getvalue() == ""
