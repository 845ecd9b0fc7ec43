"""Where the measurements happen: a filled database for each adapter, made from one template and removed afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from abc import ABC, abstractmethod
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.data import COLUMNS, TABLES, Sizes, films, rows, statements


class Missing(Exception):
    """A database system that is not here, and why: its measurements are left out."""


class Place(ABC):
    """One database system. ``make`` gives the URL of a filled database of one's own."""

    name: str

    @abstractmethod
    def make(self, adapter: str) -> str: ...
    @abstractmethod
    def close(self) -> None: ...
    def versions(self) -> dict[str, str]:
        """The version of a server; what works inside a process is named by it."""
        return {}


class SQLitePlace(Place):
    name = "sqlite"

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.template = folder / "template.db"
        connection = sqlite3.connect(self.template)
        connection.execute("PRAGMA journal_mode = wal")
        for statement in statements(self.name):
            connection.execute(statement)
        for table, values in rows(sizes):
            columns = COLUMNS[table]
            marks = ", ".join("?" for _ in columns)
            connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)
        connection.execute("ANALYZE")
        connection.commit()
        connection.close()

    def make(self, adapter: str) -> str:
        path = self.folder / f"{adapter}.db"
        shutil.copyfile(self.template, path)
        return f"sqlite:///{path}"

    def close(self) -> None:
        """The folder is removed with all that is in it."""


class PostgreSQLPlace(Place):
    """Databases on the server that ``BENCHMARK_POSTGRES`` names, or at 127.0.0.1:5432 for the user ``postgres``."""

    name = "postgresql"
    usual = "postgresql://postgres@127.0.0.1:5432/postgres"

    def __init__(self, sizes: Sizes) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise Missing(str(error)) from error
        self.url = os.environ.get("BENCHMARK_POSTGRES", self.usual)
        try:
            self.connection: Any = psycopg.connect(self.url, autocommit=True, connect_timeout=3)
        except psycopg.OperationalError as error:
            raise Missing(str(error)) from error
        self.template = f"bench_{secrets.token_hex(4)}"
        self.made = [self.template]
        self.connection.execute(f"CREATE DATABASE {self.template}")
        with psycopg.connect(self._url(self.template), autocommit=True) as template:
            for statement in statements(self.name):
                template.execute(statement)
            for table, values in chain(rows(sizes), films(sizes)):
                columns = COLUMNS[table]
                with template.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in values:
                        copy.write_row(row)
            for table in TABLES:
                template.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                )
            template.execute("VACUUM ANALYZE")

    def _url(self, name: str) -> str:
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def make(self, adapter: str) -> str:
        name = f"{self.template}_{adapter}"
        self.connection.execute(f"CREATE DATABASE {name} TEMPLATE {self.template}")
        self.made.append(name)
        return self._url(name)

    def close(self) -> None:
        for name in reversed(self.made):
            self.connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.connection.close()

    def versions(self) -> dict[str, str]:
        return {"PostgreSQL": self.connection.info.parameter_status("server_version").split()[0]}
