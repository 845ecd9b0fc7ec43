"""One file for each competitor. Those whose libraries are not installed are left out, and the report says so."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True)
class Entry:
    """Where an adapter is, what has to be installed for it, and the databases that it knows."""

    name: str
    module: str
    libraries: tuple[str, ...] = ()
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    bare: bool = False  # no mapper, but hand-written code over a driver

    @property
    def missing(self) -> list[str]:
        return [library for library in self.libraries if find_spec(library) is None]

    def load(self) -> type[Any]:
        """Its class. Only the process that measures it imports it."""
        found: type[Any] = import_module(f"benchmarks.adapters.{self.module}").ADAPTER
        return found


ADAPTERS = {
    entry.name: entry
    for entry in (
        Entry("sqlite3", "driver_sqlite3", databases=("sqlite",), bare=True),
        Entry("apsw", "driver_apsw", ("apsw",), databases=("sqlite",), bare=True),
        Entry("psycopg", "driver_psycopg", ("psycopg",), databases=("postgresql",), bare=True),
        Entry("asyncpg", "driver_asyncpg", ("asyncpg",), databases=("postgresql",), bare=True),
        Entry("crowsfoot", "crowsfoot_published", ("apsw",)),
        Entry("django", "django_published", ("django",)),
        Entry("peewee", "peewee_published", ("peewee",)),
        Entry("sqlalchemy", "sqlalchemy_published", ("sqlalchemy", "greenlet")),
        Entry("tortoise", "tortoise_published", ("tortoise", "aiosqlite")),
        Entry("piccolo", "piccolo_published", ("piccolo", "aiosqlite")),
        Entry("pony", "pony_published", ("pony", "psycopg2")),
    )
}
# What the others are compared with: the standard library's driver, and PostgreSQL's usual one.
BASES = {"sqlite": "sqlite3", "postgresql": "psycopg"}
