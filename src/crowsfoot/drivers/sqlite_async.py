"""SQLite in async code: a sync connection in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from crowsfoot.drivers.connection import Answer, Hydrate, Observer
from crowsfoot.drivers.pool import Pool as Pool
from crowsfoot.drivers.run import Operation, Statements, drive_in_parts, run
from crowsfoot.drivers.sqlite import Function, SQLiteConnection, connect
from crowsfoot.drivers.url import URLParts
from crowsfoot.drivers.worker import Worker

T = TypeVar("T")


async def aconnect(parts: URLParts, functions: Sequence[Function] = ()) -> AsyncSQLiteConnection:
    """Open a connection that lives in a thread of its own. Raises what ``connect`` raises."""
    return await AsyncSQLiteConnection.open(parts, functions)


class AsyncSQLiteConnection:
    """``AsyncConnection`` on a sync connection in a thread of its own. Every method is one hop, ``drive`` too.

    Observers are called in that thread, in the context variables of the caller.
    """

    def __init__(self, inner: SQLiteConnection, worker: Worker) -> None:
        self.inner = inner
        self.worker = worker
        self.dirty = False

    @property
    def observers(self) -> list[Observer]:
        return self.inner.observers

    @observers.setter
    def observers(self, observers: list[Observer]) -> None:
        self.inner.observers = observers

    @classmethod
    async def open(cls, parts: URLParts, functions: Sequence[Function] = ()) -> AsyncSQLiteConnection:
        opened: list[SQLiteConnection] = []

        def interrupt() -> None:
            # Not a shared one: the statement that runs may be another task's.
            if opened and parts.memory_key is None and not opened[0].closed:
                opened[0].raw.interrupt()

        worker = Worker(f"crowsfoot {parts.safe}", interrupt)
        try:
            opened.append(await worker.call(connect, parts, functions))
        except BaseException:
            worker.stop()
            raise
        return cls(opened[0], worker)

    @property
    def closed(self) -> bool:
        return self.inner.closed

    @property
    def in_transaction(self) -> bool:
        return self.inner.in_transaction

    @property
    def needs_reset(self) -> bool:
        return self.dirty or self.inner.needs_reset

    async def fetch(self, sql: str, params: Sequence[Any], hydrate: Hydrate[T]) -> T:
        return await self.worker.call(self.inner.fetch, sql, params, hydrate)

    async def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        return await self.worker.call(self.inner.execute, sql, params)

    async def change(self, sql: str, params: Sequence[Any]) -> int:
        return await self.worker.call(self.inner.change, sql, params)

    async def insert(self, sql: str, params: Sequence[Any]) -> Any:
        return await self.worker.call(self.inner.insert, sql, params)

    async def insert_many(self, statements: Statements, number: int, keys: bool) -> range | None:
        return await self.worker.call(self.inner.insert_many, statements, number, keys)

    async def change_many(self, statements: Statements) -> int:
        return await self.worker.call(self.inner.change_many, statements)

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        return await self.worker.call(self.inner.execute_many, sql, rows)

    async def query(self, sql: str, params: Sequence[Any]) -> Answer:
        return await self.worker.call(self.inner.query, sql, params)

    async def script(self, sql: str) -> None:
        await self.worker.call(self.inner.script, sql)

    async def open_cursor(self, sql: str, params: Sequence[Any]) -> Any:
        return await self.worker.call(self.inner.open_cursor, sql, params)

    async def fetch_rows(self, cursor: Any, size: int) -> list[Sequence[Any]]:
        return await self.worker.call(self.inner.fetch_rows, cursor, size)

    async def close_cursor(self, cursor: Any) -> None:
        if not self.inner.closed:
            await self.worker.call(self.inner.close_cursor, cursor)

    async def drive(self, operation: Operation[T]) -> T:
        return await drive_in_parts(operation, self._call)

    async def reset(self) -> None:
        await self.worker.call(self.inner.reset)
        self.dirty = False

    async def close(self) -> None:
        if not self.inner.closed:
            await self.worker.call(self.inner.close)
            self.worker.stop()

    def abandon(self) -> None:
        self.worker.stop(self.inner.close)

    async def _call(self, operation: Operation[T]) -> T:
        return await self.worker.call(run, self.inner, operation)
