"""The tables of ``query_models`` on SQLite and PostgreSQL, with their rows; asked sync and async."""

from __future__ import annotations

import asyncio
import importlib
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from query_models import TABLES, Event, rows

from crowsfoot import create_tables
from crowsfoot.database import Database, databases
from crowsfoot.drivers.url import parse_url


class Ask:
    """``ask(queryset)`` is the list of its rows; ``ask.one(method, …)`` what a method, or its async twin, answers."""

    def __init__(self, database: Database, is_async: bool) -> None:
        self.database = database
        self.is_async = is_async

    @property
    def vendor(self) -> str:
        return self.database.vendor

    def __call__(self, queryset: Any) -> list[Any]:
        if not self.is_async:
            return list(queryset)

        async def all_rows() -> list[Any]:
            try:
                return [row async for row in queryset]
            finally:
                await self.database.aclose()

        return asyncio.run(all_rows())

    def one(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.is_async:
            return method(*args, **kwargs)

        async def answer() -> Any:
            try:
                return await getattr(method.__self__, f"a{method.__name__}")(*args, **kwargs)
            finally:
                await self.database.aclose()

        return asyncio.run(answer())

    def values(self, expression: Any) -> list[Any]:
        """The expression of each row."""
        return self(Event.objects.order_by("id").annotate(value=expression).values_list("value", flat=True))

    def which(self, *args: Any, **kwargs: Any) -> list[int]:
        """The numbers of the rows that meet conditions, from 1."""
        return self(Event.objects.filter(*args, **kwargs).order_by("id").values_list("id", flat=True))


def with_rows(url: str) -> Database:
    database = Database("default", url)
    databases["default"] = database
    create_tables(*TABLES)
    for row in rows():
        row.save()
    return database


@pytest.fixture(scope="session")
def query_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = with_rows(f"sqlite:///{tmp_path_factory.mktemp('query') / 'query.db'}")
    yield database
    database.close()


@pytest.fixture(scope="session")
def query_postgresql(postgres_url: str) -> Iterator[Database]:
    connect = importlib.import_module("crowsfoot.drivers.postgresql_sync").connect
    name = f"query_{secrets.token_hex(4)}"
    admin = connect(parse_url(postgres_url))
    admin.execute(f"CREATE SCHEMA {name}")
    database = with_rows(f"{postgres_url}?options=-c%20search_path%3D{name}")
    yield database
    database.close()
    admin.script(f"SET client_min_messages = warning; DROP SCHEMA {name} CASCADE")
    admin.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    found: Database = request.getfixturevalue(f"query_{request.param}")
    databases["default"] = found
    yield found
    found.close()


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, database: Database) -> Ask:
    return Ask(database, request.param == "async")
