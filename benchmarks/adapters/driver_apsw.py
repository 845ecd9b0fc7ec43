"""SQLite through apsw."""

from __future__ import annotations

import apsw

from benchmarks.adapters.driver import Driver


class Apsw(Driver):
    def open(self, url: str) -> None:
        self.connection = apsw.Connection(url.removeprefix("sqlite:///"))
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.cursor = self.connection.cursor()

    def close(self) -> None:
        self.connection.close()

    def versions(self) -> dict[str, str]:
        return {"apsw": f"{apsw.apsw_version()} (SQLite {apsw.sqlite_lib_version()})"}


ADAPTER = Apsw
