"""The tour: every step works on both databases, shows what it did, and leaves no trace."""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from crowsfoot.cli import walk
from crowsfoot.cli.console import make_console
from crowsfoot.cli.tour import tour
from crowsfoot.database import DEFAULT, Database, connect, databases
from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.errors import ImproperlyConfigured
from crowsfoot.models.model import apps, current
from crowsfoot.persistence.session import Session

TEXT = (Path(walk.__file__).parent / "tour.md").read_text("utf-8")

RESULTS = [
    "'Asha'",
    "<QuerySet [<Post: Hello>, <Post: Django tips>]>",
    "<QuerySet [<Author: Asha>]>",
    "<QuerySet [<Tag: python>, <Tag: web>]>",
    "<QuerySet [<Post: Hello>]>",
    "'Writes about databases.'",
    "'asha'",
    "(5, {'blog.Draft': 1, 'blog.Post': 3, 'blog.Author': 1})",
    "<Author: Nobody>",
    "<Author: The editors>",
    "(6, {'blog.Episode': 1, 'blog.Post': 3, 'blog.Series': 1, 'blog.Author': 1})",
]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("fresh_postgres_url") if request.param == "postgresql" else None


def play(url: str | None = None, **options: Any) -> str:
    file = io.StringIO()
    assert tour(url, console=make_console(file), **options) == 0
    return file.getvalue()


def schemas(url: str) -> list[str]:
    def names(session: Session) -> Operation[list[Any]]:
        return (yield Fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'crowsfoot%'", (), list))

    database = Database("test", url)
    found = [row[0] for row in database.run(names)]
    database.close()
    return found


def test_it_shows_what_it_does(url: str | None) -> None:
    shown = play(url)
    for result in RESULTS:
        assert f"      → {result}\n" in shown
    for error in ("IntegrityError", "ProtectedError", "RestrictedError"):
        assert f"      → {error}: " in shown
    assert "    4 posts\n" in shown
    assert "search_path" not in shown
    assert "─┼┼── author CASCADE ─o<" in shown
    for rule in ("CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"):
        assert f"ON DELETE {rule} " in shown


def test_the_loop_takes_two_statements(url: str | None) -> None:
    loop = play(url).partition("for post in Post.objects.all():\n")[2].partition("    Hello, by Asha\n")[0]
    assert loop.count("│ SELECT") == 2
    assert loop.count("│") == 2


def test_it_leaves_nothing_behind(url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = connect("sqlite://:memory:")
    before = dict(sys.modules), {app: dict(models) for app, models in apps.all_models.items()}, current.apps
    first, second = play(url), play(url)
    assert (dict(sys.modules), {app: dict(models) for app, models in apps.all_models.items()}, current.apps) == before
    assert databases[DEFAULT] is mine
    assert not list(tmp_path.iterdir())
    assert url is None or not schemas(url)
    # Nothing of the first is in the way of the second: but for random values, they read the same.
    assert steady(first) == steady(second)


def steady(shown: str) -> str:
    return re.sub(r"with '(argon2|pbkdf2|!).*|/crowsfoot-tour-\w+/", "", shown)


def test_it_tidies_up_after_an_error(url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def play_badly(player: walk.Player, text: str, file: str) -> None:
        connect(player.namespace["url"]).enter()
        raise KeyboardInterrupt

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(walk.Player, "play", play_badly)
    with pytest.raises(KeyboardInterrupt):
        play(url)
    assert not list(tmp_path.iterdir())
    assert url is None or not schemas(url)


def test_all_code_is_shown() -> None:
    shown = play(mermaid=True)
    for part in walk.parse(TEXT):
        if isinstance(part, walk.Code):
            for line in part.source.splitlines():
                assert f"    {line}".rstrip() in shown.splitlines()


def test_mermaid_comes_when_asked_for() -> None:
    assert "erDiagram" not in play()
    shown = play(mermaid=True)
    assert '    User ||--o| Profile : "user CASCADE"\n' in shown
    assert "─┼┼── author CASCADE ─o<" in shown


def test_colours_are_for_terminals() -> None:
    file = io.StringIO()
    tour(console=Console(file=file, force_terminal=True, width=80, legacy_windows=False, color_system="standard"))
    assert "\x1b[" in file.getvalue()
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue()).splitlines())) <= 84
    assert "\x1b[" not in play()


def test_a_terminal_without_lines_gets_plain_characters() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, "ascii")
    tour(console=make_console(file))
    file.flush()
    shown = raw.getvalue().decode("ascii")
    assert "-||-- author CASCADE -o<" in shown
    assert shown.count("?") == play().count("?")  # none of them stands for a character that could not be shown


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="postgresql"):
        play("postgresql//nowhere")
