"""Multi-step work without I/O, and the two loops that drive it.

An *operation* is a generator. It yields requests (``Fetch``, ``Execute``, …), whose answers come back as the values of
the ``yield``; what it returns is the result of the whole. It never touches a connection, so one generator serves sync
and async::

    def rename(pk: int, name: str) -> Operation[int]:
        try:
            return (yield Execute("UPDATE author SET name = ? WHERE id = ?", (name, pk)))
        except IntegrityError:
            return 0

The protocol:

* A request that fails is thrown into the generator at its ``yield``, where it may be caught: the database's errors as
  ``crowsfoot.errors.Error`` (drivers translate), and any other ``Exception`` (of a hydrate function, say) as it is.
* Nothing is sent between two yields, and an operation is driven by one connection from start to end.
* A cancelled task or a Ctrl-C (a ``BaseException`` that is no ``Exception``) closes the generator: its ``finally``
  blocks run and must not yield. What is left open, such as a transaction, is the pool's to clean.

``run`` and ``arun`` are the only twins of the package; keep them equal line by line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, overload

from crowsfoot.drivers.connection import Answer, AsyncConnection, Connection

T = TypeVar("T")
Row: TypeAlias = Sequence[Any]
# Texts, and the lists of parameters that each is sent for.
Statements: TypeAlias = Sequence[tuple[str, Sequence[Sequence[Any]]]]


class Request(Protocol):
    """What an operation may yield. On an async connection ``perform`` returns an awaitable of the same answer."""

    def perform(self, connection: Any) -> Any: ...


Operation: TypeAlias = Generator[Request, Any, T]


class Fetch(Generic[T]):
    """Rows of one statement, made into ``T`` by ``hydrate``, which must read the iterable to its end."""

    __slots__ = ("hydrate", "params", "sql")

    def __init__(self, sql: str, params: Sequence[Any], hydrate: Callable[[Iterable[Row]], T]) -> None:
        self.sql, self.params, self.hydrate = sql, params, hydrate

    @overload
    def perform(self, connection: Connection) -> T: ...
    @overload
    def perform(self, connection: AsyncConnection) -> Awaitable[T]: ...
    def perform(self, connection: Connection | AsyncConnection) -> T | Awaitable[T]:
        return connection.fetch(self.sql, self.params, self.hydrate)


class Execute:
    """One statement without rows; the answer is how many rows it affected (-1 or 0 where that is unknown)."""

    __slots__ = ("params", "sql")

    def __init__(self, sql: str, params: Sequence[Any] = ()) -> None:
        self.sql, self.params = sql, params

    @overload
    def perform(self, connection: Connection) -> int: ...
    @overload
    def perform(self, connection: AsyncConnection) -> Awaitable[int]: ...
    def perform(self, connection: Connection | AsyncConnection) -> int | Awaitable[int]:
        return connection.execute(self.sql, self.params)


class Change:
    """One INSERT, UPDATE or DELETE without rows; the answer is how many rows it affected."""

    __slots__ = ("params", "sql")

    def __init__(self, sql: str, params: Sequence[Any]) -> None:
        self.sql, self.params = sql, params

    def perform(self, connection: Connection | AsyncConnection) -> Any:
        return connection.change(self.sql, self.params)


class Insert:
    """INSERT of one row whose key the database gives; the answer is that key, None where no row was made.

    The statement returns the key, or nothing where the dialect's ``key_is_rowid`` says that the driver knows it.
    """

    __slots__ = ("params", "sql")

    def __init__(self, sql: str, params: Sequence[Any]) -> None:
        self.sql, self.params = sql, params

    def perform(self, connection: Connection | AsyncConnection) -> Any:
        return connection.insert(self.sql, self.params)


class InsertMany:
    """INSERT of a number of rows by statements that are each sent for several lists of parameters; all rows or none.

    With ``keys`` the answer is the keys that the database gave, in the order of the rows; None, and no row is there,
    where they cannot be told. Only for databases whose ``key_is_rowid``.
    """

    __slots__ = ("keys", "number", "statements")

    def __init__(self, statements: Statements, number: int, keys: bool) -> None:
        self.statements, self.number, self.keys = statements, number, keys

    def perform(self, connection: Any) -> Any:
        return connection.insert_many(self.statements, self.number, self.keys)


class ChangeMany:
    """INSERT, UPDATE or DELETE statements without rows, each sent for several lists of parameters; all or none.

    The answer is how many rows they affected. Only for databases whose ``key_is_rowid``.
    """

    __slots__ = ("statements",)

    def __init__(self, statements: Statements) -> None:
        self.statements = statements

    def perform(self, connection: Any) -> Any:
        return connection.change_many(self.statements)


class ExecuteMany:
    """One statement for each row of parameters; the answer is the sum of affected rows, -1 where unknown."""

    __slots__ = ("rows", "sql")

    def __init__(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self.sql, self.rows = sql, rows

    @overload
    def perform(self, connection: Connection) -> int: ...
    @overload
    def perform(self, connection: AsyncConnection) -> Awaitable[int]: ...
    def perform(self, connection: Connection | AsyncConnection) -> int | Awaitable[int]:
        return connection.execute_many(self.sql, self.rows)


class Raw:
    """A statement that nothing is known of, such as a user's SQL; the answer is an ``Answer``."""

    __slots__ = ("params", "sql")

    def __init__(self, sql: str, params: Sequence[Any] = ()) -> None:
        self.sql, self.params = sql, params

    @overload
    def perform(self, connection: Connection) -> Answer: ...
    @overload
    def perform(self, connection: AsyncConnection) -> Awaitable[Answer]: ...
    def perform(self, connection: Connection | AsyncConnection) -> Answer | Awaitable[Answer]:
        return connection.query(self.sql, self.params)


class Script:
    """Several statements separated by semicolons, without parameters."""

    __slots__ = ("sql",)

    def __init__(self, sql: str) -> None:
        self.sql = sql

    @overload
    def perform(self, connection: Connection) -> None: ...
    @overload
    def perform(self, connection: AsyncConnection) -> Awaitable[None]: ...
    def perform(self, connection: Connection | AsyncConnection) -> Awaitable[None] | None:
        return connection.script(self.sql)


class OpenCursor:
    """Begin to read a result in parts; the answer is a handle for ``FetchRows`` and ``CloseCursor``."""

    __slots__ = ("params", "sql")

    def __init__(self, sql: str, params: Sequence[Any] = ()) -> None:
        self.sql, self.params = sql, params

    def perform(self, connection: Connection | AsyncConnection) -> Any:
        return connection.open_cursor(self.sql, self.params)


class FetchRows:
    """The next rows of an open cursor, at most ``size``; an empty list at the end."""

    __slots__ = ("cursor", "size")

    def __init__(self, cursor: Any, size: int) -> None:
        self.cursor, self.size = cursor, size

    @overload
    def perform(self, connection: Connection) -> list[Row]: ...
    @overload
    def perform(self, connection: AsyncConnection) -> Awaitable[list[Row]]: ...
    def perform(self, connection: Connection | AsyncConnection) -> list[Row] | Awaitable[list[Row]]:
        return connection.fetch_rows(self.cursor, self.size)


class CloseCursor:
    """Done with a cursor, at its end or before; closing it twice is no error."""

    __slots__ = ("cursor",)

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    @overload
    def perform(self, connection: Connection) -> None: ...
    @overload
    def perform(self, connection: AsyncConnection) -> Awaitable[None]: ...
    def perform(self, connection: Connection | AsyncConnection) -> Awaitable[None] | None:
        return connection.close_cursor(self.cursor)


class Outside:
    """A request that is nothing to send on the connection. In async code it is awaited by the task, in its event loop,
    also where operations are driven in another thread."""

    __slots__ = ()

    def perform(self, connection: Any) -> Any:
        return self.aperform() if hasattr(connection, "drive") else self.perform_here()

    def perform_here(self) -> Any:
        raise NotImplementedError

    async def aperform(self) -> Any:
        raise NotImplementedError


class _Done(Generic[T]):
    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


def _part(operation: Operation[T], answer: Any, error: Exception | None) -> Operation[Outside | _Done[T]]:
    """``operation``, from where it waits for ``answer`` or ``error`` to its end or to its next request outside."""
    try:
        request = operation.send(answer) if error is None else operation.throw(error)
        while not isinstance(request, Outside):
            try:
                found = yield request
            except Exception as raised:
                request = operation.throw(raised)
            else:
                request = operation.send(found)
        return request
    except StopIteration as done:
        return _Done(done.value)
    except BaseException:
        operation.close()
        raise


async def drive_in_parts(
    operation: Operation[T], drive: Callable[[Operation[Outside | _Done[T]]], Awaitable[Outside | _Done[T]]]
) -> T:
    """Drive an operation by ``drive``, which does not await its requests; those outside are awaited here between."""
    answer: Any = None
    error: Exception | None = None
    while True:
        found = await drive(_part(operation, answer, error))
        if isinstance(found, _Done):
            return found.value
        answer = error = None
        try:
            answer = await found.aperform()
        except Exception as raised:
            error = raised
        except BaseException:
            operation.close()
            raise


def run(connection: Connection, operation: Operation[T]) -> T:
    """Drive ``operation`` to its end on ``connection`` and return what it returns. Costs about 100 ns a request."""
    try:
        request = operation.send(None)
        while True:
            try:
                answer = request.perform(connection)
            except Exception as error:
                request = operation.throw(error)
            else:
                request = operation.send(answer)
    except StopIteration as done:
        result: T = done.value
        return result
    except BaseException:
        operation.close()
        raise


async def arun(connection: AsyncConnection, operation: Operation[T]) -> T:
    """``run`` for an async connection: every request is awaited."""
    try:
        request = operation.send(None)
        while True:
            try:
                answer = await request.perform(connection)
            except Exception as error:
                request = operation.throw(error)
            else:
                request = operation.send(answer)
    except StopIteration as done:
        result: T = done.value
        return result
    except BaseException:
        operation.close()
        raise
