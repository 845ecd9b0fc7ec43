"""What every connection can do, whoever made its driver.

Connections are in autocommit: nothing here begins or ends a transaction by itself. ``BEGIN``, ``COMMIT`` and
``SAVEPOINT`` are texts that the floor above executes. A connection serves one thread (or task) at a time. Only
``crowsfoot.errors`` leave it, with the driver's own error as ``__cause__``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from crowsfoot.drivers.url import MemoryKey as MemoryKey
from crowsfoot.drivers.url import URLParts as URLParts
from crowsfoot.drivers.url import parse_url as parse_url

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
