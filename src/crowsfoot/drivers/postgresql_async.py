"""PostgreSQL through asyncpg, which has no types of its own: what it hands out is ``Any`` here.

Statements are prepared and cached by asyncpg (100 of them). What it takes for a placeholder is in ``postgresql.py``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlencode

import asyncpg as _asyncpg  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from crowsfoot import errors
from crowsfoot.drivers import postgresql as pg
from crowsfoot.drivers.connection import Answer, Hydrate, Observer
from crowsfoot.drivers.pool import Pool as Pool
from crowsfoot.drivers.run import arun
from crowsfoot.drivers.url import URLParts

T = TypeVar("T")
asyncpg: Any = _asyncpg
_FAILURES: tuple[type[Exception], ...] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)


async def aconnect(parts: URLParts) -> AsyncPostgreSQLConnection:
    """Open a connection in autocommit. Raises ``OperationalError`` that says where and what to do."""
    options = parts.options
    settings = {"timezone": pg.timezone(parts)}
    settings |= {name: options[name] for name in ("application_name", "options") if name in options}
    tls = {name: value for name, value in options.items() if name.startswith("ssl")}
    more: dict[str, Any] = {name: options[name] for name in ("target_session_attrs",) if name in options}
    if not pg.prepares(parts):
        more["statement_cache_size"] = 0
    try:
        raw = await asyncpg.connect(
            f"postgresql:///?{urlencode(tls)}" if tls else None,
            host=parts.host,
            port=parts.port,
            user=parts.user,
            password=parts.password,
            database=parts.database,
            timeout=float(options.get("connect_timeout", "60")),
            server_settings=settings,
            **more,
        )
        for name in ("inet", "cidr"):
            await raw.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=str, format="text")
    except (*_FAILURES, asyncpg.ClientConfigurationError) as error:
        text = str(error) or ("timeout" if isinstance(error, TimeoutError) else type(error).__name__)
        raise pg.cannot_connect(parts, text, getattr(error, "sqlstate", None)) from error
    return AsyncPostgreSQLConnection(raw, pg.timezone(parts))


class AsyncPostgreSQLConnection:
    """``AsyncConnection`` on an asyncpg connection."""

    def __init__(self, raw: Any, timezone: str = "UTC") -> None:
        self.observers: list[Observer] = []
        self.dirty = False
        self.raw = raw
        self._timezone = self._first_timezone = timezone
        self._streams: set[pg.ServerCursor] = set()  # also those that were forgotten: the server keeps them

    @property
    def closed(self) -> bool:
        return bool(self.raw.is_closed())

    @property
    def in_transaction(self) -> bool:
        return not self.closed and bool(self.raw.is_in_transaction())

    @property
    def needs_reset(self) -> bool:
        return self.dirty or self.in_transaction or bool(self._streams)

    async def set_timezone(self, name: str) -> None:
        """Make ``name`` the session's time zone; ``reset()`` keeps it. Aware datetimes arrive in UTC all the same."""
        await self.execute("SELECT set_config('TimeZone', $1, false)", (name,))
        self._timezone = name

    async def fetch(self, sql: str, params: Sequence[Any], hydrate: Hydrate[T]) -> T:
        if self.observers:
            self._observe(sql, params)
        try:
            rows = await self.raw.fetch(sql, *params)
        except _FAILURES as error:
            _fail(error)
        return hydrate(rows)

    async def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        if self.observers:
            self._observe(sql, params)
        if pg.changes_session(sql):
            self.dirty = True
        try:
            tag: str = await self.raw.execute(sql, *params)
        except _FAILURES as error:
            _fail(error)
        return _affected(tag)

    async def change(self, sql: str, params: Sequence[Any]) -> int:
        return await self.execute(sql, params)

    async def insert(self, sql: str, params: Sequence[Any]) -> Any:
        if self.observers:
            self._observe(sql, params)
        try:
            return await self.raw.fetchval(sql, *params)
        except _FAILURES as error:
            _fail(error)

    async def query(self, sql: str, params: Sequence[Any]) -> Answer:
        if self.observers:
            self._observe(sql, params)
        self.dirty = True  # who knows what is in it
        try:
            statement = await self.raw.prepare(sql)
            rows: list[Sequence[Any]] = await statement.fetch(*params)
        except _FAILURES as error:
            _fail(error)
        columns = tuple(attribute.name for attribute in statement.get_attributes())
        return Answer(columns, rows, _affected(statement.get_statusmsg()))

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """As in the protocol; all rows fail with one, and asyncpg does not count: -1."""
        if self.observers:
            rows = list(rows)
            self._observe(sql, rows)
        try:
            await self.raw.executemany(sql, rows)
        except _FAILURES as error:
            _fail(error)
        return -1

    async def script(self, sql: str) -> None:
        """Outside a transaction, all statements of one script fail with one: that is PostgreSQL's simple query."""
        self.dirty = True  # who knows what is in it
        await self.execute(sql)

    async def open_cursor(self, sql: str, params: Sequence[Any]) -> Any:
        cursor = pg.ServerCursor(held=not self.in_transaction)
        await self.execute(cursor.declare(sql), params)
        self._streams.add(cursor)
        return cursor

    async def fetch_rows(self, cursor: Any, size: int) -> list[Sequence[Any]]:
        if cursor not in self._streams:
            raise errors.InterfaceError("This cursor is closed, or belongs to another connection.")
        try:
            statement = cursor.statements.get(size)
            if statement is None:
                statement = cursor.statements[size] = await self.raw.prepare(cursor.fetch(size))
            rows: list[Sequence[Any]] = await statement.fetch()
        except _FAILURES as error:
            _fail(error)
        return rows

    async def close_cursor(self, cursor: Any) -> None:
        if cursor not in self._streams:
            return
        self._streams.discard(cursor)
        cursor.statements.clear()
        if self.closed:
            return
        try:
            if cursor.held or await self.raw.fetch(cursor.exists):  # or it went with its transaction
                await self.raw.execute(cursor.close)
        except asyncpg.InFailedSQLTransactionError:
            pass  # it ends with the transaction
        except _FAILURES as error:
            _fail(error)

    async def drive(self, operation: Generator[Any, Any, T]) -> T:
        return await arun(self, operation)

    async def reset(self) -> None:
        """Roll back, close cursors, give up locks and LISTEN, and undo SET, as far as there is something to undo."""
        self._streams.clear()
        try:
            if self.in_transaction:  # asked first: asyncpg's reset() would complain to the loop
                await self.raw.execute("ROLLBACK")
            await self.raw.reset()
        except _FAILURES as error:
            _fail(error)
        if self._timezone != self._first_timezone:
            await self.set_timezone(self._timezone)
        self.dirty = False

    async def close(self) -> None:
        if not self.closed:
            try:
                await self.raw.close()
            except _FAILURES as error:
                _fail(error)

    def abandon(self) -> None:
        transport = self.raw._transport
        with suppress(Exception):
            self.raw.terminate()
        with suppress(Exception):
            # A loop that has ended does not close the socket; without this Python warns when it is collected.
            if self.raw._loop.is_closed():
                transport._call_connection_lost(None)

    def _observe(self, sql: str, params: Sequence[Any]) -> None:
        for observer in tuple(self.observers):
            observer(sql, params)


def _affected(tag: str) -> int:
    """The number in a command's tag (``INSERT 0 3``), -1 where there is none."""
    number = tag.rpartition(" ")[2]
    return int(number) if number.isdecimal() else -1


def _fail(error: Exception) -> NoReturn:
    """Raise the error in our words."""
    text = str(error) or type(error).__name__
    state = getattr(error, "sqlstate", None)
    if isinstance(error, asyncpg.PostgresError) and state:
        given: Any = error
        report = pg.Report(
            sqlstate=state,
            message=getattr(given, "message", None) or text,
            detail=getattr(given, "detail", None),
            hint=getattr(given, "hint", None),
            constraint=getattr(given, "constraint_name", None),
            table=getattr(given, "table_name", None),
            column=getattr(given, "column_name", None),
        )
        raise pg.translate(report) from error
    if isinstance(error, asyncpg.InterfaceError):
        if "the server expects" in text:
            raise errors.ProgrammingError(text) from error
        if "another operation is in progress" in text:
            raise errors.InterfaceError(f"{text}: use one connection for each task.") from error
        raise errors.InterfaceError(text) from error
    if isinstance(error, asyncpg.PostgresError):
        raise errors.DatabaseError(text) from error
    raise errors.OperationalError(text) from error
