"""SQLite through the standard library."""

from __future__ import annotations

import sqlite3

from benchmarks.adapters.driver import Driver


class Sqlite3(Driver):
    def open(self, url: str) -> None:
        self.connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.cursor = self.connection.cursor()

    def close(self) -> None:
        self.connection.close()

    def versions(self) -> dict[str, str]:
        return {"sqlite3": sqlite3.sqlite_version}


ADAPTER = Sqlite3
