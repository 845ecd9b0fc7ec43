"""PostgreSQL through psycopg 3."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from benchmarks.adapters.driver import Entry
from benchmarks.adapters.driver_films import Films
from benchmarks.adapters.driver_published import Journal


class Psycopg(Films):
    mark = "%s"

    def stored(self, moment: datetime) -> Any:
        return moment

    def moment(self, stored: Any) -> datetime:
        found: datetime = stored
        return found

    def insert_journals(self, journals: list[Journal]) -> None:
        with self.cursor.copy("COPY bench_journal (timestamp, level, text) FROM STDIN") as copy:
            for journal in journals:
                copy.write_row((journal.timestamp, journal.level, journal.text))

    def open(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.cursor = self.connection.cursor()

    def close(self) -> None:
        self.connection.close()

    def among(self, keys: Sequence[int]) -> tuple[str, Sequence[Any]]:
        return " = ANY(%s)", (keys,)

    def insert_all(self, entries: list[Entry]) -> None:
        with self.connection.transaction():
            self.cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('bench_entry', 'id')) FROM generate_series(1, %s)",
                (len(entries),),
            )
            for entry, (key,) in zip(entries, self.cursor.fetchall(), strict=True):
                entry.id = key
            with self.cursor.copy("COPY bench_entry (id, name, place, level, weight) FROM STDIN") as copy:
                for entry in entries:
                    copy.write_row((entry.id, entry.name, entry.place, entry.level, entry.weight))

    def versions(self) -> dict[str, str]:
        return {"psycopg": psycopg.__version__}


ADAPTER = Psycopg
