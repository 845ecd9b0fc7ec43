"""Connections of every driver behind one synchronous face, so that one test body serves all."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crowsfoot.drivers import sqlite, sqlite_async
from crowsfoot.drivers.run import run
from crowsfoot.drivers.url import parse_url


class Blocking:
    """An async connection whose awaitable methods are called without await. Attributes pass through."""

    def __init__(self, runner: asyncio.Runner, connection: Any) -> None:
        self.runner, self.connection = runner, connection

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.connection, name)
        if not asyncio.iscoroutinefunction(found):
            return found
        return lambda *args: self.runner.run(found(*args))


class Direct:
    """A sync connection with the `drive` that only async ones have."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def drive(self, operation: Any) -> Any:
        return run(self.connection, operation)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


Opener = Callable[[], Any]


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def opening(request: pytest.FixtureRequest, kind: str) -> Iterator[Opener]:
    """A function that opens connections of a kind to one empty database; they are closed at the end."""
    runner = request.getfixturevalue("runner")
    opened: list[Any] = []

    def opener() -> Any:
        opened.append(Direct(sync(parts)) if sync else Blocking(runner, runner.run(aopen(parts))))
        return opened[-1]

    sync: Any = None
    aopen: Any = None
    if kind.startswith("sqlite"):
        parts = parse_url(f"sqlite:///{request.getfixturevalue('tmp_path')}/blog.db?timeout=0.05")
        sync, aopen = (sqlite.connect, None) if kind == "sqlite" else (None, sqlite_async.aconnect)
    else:
        parts = parse_url(request.getfixturevalue("postgres_schema"))
        if kind == "psycopg":
            sync = importlib.import_module("crowsfoot.drivers.postgresql_sync").connect
        else:
            aopen = importlib.import_module("crowsfoot.drivers.postgresql_async").aconnect
    yield opener
    for connection in opened:
        connection.close()


@pytest.fixture(params=["psycopg", "asyncpg"])
def open_postgres(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens connections to an empty PostgreSQL database."""
    yield from opening(request, request.param)


@pytest.fixture(params=["sqlite", "sqlite-async", "psycopg", "asyncpg"])
def opener(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens connections of each of the four kinds."""
    yield from opening(request, request.param)
