"""What a worker does to its database beside the adapter: how it looks before a run, and what there is afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from importlib import import_module
from typing import Any


class Aside:
    """A connection of its own, by a bare driver."""

    def __init__(self, url: str) -> None:
        self.connection: Any
        if url.startswith("sqlite:///"):
            self.connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            self.connection.execute("PRAGMA foreign_keys = ON")
        else:
            self.connection = import_module("psycopg").connect(url, autocommit=True)

    def run(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def rows(self, sql: str) -> list[Any]:
        return [tuple(row) for row in self.connection.execute(sql)]

    def close(self) -> None:
        self.connection.close()
