"""PostgreSQL through psycopg 3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any, NoReturn, TypeVar
from weakref import WeakSet

import psycopg
from psycopg.adapt import Dumper, PyFormat
from psycopg.pq import TransactionStatus
from psycopg.types.array import ListDumper
from psycopg.types.string import TextLoader

from crowsfoot import errors
from crowsfoot.drivers import postgresql as pg
from crowsfoot.drivers.connection import Answer, Hydrate, Observer
from crowsfoot.drivers.url import URLParts

T = TypeVar("T")
_Cursor = psycopg.RawCursor[tuple[Any, ...]]
_OURS = ("application_name", "connect_timeout", "options", "target_session_attrs")
_CHUNK = 200  # rows made into Python objects at once: measured best, and it bounds memory
_AS_TEXT = ("json", "jsonb", "inet", "cidr")
_FAMILY: tuple[tuple[type[psycopg.Error], type[errors.Error]], ...] = (
    (psycopg.InterfaceError, errors.InterfaceError),
    (psycopg.DataError, errors.DataError),
    (psycopg.OperationalError, errors.OperationalError),
    (psycopg.IntegrityError, errors.IntegrityError),
    (psycopg.InternalError, errors.InternalError),
    (psycopg.NotSupportedError, errors.NotSupportedError),
    (psycopg.ProgrammingError, errors.ProgrammingError),
)


class _Lists(ListDumper):
    """Lists as psycopg dumps them, but those of integers in one go: an array of keys goes with most queries of a loop.

    They are ``integer[]``, or ``bigint[]`` where one is too large for that, so that a statement is prepared once.
    """

    def get_key(self, obj: list[Any], format: PyFormat) -> Any:
        kind = _kind_of(obj)
        return super().get_key(obj, format) if kind is None else kind

    def upgrade(self, obj: list[Any], format: PyFormat) -> Any:
        kind = _kind_of(obj)
        return super().upgrade(obj, format) if kind is None else kind(list, self._tx)


class _Integers(Dumper):
    oid = 1007  # integer[]

    def dump(self, obj: Any) -> bytes:
        return b"{%b}" % repr(obj)[1:-1].encode()


class _LongIntegers(_Integers):
    oid = 1016  # bigint[]


def _kind_of(values: list[Any]) -> type[_Integers] | None:
    """What dumps a list of integers that the database has a type for; None for any other list."""
    if set(map(type, values)) != {int}:
        return None
    lowest, highest = min(values), max(values)
    if lowest >= -(1 << 31) and highest < 1 << 31:
        return _Integers
    return _LongIntegers if lowest >= -(1 << 63) and highest < 1 << 63 else None


def connect(parts: URLParts) -> PostgreSQLConnection:
    """Open a connection in autocommit. Raises ``OperationalError`` that says where and what to do."""
    options: dict[str, Any] = {
        name: value for name, value in parts.options.items() if name in _OURS or name.startswith("ssl")
    }
    try:
        raw = psycopg.connect(
            host=parts.host,
            port=parts.port,
            user=parts.user,
            password=parts.password,
            dbname=parts.database,
            autocommit=True,
            client_encoding="UTF8",
            # The third use of a text prepares it: one-off statements are not worth the second round trip.
            prepare_threshold=2 if pg.prepares(parts) else None,
            cursor_factory=psycopg.RawCursor,
            **options,
        )
    except psycopg.Error as error:
        raise pg.cannot_connect(parts, str(error), error.sqlstate) from error
    connection = PostgreSQLConnection(raw)
    try:
        if raw.info.parameter_status("TimeZone") != pg.timezone(parts):
            connection.set_timezone(pg.timezone(parts))
    except errors.Error:
        connection.close()
        raise
    return connection


class PostgreSQLConnection:
    """``Connection`` on a psycopg connection."""

    def __init__(self, raw: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.observers: list[Observer] = []
        self.raw = raw
        raw.prepared_max = 500
        for name in _AS_TEXT:
            raw.adapters.register_loader(name, TextLoader)
        raw.adapters.register_dumper(list, _Lists)
        # One cursor is used again and again, and taken away while it works: see sqlite.py.
        self._idle: _Cursor | None = psycopg.RawCursor(raw)
        self._streams: WeakSet[pg.ServerCursor] = WeakSet()

    @property
    def closed(self) -> bool:
        return self.raw.closed

    @property
    def in_transaction(self) -> bool:
        status = self.raw.pgconn.transaction_status
        return status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)

    def set_timezone(self, name: str) -> None:
        """Make ``name`` the session's time zone, in which aware datetimes arrive. One round trip."""
        self.execute("SELECT set_config('TimeZone', $1, false)", (name,))

    def fetch(self, sql: str, params: Sequence[Any], hydrate: Hydrate[T]) -> T:
        if self.observers:
            self._observe(sql, params)
        cursor = self._idle or psycopg.RawCursor(self.raw)
        self._idle = None
        try:
            try:
                cursor.execute(sql.encode(), params or None)
            except psycopg.errors.FeatureNotSupported as error:
                self._again(cursor, error, sql, params)
            try:
                rows: Iterable[Sequence[Any]] = cursor.fetchmany(_CHUNK)
            except psycopg.ProgrammingError:
                if cursor.description is not None:
                    raise
                return hydrate(())  # a statement without rows
            if cursor.rowcount <= _CHUNK:
                result = hydrate(rows)
                self._idle = cursor
            else:  # the cursor is not kept, because it keeps the whole result
                result = hydrate(chain(rows, chain.from_iterable(iter(partial(cursor.fetchmany, _CHUNK), []))))
        except (psycopg.Error, UnicodeEncodeError) as error:
            _fail(error)
        return result

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        return self._send(sql, params).rowcount

    def change(self, sql: str, params: Sequence[Any]) -> int:
        return self.execute(sql, params)

    def insert(self, sql: str, params: Sequence[Any]) -> Any:
        return self.fetch(sql, params, _only_value)

    def query(self, sql: str, params: Sequence[Any]) -> Answer:
        cursor = self._send(sql, params)
        if cursor.description is None:
            return Answer((), [], cursor.rowcount)
        try:
            rows: list[Sequence[Any]] = [*cursor.fetchall()]
        except psycopg.Error as error:
            _fail(error)
        return Answer(tuple(column.name for column in cursor.description), rows, cursor.rowcount)

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """As in the protocol; the rows go in one pipeline, and all of them fail with one."""
        if self.observers:
            rows = list(rows)
            self._observe(sql, rows)
        cursor = psycopg.RawCursor(self.raw)
        try:
            cursor.executemany(sql.encode(), rows)
        except (psycopg.Error, UnicodeEncodeError) as error:
            _fail(error)
        return cursor.rowcount

    def script(self, sql: str) -> None:
        """Outside a transaction, all statements of one script fail with one: that is PostgreSQL's simple query."""
        self._send(sql, (), prepare=False)

    def open_cursor(self, sql: str, params: Sequence[Any]) -> Any:
        cursor = pg.ServerCursor(held=not self.in_transaction)
        self._send(cursor.declare(sql), params, prepare=False)
        self._streams.add(cursor)
        return cursor

    def fetch_rows(self, cursor: Any, size: int) -> list[Sequence[Any]]:
        if cursor not in self._streams:
            raise errors.InterfaceError("This cursor is closed, or belongs to another connection.")
        reader = psycopg.RawCursor(self.raw)
        try:
            reader.execute(cursor.fetch(size), prepare=False)
            return [*reader.fetchall()]
        except psycopg.Error as error:
            _fail(error)

    def close_cursor(self, cursor: Any) -> None:
        if cursor not in self._streams:
            return
        self._streams.discard(cursor)
        status = self.raw.pgconn.transaction_status
        if status == TransactionStatus.INERROR or self.closed:
            return  # it ends with the transaction; a held one with the connection
        try:
            reader = psycopg.RawCursor(self.raw)
            # CLOSE of a cursor that went with its transaction would be an error, and abort the present one.
            if cursor.held or reader.execute(cursor.exists, prepare=False).fetchone():
                reader.execute(cursor.close, prepare=False)
        except psycopg.Error as error:
            _fail(error)

    def close(self) -> None:
        self._idle = None
        self.raw.close()

    def _send(self, sql: str, params: Sequence[Any], prepare: bool | None = None) -> _Cursor:
        if self.observers:
            self._observe(sql, params)
        cursor = psycopg.RawCursor(self.raw)
        try:
            try:
                cursor.execute(sql.encode(), params or None, prepare=prepare)
            except psycopg.errors.FeatureNotSupported as error:
                self._again(cursor, error, sql, params)
        except (psycopg.Error, UnicodeEncodeError) as error:
            _fail(error)
        return cursor

    def _again(self, cursor: _Cursor, error: psycopg.Error, sql: str, params: Sequence[Any]) -> None:
        """Repeat a statement that failed because a table changed since it was prepared; raise any other error again."""
        if error.diag.source_function != pg.IN_DOUBT or self.in_transaction:
            raise error
        cursor.execute("DEALLOCATE ALL", prepare=False)
        cursor.execute(sql.encode(), params or None)

    def _observe(self, sql: str, params: Sequence[Any]) -> None:
        for observer in tuple(self.observers):
            observer(sql, params)


def _only_value(rows: Iterable[Sequence[Any]]) -> Any:
    for row in rows:
        return row[0]
    return None


def _fail(error: psycopg.Error | UnicodeEncodeError) -> NoReturn:
    """Raise the error in our words."""
    if isinstance(error, UnicodeEncodeError):
        raise errors.DataError(f"A text is not valid Unicode: {error}") from error
    diag = error.diag
    if error.sqlstate:
        report = pg.Report(
            sqlstate=error.sqlstate,
            message=diag.message_primary or str(error),
            detail=diag.message_detail,
            hint=diag.message_hint,
            constraint=diag.constraint_name,
            table=diag.table_name,
            column=diag.column_name,
        )
        raise pg.translate(report) from error
    text = str(error)
    if text.startswith("cannot adapt type"):
        raise errors.DataError(f"PostgreSQL cannot store this value: {text}. Convert it first.") from error
    if text.startswith("the connection is closed"):
        raise errors.InterfaceError("The connection is closed: open a new one.") from error
    kind = next((ours for theirs, ours in _FAMILY if isinstance(error, theirs)), errors.DatabaseError)
    raise kind(text) from error
