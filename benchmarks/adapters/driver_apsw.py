"""SQLite through apsw."""

from __future__ import annotations

import apsw

from benchmarks.adapters.driver import Entry
from benchmarks.adapters.driver_published import Published


class Apsw(Published):
    def open(self, url: str) -> None:
        self.connection = apsw.Connection(url.removeprefix("sqlite:///"))
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.cursor = self.connection.cursor()

    def close(self) -> None:
        self.connection.close()

    def insert_all(self, entries: list[Entry]) -> None:
        rows = [(entry.name, entry.place, entry.level, entry.weight) for entry in entries]
        self.cursor.execute("BEGIN IMMEDIATE")
        self.cursor.executemany("INSERT INTO bench_entry (name, place, level, weight) VALUES (?, ?, ?, ?)", rows)
        ((last,),) = self.cursor.execute("SELECT last_insert_rowid()").fetchall()
        self.cursor.execute("COMMIT")
        for key, entry in enumerate(entries, last - len(entries) + 1):  # nobody else writes in between
            entry.id = key

    def versions(self) -> dict[str, str]:
        return {"apsw": f"{apsw.apsw_version()} with SQLite {apsw.sqlite_lib_version()}"}


ADAPTER = Apsw
