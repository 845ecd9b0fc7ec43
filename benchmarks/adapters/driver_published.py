"""Hand-written code for the operations of orm-benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from benchmarks.adapters.driver import Driver
from benchmarks.data import LEVELS


class Journal:
    __slots__ = ("id", "level", "text", "timestamp")

    def __init__(self, id: int | None, timestamp: datetime, level: int, text: str) -> None:
        self.id = id
        self.timestamp = timestamp
        self.level = level
        self.text = text


JOURNAL = "SELECT id, timestamp, level, text FROM bench_journal"


class Published(Driver):
    """``stored`` and ``moment`` turn a moment into what the driver takes, and what it gives into a moment."""

    def stored(self, moment: datetime) -> Any:
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")

    def moment(self, stored: Any) -> datetime:
        return datetime.fromisoformat(stored).replace(tzinfo=UTC)

    def insert_journals(self, journals: list[Journal]) -> None:
        """Write these in one go."""
        sql = "INSERT INTO bench_journal (timestamp, level, text) VALUES (?, ?, ?)"
        self.cursor.execute("BEGIN IMMEDIATE")
        self.cursor.executemany(sql, [(self.stored(one.timestamp), one.level, one.text) for one in journals])
        self.cursor.execute("COMMIT")

    def _insert(self, name: str, number: int) -> None:
        execute = self.cursor.execute
        marks = ", ".join([self.mark] * 3)
        sql = f"INSERT INTO bench_journal (timestamp, level, text) VALUES ({marks}) RETURNING id"
        for item in range(number):
            journal = Journal(None, datetime.now(UTC), LEVELS[item % 5], f"Insert from {name}, item {item}")
            values = (self.stored(journal.timestamp), journal.level, journal.text)
            ((journal.id,),) = execute(sql, values).fetchall()

    def journal_single(self) -> Any:
        self._insert("A", self.sizes.singly)

    def journal_batch(self) -> Any:
        self.cursor.execute("BEGIN")
        self._insert("B", self.sizes.journal)
        self.cursor.execute("COMMIT")

    def journal_bulk(self) -> Any:
        now, numbers = datetime.now(UTC), range(self.sizes.journal)
        self.insert_journals([Journal(None, now, LEVELS[i % 5], f"Insert from C, item {i}") for i in numbers])

    def _journals(self, sql: str, *params: Any) -> list[Journal]:
        moment = self.moment
        return [
            Journal(key, moment(timestamp), level, text)
            for key, timestamp, level, text in self.cursor.execute(sql, params)
        ]

    def journal_large(self) -> Any:
        return [one for level in LEVELS for one in self._journals(f"{JOURNAL} WHERE level = {self.mark}", level)]

    def journal_small(self) -> Any:
        sql = f"{JOURNAL} WHERE level = {self.mark} ORDER BY id LIMIT 20 OFFSET {self.mark}"
        found: list[Journal] = []
        for level, offset in self.windows():
            found += self._journals(sql, level, offset)
        return found

    def journal_get(self) -> Any:
        sql = f"{JOURNAL} WHERE id = {self.mark}"
        return [self._journals(sql, key)[0] for key in self.journal_keys()]

    def journal_dicts(self) -> Any:
        found: list[dict[str, Any]] = []
        for level in LEVELS:
            for key, timestamp, _, text in self.cursor.execute(f"{JOURNAL} WHERE level = {self.mark}", (level,)):
                found.append({"id": key, "timestamp": self.moment(timestamp), "level": level, "text": text})
        return found

    def journal_tuples(self) -> Any:
        found: list[tuple[Any, ...]] = []
        for level in LEVELS:
            for key, timestamp, _, text in self.cursor.execute(f"{JOURNAL} WHERE level = {self.mark}", (level,)):
                found.append((key, self.moment(timestamp), level, text))
        return found

    def journal_whole(self) -> Any:
        journals = self._journals(JOURNAL)
        mark = self.mark
        sql = f"UPDATE bench_journal SET timestamp = {mark}, level = {mark}, text = {mark} WHERE id = {mark}"
        self.cursor.execute("BEGIN")
        for journal in journals:
            journal.level, journal.text = self.other(journal.level), f"{journal.text} Update"
            self.cursor.execute(sql, (self.stored(journal.timestamp), journal.level, journal.text, journal.id))
        self.cursor.execute("COMMIT")

    def journal_partial(self) -> Any:
        journals = self._journals(JOURNAL)
        sql = f"UPDATE bench_journal SET level = {self.mark} WHERE id = {self.mark}"
        self.cursor.execute("BEGIN")
        for journal in journals:
            journal.level = self.other(journal.level)
            self.cursor.execute(sql, (journal.level, journal.id))
        self.cursor.execute("COMMIT")

    def journal_delete(self) -> Any:
        journals = self._journals(JOURNAL)
        self.cursor.execute("BEGIN")
        for journal in journals:
            self.cursor.execute(f"DELETE FROM bench_journal WHERE id = {self.mark}", (journal.id,))
        self.cursor.execute("COMMIT")
