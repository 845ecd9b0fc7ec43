"""What every connection can do, whoever made its driver, and the pool of the async ones.

Connections are in autocommit: nothing here begins or ends a transaction by itself. ``BEGIN``, ``COMMIT`` and
``SAVEPOINT`` are texts that the floor above executes. A connection serves one thread (or task) at a time. Only
``crowsfoot.errors`` leave it, with the driver's own error as ``__cause__``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from crowsfoot.drivers.url import MemoryKey as MemoryKey
from crowsfoot.drivers.url import URLParts as URLParts
from crowsfoot.drivers.url import parse_url as parse_url
from crowsfoot.errors import InterfaceError

T = TypeVar("T")
Observer: TypeAlias = Callable[[str, Sequence[Any]], None]
Hydrate: TypeAlias = Callable[[Iterable[Sequence[Any]]], T]


class Answer(NamedTuple):
    """What the database says to SQL that a user wrote: the names of the columns (none: it gives no rows), the rows, and
    how many there are or were affected (-1 where unknown). ``declared`` are the types that the columns were declared
    with, where the driver does not go by them."""

    columns: tuple[str, ...]
    rows: list[Sequence[Any]]
    number: int
    declared: tuple[str | None, ...] = ()


class Connection(Protocol):
    """A connection to one database, sync.

    ``observers`` are called with the SQL and its parameters before each statement is sent (for ``execute_many`` with
    the list of rows); an exception of theirs stops the statement.
    """

    observers: list[Observer]

    @property
    def closed(self) -> bool:
        """True once nothing can be sent any more, because of ``close()`` or because the server went away."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, as the driver knows it: also one that was begun by raw SQL."""
        ...

    def fetch(self, sql: str, params: Sequence[Any], hydrate: Hydrate[T]) -> T:
        """Send a statement and return ``hydrate(rows)``. ``hydrate`` must read all rows."""
        ...

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Send a statement, ignore its rows, and return how many rows it affected (-1 or 0 where unknown)."""
        ...

    def change(self, sql: str, params: Sequence[Any]) -> int:
        """``execute`` for an INSERT, UPDATE or DELETE that returns no rows."""
        ...

    def insert(self, sql: str, params: Sequence[Any]) -> Any:
        """Send an INSERT of one row and return the key that the database gave it, None where no row was made.

        SQLite's is the rowid; on PostgreSQL the statement has to return it.
        """
        ...

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Send a statement once for each row of parameters; the sum of affected rows, -1 where unknown."""
        ...

    def query(self, sql: str, params: Sequence[Any]) -> Answer:
        """Send a statement that nothing is known of, and return all that it answers."""
        ...

    def script(self, sql: str) -> None:
        """Send several statements without parameters."""
        ...

    def open_cursor(self, sql: str, params: Sequence[Any]) -> Any:
        """Begin to read a large result in parts. Other statements may be sent while it is open."""
        ...

    def fetch_rows(self, cursor: Any, size: int) -> list[Sequence[Any]]:
        """The next rows of a cursor, at most ``size``; an empty list at the end."""
        ...

    def close_cursor(self, cursor: Any) -> None:
        """Release a cursor; a closed one, or one of a closed connection, is no error."""
        ...

    def close(self) -> None:
        """Close the connection, rolling back what is open; twice is no error."""
        ...


class AsyncConnection(Protocol):
    """``Connection`` with awaitable methods, and ``drive`` for a whole operation."""

    observers: list[Observer]
    dirty: bool
    """Set it after raw SQL that may have changed the session (SET, LISTEN, an advisory lock): the pool then resets."""

    @property
    def closed(self) -> bool: ...

    @property
    def in_transaction(self) -> bool: ...

    @property
    def needs_reset(self) -> bool:
        """Whether this connection must be ``reset()`` before another task may use it. Asks the driver; no I/O."""
        ...

    async def fetch(self, sql: str, params: Sequence[Any], hydrate: Hydrate[T]) -> T: ...

    async def execute(self, sql: str, params: Sequence[Any] = ()) -> int: ...

    async def change(self, sql: str, params: Sequence[Any]) -> int: ...

    async def insert(self, sql: str, params: Sequence[Any]) -> Any: ...

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int: ...

    async def query(self, sql: str, params: Sequence[Any]) -> Answer: ...

    async def script(self, sql: str) -> None: ...

    async def open_cursor(self, sql: str, params: Sequence[Any]) -> Any: ...

    async def fetch_rows(self, cursor: Any, size: int) -> list[Sequence[Any]]: ...

    async def close_cursor(self, cursor: Any) -> None: ...

    async def drive(self, operation: Generator[Any, Any, T]) -> T:
        """Run a whole operation (see ``run``); SQLite does it in one hop to its thread."""
        ...

    async def reset(self) -> None:
        """Roll back, close cursors and undo session state, as if the connection were new."""
        ...

    async def close(self) -> None: ...

    def abandon(self) -> None:
        """Close without awaiting: for a connection whose event loop is gone. Never raises."""
        ...


class _Bench:
    """The pool's state for one event loop."""

    __slots__ = ("busy", "idle", "size", "waiters")

    def __init__(self) -> None:
        self.size = 0  # open or being opened
        self.idle: list[AsyncConnection] = []
        self.busy: set[AsyncConnection] = set()
        # A waiter is handed a connection, or None: the right to open one.
        self.waiters: deque[asyncio.Future[AsyncConnection | None]] = deque()

    def hand_on(self, connection: AsyncConnection | None) -> None:
        """Give a connection, or the place of one that is gone, to who has waited longest."""
        while self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if connection is None:
            self.size -= 1
        else:
            self.idle.append(connection)


class Pool:
    """Up to ``max_size`` async connections per event loop; the one used last is handed out first.

    Taking and returning a clean connection sends nothing. One that was left in a transaction or with session state is
    reset; one that is closed is forgotten and its place given on. Event loops do not share connections, and those of a
    loop that has ended are dropped when the next loop comes.
    """

    def __init__(self, open: Callable[[], Awaitable[AsyncConnection]], max_size: int = 10) -> None:
        if max_size < 1:
            raise ValueError("max_size must be at least 1")
        self.max_size = max_size
        self._open = open
        self._benches: dict[asyncio.AbstractEventLoop, _Bench] = {}
        self._leaving: set[AsyncConnection] = set()  # taken when the pool was closed

    async def acquire(self) -> AsyncConnection:
        """A connection for the current task alone, until ``release``. Waits, first come first served, for a free one.

        Raises what opening a connection raises.
        """
        loop = asyncio.get_running_loop()
        bench = self._benches.get(loop) or self._new_bench(loop)
        if not bench.waiters:
            while bench.idle:
                connection = bench.idle.pop()
                if not connection.closed:
                    bench.busy.add(connection)
                    return connection
                bench.size -= 1
            if bench.size < self.max_size:
                bench.size += 1
                return await self._fill(bench)
        return await self._wait(loop, bench)

    async def release(self, connection: AsyncConnection) -> None:
        """Take a connection back. Raises ``InterfaceError`` for one that was not acquired in this event loop."""
        if connection in self._leaving:
            self._leaving.discard(connection)
            await connection.close()
            return
        bench = self._benches.get(asyncio.get_running_loop())
        if bench is None or connection not in bench.busy:
            raise InterfaceError(
                "This connection was not acquired from this pool in this event loop, or was released before."
            )
        bench.busy.discard(connection)
        usable: AsyncConnection | None = None
        try:
            if not connection.closed:
                if connection.needs_reset:
                    await connection.reset()
                usable = connection
        except Exception:  # it cannot be cleaned: the next one gets a new connection
            connection.abandon()
        except BaseException:
            connection.abandon()
            raise
        finally:
            bench.hand_on(usable)

    async def close(self) -> None:
        """Close the idle connections of this event loop and drop those of others.

        Connections that are taken close when they are released. Tasks that wait for one get an ``InterfaceError``. A
        later ``acquire`` opens the pool anew.
        """
        loop = asyncio.get_running_loop()
        for other in list(self._benches):
            bench = self._benches.pop(other)
            if other is not loop:
                _drop(other, [*bench.idle, *bench.busy])
                continue
            self._leaving |= bench.busy
            for waiter in bench.waiters:
                if not waiter.done():
                    waiter.set_exception(InterfaceError("The pool was closed while this task waited for a connection."))
            for connection in bench.idle:
                await connection.close()

    async def _fill(self, bench: _Bench) -> AsyncConnection:
        """Open a connection in a place that is already counted."""
        try:
            connection = await self._open()
        except BaseException:
            bench.hand_on(None)
            raise
        bench.busy.add(connection)
        return connection

    async def _wait(self, loop: asyncio.AbstractEventLoop, bench: _Bench) -> AsyncConnection:
        waiter: asyncio.Future[AsyncConnection | None] = loop.create_future()
        bench.waiters.append(waiter)
        try:
            connection = await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                bench.hand_on(waiter.result())  # handed over in the moment of the cancellation
            raise
        if connection is None:
            return await self._fill(bench)
        bench.busy.add(connection)
        return connection

    def _new_bench(self, loop: asyncio.AbstractEventLoop) -> _Bench:
        for other in [known for known in self._benches if known.is_closed()]:
            bench = self._benches.pop(other)
            _drop(other, [*bench.idle, *bench.busy])
        bench = self._benches[loop] = _Bench()
        return bench


def _drop(loop: asyncio.AbstractEventLoop, connections: Iterable[AsyncConnection]) -> None:
    for connection in connections:
        if loop.is_closed():
            connection.abandon()
        else:  # a loop that runs in another thread, or will run again
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(connection.abandon)
