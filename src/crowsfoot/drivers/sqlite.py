# apsw says collections.abc.Buffer, which Python 3.11 does not have, so pyright finds its signatures partly unknown.
# pyright: reportUnknownMemberType=false
"""SQLite through apsw.

Values arrive as SQLite stores them (None, int, float, str, bytes); conversion is done above. Files use WAL, foreign
keys are enforced, and a connection waits five seconds for another writer (``?timeout=`` in the URL).

A database in memory is one apsw connection that every ``Connection`` opened from the same ``URLParts`` shares under a
lock, from all threads and from async code: they see one database and one transaction. It lives as long as the parts do.
(SQLite's own shared cache is not compiled into apsw, so ``file:NAME?mode=memory&cache=shared`` is served the same way,
by name.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NoReturn, TypeAlias, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import apsw

from crowsfoot.drivers.connection import Answer, Hydrate, Observer
from crowsfoot.drivers.run import Statements
from crowsfoot.drivers.sqlite_errors import translate, unbindable
from crowsfoot.drivers.url import MemoryKey, URLParts
from crowsfoot.errors import InterfaceError

T = TypeVar("T")
Function: TypeAlias = tuple[str, int, Callable[..., Any], bool]
"""An SQL function in Python: name, number of arguments (-1 for any), callable, whether it is deterministic.

A class is an aggregate: an instance sees each row's arguments with ``step`` and answers with ``final``.
"""

# SQLite takes a lock for each step, for each row that is; a connection here has one of its own, taken per statement.
_FLAGS = (
    apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_NOMUTEX
)  # fmt: skip


def connect(parts: URLParts, functions: Sequence[Function] = ()) -> SQLiteConnection:
    """Open a connection. Raises ``OperationalError`` (cannot be opened) or ``DatabaseError`` (no SQLite file)."""
    if parts.memory_key is None:
        return SQLiteConnection(_open(parts, functions), parts.database)
    return _SharedConnection(_memory(parts, parts.memory_key, functions), parts.database)


def _open(parts: URLParts, functions: Sequence[Function]) -> apsw.Connection:
    memory = parts.memory_key is not None
    try:
        raw = apsw.Connection(":memory:" if memory else parts.database, _FLAGS)
        try:
            _prepare(raw, parts, functions)
        except BaseException:
            raw.close()
            raise
    except apsw.Error as error:
        raise translate(error, parts.database) from error
    return raw


def _prepare(raw: apsw.Connection, parts: URLParts, functions: Sequence[Function]) -> None:
    raw.set_busy_timeout(int(parts.timeout * 1000))
    raw.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)  # "misspelt" is an error, not a string
    # Without it a statement of several tables is planned anew, at thrice its cost, whenever a parameter has changed.
    # With it LIKE looks through a column that has an index with COLLATE NOCASE: the pattern is not known when planning.
    raw.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA read_uncommitted = OFF")
    raw.execute("PRAGMA synchronous = NORMAL")
    if parts.memory_key is None:
        # A file that may not be written, or is just being switched by someone else, stays as it is.
        with suppress(apsw.ReadOnlyError, apsw.BusyError):
            if raw.pragma("journal_mode") != "wal":
                raw.pragma("journal_mode", "wal")
    _register(raw, functions)


def _register(raw: apsw.Connection, functions: Sequence[Function]) -> None:
    for name, count, function, deterministic in functions:
        if isinstance(function, type):
            raw.create_aggregate_function(name, function, count)
        else:
            raw.create_scalar_function(name, function, count, deterministic=deterministic)


class SQLiteConnection:
    """``Connection`` on an apsw connection of its own. Exceptions of Python SQL functions pass through as they are.

    Whatever touches the apsw connection does so under ``lock``: a second thread waits, also one in which the garbage
    collector closes a cursor.
    """

    def __init__(self, raw: apsw.Connection, file: str) -> None:
        self.lock = threading.RLock()
        self.observers: list[Observer] = []
        self.raw = raw
        self._file = file
        self._closed = False
        # One cursor is used again and again. It is taken away while it works, so that a statement sent from inside
        # another one's hydrate gets a cursor of its own, and it is not put back after an error.
        self._idle: apsw.Cursor | None = raw.cursor()
        self._streams: WeakSet[apsw.Cursor] = WeakSet()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def in_transaction(self) -> bool:
        return not self._closed and self.raw.in_transaction

    def fetch(self, sql: str, params: Sequence[Any], hydrate: Hydrate[T]) -> T:
        if self.observers:
            self._observe(sql, params)
        with self.lock:
            cursor = self._idle or self._cursor()
            self._idle = None
            try:
                rows = cursor.execute(sql, params)
            except Exception as error:
                self._fail(cursor, error, params)
            try:
                result = hydrate(rows)
            except apsw.Error as error:
                self._fail(cursor, error)
            except BaseException:
                cursor.close(True)
                raise
            self._idle = cursor
        return result

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        if self.observers:
            self._observe(sql, params)
        raw = self.raw
        with self.lock:
            cursor = self._idle or self._cursor()
            self._idle = None
            before = raw.total_changes()
            try:
                for _ in cursor.execute(sql, params):
                    pass
            except Exception as error:
                self._fail(cursor, error, params)
            self._idle = cursor
            # changes() alone would repeat the count of the statement before a BEGIN or a CREATE TABLE.
            return raw.changes() if raw.total_changes() != before else 0

    def change(self, sql: str, params: Sequence[Any]) -> int:
        if self.observers:
            self._observe(sql, params)
        with self.lock:
            cursor = self._idle or self._cursor()
            self._idle = None
            try:
                cursor.execute(sql, params)
            except Exception as error:
                self._fail(cursor, error, params)
            self._idle = cursor
            return self.raw.changes()

    def insert(self, sql: str, params: Sequence[Any]) -> Any:
        if self.observers:
            self._observe(sql, params)
        with self.lock:
            cursor = self._idle or self._cursor()
            self._idle = None
            try:
                cursor.execute(sql, params)
            except Exception as error:
                self._fail(cursor, error, params)
            self._idle = cursor
            # A trigger may have refused the row; the last rowid is then another's.
            return self.raw.last_insert_rowid() if self.raw.changes() else None

    def insert_many(self, statements: Statements, number: int, keys: bool) -> range | None:
        """INSERT this number of rows by statements that are sent for several rows of parameters each, all or none.

        Returns the rowids, where ``keys`` are wanted. None, and nothing is inserted, where it is not certain which they
        are: a trigger wrote other rows in between, or kept some out.
        """
        raw = self.raw

        def insert(cursor: apsw.Cursor) -> range | None:
            before = raw.total_changes()
            for sql, rows in statements:
                cursor.executemany(sql, rows)
            # Each rowid is the next one: of AUTOINCREMENT, and of other tables but for one that is full.
            last = raw.last_insert_rowid()
            if keys and raw.total_changes() - before != number:
                cursor.execute("ROLLBACK TO crowsfoot_many")
                return None
            return range(last - number + 1, last + 1) if keys else None

        return self._all_or_none(statements, insert)

    def change_many(self, statements: Statements) -> int:
        """Send statements that return no rows for several rows of parameters each, all or none; how many rows they
        affected."""
        raw = self.raw

        def change(cursor: apsw.Cursor) -> int:
            count = 0
            for sql, rows in statements:
                for params in rows:
                    cursor.execute(sql, params)
                    count += raw.changes()
            return count

        return self._all_or_none(statements, change)

    def _all_or_none(self, statements: Statements, work: Callable[[apsw.Cursor], T]) -> T:
        if self.observers:
            self._observe(statements[0][0], [params for _, rows in statements for params in rows])
        raw = self.raw
        with self.lock:
            cursor = self._cursor()
            cursor.execute("SAVEPOINT crowsfoot_many")
            try:
                result = work(cursor)
                cursor.execute("RELEASE crowsfoot_many")
            except BaseException as error:
                if raw.in_transaction:  # unless the error has ended it
                    raw.execute("ROLLBACK TO crowsfoot_many; RELEASE crowsfoot_many")
                if not isinstance(error, Exception):
                    raise
                rows_of_all = (params for _, rows in statements for params in rows)
                bad = (params for params in rows_of_all if unbindable(error, params, self._file))
                self._fail(cursor, error, () if isinstance(error, apsw.Error) else next(bad, ()))
            return result

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """As in the protocol, counting also what a trigger or a cascade changed. Each row is a statement of its own."""
        if self.observers:
            rows = list(rows)
            self._observe(sql, rows)
        raw = self.raw
        last: list[Sequence[Any]] = [()]
        with self.lock:
            cursor = self._cursor()
            before = raw.total_changes()
            try:
                for _ in cursor.executemany(sql, _remember(rows, last)):
                    pass
            except Exception as error:
                self._fail(cursor, error, last[0])
            return raw.total_changes() - before

    def query(self, sql: str, params: Sequence[Any]) -> Answer:
        if self.observers:
            self._observe(sql, params)
        columns: list[tuple[tuple[str, str | None], ...]] = [()]

        def prepared(cursor: apsw.Cursor, statement: str, bindings: Any) -> bool:
            # Once the first row was looked for and there is none, the names are gone.
            columns[0] = cursor.get_description()
            return True

        raw = self.raw
        with self.lock:
            cursor = self._cursor()
            cursor.exec_trace = prepared
            before = raw.total_changes()
            try:
                rows: list[Sequence[Any]] = list(cursor.execute(sql, params))
            except Exception as error:
                self._fail(cursor, error, params)
            if columns[0]:
                names, declared = zip(*columns[0], strict=True)
                return Answer(names, rows, len(rows), declared)
            return Answer((), rows, raw.changes() if raw.total_changes() != before else 0)

    def script(self, sql: str) -> None:
        self.execute(sql)

    def open_cursor(self, sql: str, params: Sequence[Any]) -> Any:
        if self.observers:
            self._observe(sql, params)
        with self.lock:
            cursor = self._cursor()
            try:
                cursor.execute(sql, params)
            except Exception as error:
                self._fail(cursor, error, params)
            self._streams.add(cursor)
        return cursor

    def fetch_rows(self, cursor: Any, size: int) -> list[Sequence[Any]]:
        if cursor not in self._streams:
            raise InterfaceError("This cursor is closed, or belongs to another connection.")
        with self.lock:
            try:
                return list(islice(cursor, size))
            except apsw.Error as error:
                self._streams.discard(cursor)
                self._fail(cursor, error)

    def close_cursor(self, cursor: Any) -> None:
        with self.lock:
            self._streams.discard(cursor)
            cursor.close(True)

    def reset(self) -> None:
        """Close open cursors, roll back, and enforce foreign keys again."""
        for cursor in list(self._streams):
            self.close_cursor(cursor)
        if self.in_transaction:
            self.execute("ROLLBACK")
        self.execute("PRAGMA foreign_keys = ON")

    @property
    def needs_reset(self) -> bool:
        return bool(self._streams) or self.in_transaction

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._idle = None
            with self.lock:
                self.raw.close(True)

    def _cursor(self) -> apsw.Cursor:
        if self._closed:
            raise InterfaceError(f"The connection to {self._file} is closed: open a new one.")
        return self.raw.cursor()

    def _observe(self, sql: str, params: Sequence[Any]) -> None:
        for observer in tuple(self.observers):
            observer(sql, params)

    def _fail(self, cursor: apsw.Cursor, error: Exception, params: Sequence[Any] = ()) -> NoReturn:
        """Close the cursor of a statement that failed, so that it holds no lock, and raise the error in our words."""
        cursor.close(True)
        if isinstance(error, apsw.Error):
            raise translate(error, self._file) from error
        if isinstance(error, (TypeError, OverflowError, UnicodeEncodeError)):
            ours = unbindable(error, params, self._file)
            if ours is not None:
                raise ours from error
        raise error


def _remember(rows: Iterable[Sequence[Any]], last: list[Sequence[Any]]) -> Generator[Sequence[Any], None, None]:
    """Pass rows on, keeping the current one for the error message."""
    for row in rows:
        last[0] = row
        yield row


class _Memory:
    """A database in memory: one apsw connection, and who may use it now."""

    __slots__ = ("lock", "owner", "raw")

    def __init__(self, raw: apsw.Connection) -> None:
        self.raw = raw
        self.lock = threading.RLock()
        self.owner: _SharedConnection | None = None  # who began the transaction that is open


_memories: WeakKeyDictionary[MemoryKey, _Memory] = WeakKeyDictionary()
_memories_lock = threading.Lock()


def _memory(parts: URLParts, key: MemoryKey, functions: Sequence[Function]) -> _Memory:
    with _memories_lock:
        memory = _memories.get(key)
        if memory is None:
            memory = _memories[key] = _Memory(_open(parts, functions))
            return memory
    with memory.lock:
        _register(memory.raw, functions)
    return memory


class _SharedConnection(SQLiteConnection):
    """One of the connections that share a database in memory: each call has it for itself, a transaction is everyone's.

    ``close()`` and ``reset()`` roll back only what was begun here.
    """

    def __init__(self, memory: _Memory, file: str) -> None:
        super().__init__(memory.raw, file)
        self.memory = memory
        self.lock = memory.lock

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        memory = self.memory
        with memory.lock:
            before = self.raw.in_transaction
            try:
                return super().execute(sql, params)
            finally:
                if self.raw.in_transaction is not before:
                    memory.owner = None if before else self

    def query(self, sql: str, params: Sequence[Any]) -> Answer:
        memory = self.memory
        with memory.lock:
            before = self.raw.in_transaction
            try:
                return super().query(sql, params)
            finally:
                if self.raw.in_transaction is not before:
                    memory.owner = None if before else self

    @property
    def needs_reset(self) -> bool:
        return bool(self._streams) or (self.memory.owner is self and self.in_transaction)

    def reset(self) -> None:
        with self.memory.lock:
            for cursor in list(self._streams):
                self.close_cursor(cursor)
            if self.memory.owner is self and self.in_transaction:
                self.execute("ROLLBACK")

    def close(self) -> None:
        if not self._closed:
            self.reset()
            self._closed = True
            self._idle = None
