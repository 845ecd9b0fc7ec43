"""One body per behaviour, run on SQLite and PostgreSQL, sync and async.

A test is an ``async def`` that asks for ``do``: ``await do(qs.get, name="Asha")`` calls ``get`` or awaits ``aget``.
In the sync half nothing is ever awaited for real: the body runs to its end without an event loop.
"""

from __future__ import annotations

import asyncio
import importlib
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from functools import cache
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from behaviour_models import TABLES

from crowsfoot import create_tables
from crowsfoot.database import Database, databases
from crowsfoot.drivers.run import Execute, Fetch
from crowsfoot.drivers.url import parse_url
from crowsfoot.testing import assert_num_queries, capture_queries
from crowsfoot.transaction import atomic

Body = Callable[..., Any]
Tables = tuple[Any, ...]


class Do:
    """Calls a method, or awaits its twin of the same name with an ``a`` in front."""

    def __init__(self, database: Database, is_async: bool) -> None:
        self.database = database
        self.is_async = is_async

    @property
    def vendor(self) -> str:
        return self.database.vendor

    async def __call__(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self.is_async:
            return method(*args, **kwargs)
        owner = getattr(method, "__self__", None)
        if owner is None:
            owner = sys.modules[method.__module__]
        return await getattr(owner, f"a{self._name(owner, method)}")(*args, **kwargs)

    def _name(self, owner: Any, method: Callable[..., Any]) -> str:
        """The name under which the owner has the method: managers forward by functions of another name."""
        if getattr(owner, method.__name__, None) == method:
            return method.__name__
        return next(name for name in dir(type(owner)) if getattr(owner, name, None) == method)

    async def rows(self, queryset: Any) -> list[Any]:
        """All rows of a queryset or manager, or of ``iterator()``."""
        return [row async for row in self.each(queryset)]

    async def each(self, queryset: Any) -> AsyncIterator[Any]:
        if self.is_async:
            async for row in queryset:
                yield row
        else:
            for row in queryset:
                yield row

    async def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a SELECT of one's own, or none of another statement."""

        def send(session: Any) -> Any:
            if not statement.startswith("SELECT"):
                yield Execute(statement)
                return []
            return (yield Fetch(statement, (), lambda rows: [tuple(row) for row in rows]))

        return list(await self.database.arun(send) if self.is_async else self.database.run(send))

    def iterator(self, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        return (queryset.aiterator if self.is_async else queryset.iterator)(*args, **kwargs)

    @asynccontextmanager
    async def atomic(self, **options: Any) -> AsyncIterator[None]:
        if self.is_async:
            async with atomic(**options):
                yield
        else:
            with atomic(**options):
                yield

    def queries(self, number: int) -> AbstractContextManager[Any]:
        """Fail unless the block sends this number of statements."""
        return assert_num_queries(number)

    def captured(self) -> AbstractContextManager[Any]:
        return capture_queries()

    def run(self, body: Body, **arguments: Any) -> None:
        coroutine = body(**arguments)
        if self.is_async:
            asyncio.run(self._to_the_end(coroutine))
            return
        try:
            coroutine.send(None)
        except StopIteration:
            return
        coroutine.close()
        raise AssertionError("The sync half of a test awaited something that is not there yet.")

    async def _to_the_end(self, coroutine: Any) -> None:
        try:
            await coroutine
        finally:
            await self.database.aclose()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test by its ``do``."""
    if not iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    pyfuncitem.funcargs["do"].run(pyfuncitem.obj, **arguments)
    return True


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Tables], Database]:
    folder = tmp_path_factory.mktemp("behaviour")
    return cache(lambda tables: with_tables(f"sqlite:///{folder}/{label(tables)}.db?timeout=0.2", tables))


@pytest.fixture(scope="session")
def postgres_tables(postgres_url: str) -> Iterator[Callable[[Tables], Database]]:
    connect = importlib.import_module("crowsfoot.drivers.postgresql_sync").connect
    admin = connect(parse_url(postgres_url))
    made: list[tuple[str, Database]] = []

    def in_a_schema(tables: Tables) -> Database:
        name = f"{label(tables)}_{secrets.token_hex(4)}"
        admin.execute(f"CREATE SCHEMA {name}")
        made.append((name, with_tables(f"{postgres_url}?options=-c%20search_path%3D{name}", tables)))
        return made[-1][1]

    yield cache(in_a_schema)
    for name, database in made:
        database.close()
        admin.script(f"SET client_min_messages = warning; DROP SCHEMA {name} CASCADE")
    admin.close()


def label(tables: Tables) -> str:
    return str(tables[0]._meta.app_label)


def with_tables(url: str, tables: Tables) -> Database:
    databases["default"] = database = Database("default", url)
    create_tables(*tables)
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """The default database, with the tables of ``behaviour_models`` or the test module's own ``TABLES``, all empty."""
    tables: Tables = getattr(request.module, "TABLES", TABLES)
    vendor = "sqlite" if request.param == "sqlite" else "postgres"
    databases["default"] = found = request.getfixturevalue(f"{vendor}_tables")(tables)
    yield found
    assert found.session.blocks == [], "A test left a transaction open."
    links = [field.remote_field.through for model in tables for field in model._meta.local_many_to_many]
    for model in (*links, *reversed(tables)):
        found.session.connection.execute(f'DELETE FROM "{model._meta.db_table}"')
    found.close()


@pytest.fixture(params=["sync", "async"])
def do(request: pytest.FixtureRequest, database: Database) -> Do:
    return Do(database, request.param == "async")


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """Where a test may make a file of its own."""
    return tmp_path / "blog.db"
