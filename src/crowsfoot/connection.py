"""`connection` and `connections`: a database under the names that Django gives it, and cursors for SQL of one's own.

A `Connection` stands for the connection of whichever thread uses it; ``copy()`` makes one with connections of its own.
Async code sends SQL of its own with ``await connection.aquery(sql, params)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, cast

from crowsfoot.database import DEFAULT, Database, databases
from crowsfoot.drivers.connection import Answer
from crowsfoot.drivers.run import ExecuteMany, Operation, Raw
from crowsfoot.errors import Error, InterfaceError, ProgrammingError, TransactionManagementError
from crowsfoot.persistence.session import Callback, Session, end_by_hand, register, savepoint, savepoint_end
from crowsfoot.query.inference import type_of
from crowsfoot.sql.dialect import Dialect

DEFAULT_DB_ALIAS = DEFAULT
TABLES = {
    "sqlite": "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' "
    "ESCAPE '\\' ORDER BY name",
    "postgresql": "SELECT relname, CASE WHEN relkind IN ('v', 'm') THEN 'view' ELSE 'table' END "
    "FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT relispartition "
    "AND relnamespace IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname NOT IN ('pg_catalog', 'pg_toast')) "
    "AND pg_catalog.pg_table_is_visible(oid) ORDER BY relname",
}
ENGINES = {"sqlite": "django.db.backends.sqlite3", "postgresql": "django.db.backends.postgresql"}


# -- SQL of one's own --------------------------------------------------------------------------------------------------


class _Marks(dict[str, str]):
    """Answers ``%(name)s`` with the dialect's next placeholder, and collects the values in that order."""

    def __init__(self, dialect: Dialect, given: Mapping[str, Any]) -> None:
        super().__init__()
        self.dialect, self.given = dialect, given
        self.taken: list[Any] = []

    def __getitem__(self, name: str) -> str:
        if name not in self.given:
            raise ProgrammingError(f"The SQL has a placeholder %({name})s, and the parameters have no {name!r}.")
        self.taken.append(self.given[name])
        return self.dialect.placeholder(len(self.taken))


def translate(dialect: Dialect, sql: str, params: Any) -> tuple[str, tuple[Any, ...]]:
    """SQL with ``%s`` or ``%(name)s`` as the driver takes it, and its values as the driver binds them.

    Without parameters (None) a percent sign means itself. Raises ``ProgrammingError`` where placeholders and parameters
    do not fit.
    """
    if params is None:
        return sql, ()
    if isinstance(params, Mapping):
        marks = _Marks(dialect, cast(Mapping[str, Any], params))
        text, values = sql % marks, marks.taken
    else:
        values = list(params)
        try:
            text = dialect.finish(sql, len(values))
        except (TypeError, ValueError) as error:
            raise ProgrammingError(
                f"The SQL does not have one %s for each of the {len(values)} parameters (a percent sign is written "
                f"%%): {sql}"
            ) from error
    return text, tuple([_bound(dialect, value) for value in values])


def _bound(dialect: Dialect, value: Any) -> Any:
    if value is None:
        return None
    bind = dialect.binder(type_of(value))
    return value if bind is None else bind(value)


def _query(session: Session, sql: str, params: Sequence[Any]) -> Operation[Answer]:
    session.wrote()
    answer: Answer = yield Raw(sql, params)
    return answer._replace(rows=session.dialect.read_declared(answer.declared, answer.rows))


def _many(session: Session, sql: str, rows: list[tuple[Any, ...]]) -> Operation[int]:
    session.wrote()
    count: int = yield ExecuteMany(sql, rows)
    return count


class Cursor:
    """Sends SQL and holds what it answered, as the Python DB-API says.

    Values are the driver's, except that SQLite's are read by the types of their columns where those are dates, times
    or booleans, and that moments are naive without ``USE_TZ``.

    It reads all rows at once; ``QuerySet.iterator()`` is there for results that are too large.
    """

    arraysize = 1

    def __init__(self, database: Database) -> None:
        self.database = database
        self.rowcount = -1
        self.description: list[tuple[Any, ...]] | None = None
        self.closed = False
        self._rows: Iterator[tuple[Any, ...]] | None = None

    def execute(self, sql: str, params: Any = None) -> Self:
        """Send one statement. Its parameters are ``%s`` with a sequence, or ``%(name)s`` with a mapping."""
        self._check()
        answer = self.database.run(_query, *translate(self.database.dialect, sql, params))
        self.rowcount = answer.number
        self.description = [(name, *[None] * 6) for name in answer.columns] if answer.columns else None
        self._rows = map(tuple, answer.rows) if answer.columns else None
        return self

    def executemany(self, sql: str, param_list: Iterable[Any]) -> Self:
        """Send a statement once for each sequence of parameters."""
        self._check()
        self.description = self._rows = None
        found = [translate(self.database.dialect, sql, params) for params in param_list]
        self.rowcount = self.database.run(_many, found[0][0], [values for _, values in found]) if found else 0
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._results(), None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        rows = self._results()
        return [row for _, row in zip(range(self.arraysize if size is None else size), rows, strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._results())

    def close(self) -> None:
        self.closed = True
        self._rows = None

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._results()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _results(self) -> Iterator[tuple[Any, ...]]:
        self._check()
        if self._rows is None:
            raise ProgrammingError(
                "There are no rows to fetch: execute() a SELECT, or a statement with RETURNING, first."
            )
        return self._rows

    def _check(self) -> None:
        if self.closed:
            raise InterfaceError("The cursor is closed: ask connection.cursor() for a new one.")


# -- what hangs on a connection ----------------------------------------------------------------------------------------


class Operations:
    """``connection.ops``: how this database says things."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def quote_name(self, name: str) -> str:
        return self.dialect.quote_name(name)

    def for_update_sql(
        self, nowait: bool = False, skip_locked: bool = False, of: Iterable[str] = (), no_key: bool = False
    ) -> str:
        return self.dialect.lock(nowait, skip_locked, list(of), no_key)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("adapt_"):
            raise AttributeError(f"connection.ops has no {name!r}")
        return getattr(self.dialect, name)


class Introspection:
    """``connection.introspection``: what is in the database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def table_names(self, cursor: Cursor | None = None, include_views: bool = False) -> list[str]:
        """The tables in alphabetical order. One query."""
        rows = (cursor or Cursor(self.database)).execute(TABLES[self.database.vendor]).fetchall()
        return [name for name, kind in rows if include_views or kind == "table"]


class Connection:
    """A database as Django shows it: ``connections["default"]``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.alias = database.alias
        self.vendor = database.vendor
        self.display_name = database.dialect.display_name
        self.ops = Operations(database.dialect)
        self.features = database.dialect.features
        self.introspection = Introspection(database)
        self.queries: list[dict[str, str]] = []
        self._logs = False

    def copy(self, alias: str | None = None) -> Connection:
        """The same database with connections of its own: another transaction, side by side with this thread's."""
        database = self.database.copy()
        database.alias = alias or database.alias
        return Connection(database)

    @property
    def settings_dict(self) -> dict[str, Any]:
        """The URL's parts under the names of Django's DATABASES setting."""
        parts = self.database.parts
        return {
            "ENGINE": ENGINES[self.vendor],
            "NAME": parts.database,
            "USER": parts.user or "",
            "PASSWORD": parts.password or "",
            "HOST": parts.host or "",
            "PORT": str(parts.port or ""),
            "OPTIONS": dict(parts.options),
            "AUTOCOMMIT": True,
            "ATOMIC_REQUESTS": False,
            "TIME_ZONE": None,
        }

    # -- statements ----------------------------------------------------------------------------------------------------

    def cursor(self) -> Cursor:
        """A cursor for SQL of one's own. Usable in a ``with``."""
        self.ensure_connection()
        return Cursor(self.database)

    async def aquery(self, sql: str, params: Any = None) -> Answer:
        """Send SQL of one's own from async code: its ``columns``, ``rows`` and ``number`` of rows."""
        return await self.database.arun(_query, *translate(self.database.dialect, sql, params))

    @property
    def force_debug_cursor(self) -> bool:
        """Whether statements are noted in ``queries``."""
        return self._logs

    @force_debug_cursor.setter
    def force_debug_cursor(self, wanted: bool) -> None:
        if wanted and not self._logs:
            self.database.observers.append(self._log)
        elif self._logs and not wanted:
            self.database.observers.remove(self._log)
        self._logs = wanted

    def _log(self, sql: str, params: Sequence[Any]) -> None:
        self.queries.append({"sql": sql})

    # -- connecting ----------------------------------------------------------------------------------------------------

    @property
    def connection(self) -> Any:
        """The driver's connection of this thread, None where it is not connected."""
        return self.database.connected

    def ensure_connection(self) -> None:
        """Connect this thread, if it is not. Raises ``OperationalError`` where that fails."""
        _ = self.database.session

    connect = ensure_connection

    def is_usable(self) -> bool:
        """Whether the database answers. One query."""
        try:
            Cursor(self.database).execute("SELECT 1")
        except Error:
            return False
        return True

    def close(self) -> None:
        """Close this thread's connection; it connects again when it is used. In an atomic block that rolls back."""
        self.database.close()

    def close_if_unusable_or_obsolete(self) -> None:
        """Django's name for what needs no call here: a connection that is lost is replaced at its next use."""

    # -- transactions --------------------------------------------------------------------------------------------------

    @property
    def _open(self) -> Session:
        session = self.database.current
        if session is None or not session.blocks:
            raise TransactionManagementError("The rollback flag doesn't work outside of an 'atomic' block.")
        return session

    @property
    def in_atomic_block(self) -> bool:
        session = self.database.current if self.database.connected is not None else self.database.async_session
        return session is not None and session.in_atomic_block

    @property
    def needs_rollback(self) -> bool:
        session = self.database.current
        return session is not None and session.needs_rollback

    @needs_rollback.setter
    def needs_rollback(self, value: bool) -> None:
        self._open.needs_rollback = value

    def get_rollback(self) -> bool:
        """Whether the innermost block that can will roll back. Only inside an atomic block."""
        return self._open.needs_rollback

    def set_rollback(self, rollback: bool) -> None:
        """Make the innermost block that can roll back at its end, or not. Only inside an atomic block."""
        self._open.needs_rollback = rollback

    @property
    def run_on_commit(self) -> list[Callback]:
        session = self.database.current
        return [] if session is None else session.on_commit

    def on_commit(self, func: Callable[[], Any], robust: bool = False) -> None:
        """Call ``func`` after the transaction is committed; now, where none is open. See ``transaction.on_commit``."""
        if not register(self.database.current, func, robust):
            Callback(func, robust).call()

    def savepoint(self) -> str | None:
        """Set a savepoint in the open transaction; returns its name, or None where no transaction is open."""
        return self.database.run(savepoint)

    def savepoint_commit(self, sid: str | None) -> None:
        """Release a savepoint."""
        self.database.run(savepoint_end, sid, True)

    def savepoint_rollback(self, sid: str | None) -> None:
        """Roll back to a savepoint. Also after an error; ``set_rollback(False)`` then lets the block go on."""
        self.database.run_broken(savepoint_end, sid, False)

    def clean_savepoints(self) -> None:
        """Django's name for a counter's reset; names are unique here without."""

    def get_autocommit(self) -> bool:
        """Whether each statement is a transaction of its own: not in a block, nor after ``set_autocommit(False)``."""
        session = self.database.session
        return session.autocommit and not session.blocks

    def set_autocommit(self, autocommit: bool) -> None:
        """With False, the next statement begins a transaction that lasts to ``commit()`` or ``rollback()``."""
        session = self.database.session
        self._refuse_in_block(session)
        if autocommit and session.begun:
            raise TransactionManagementError(
                "A transaction is open: commit() or rollback() it before set_autocommit(True)."
            )
        session.autocommit = autocommit

    def commit(self) -> None:
        """Commit a transaction that is managed by hand, and run its ``on_commit`` callbacks."""
        self._refuse_in_block(self.database.session)
        for callback in self.database.run_broken(end_by_hand, True):
            callback.call()

    def rollback(self) -> None:
        """Roll back a transaction that is managed by hand."""
        self._refuse_in_block(self.database.session)
        self.database.run_broken(end_by_hand, False)

    def _refuse_in_block(self, session: Session) -> None:
        if session.blocks:
            raise TransactionManagementError("This is forbidden when an 'atomic' block is active.")

    def __repr__(self) -> str:
        return f"<Connection {self.alias}: {self.database.parts.safe}>"


class Connections:
    """The connections by alias."""

    def __init__(self) -> None:
        self._made: dict[str, Connection] = {}

    def __getitem__(self, alias: str) -> Connection:
        """Raises ``ConnectionDoesNotExist`` for an alias that is not known."""
        database = databases[alias]
        found = self._made.get(alias)
        if found is None or found.database is not database:
            found = self._made[alias] = Connection(database)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(databases)

    def __contains__(self, alias: object) -> bool:
        return alias in databases

    def all(self, initialized_only: bool = False) -> list[Connection]:
        return [self[alias] for alias in self if not initialized_only or alias in self._made]

    def close_all(self) -> None:
        """Close every connection of this thread."""
        for alias in self._made:
            databases[alias].close()


class DefaultConnection:
    """``connection``: the default database's, whichever that is when it is used."""

    def __getattr__(self, name: str) -> Any:
        return getattr(connections[DEFAULT], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(connections[DEFAULT], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(connections[DEFAULT], name)

    def __eq__(self, other: object) -> bool:
        return connections[DEFAULT] is other or self is other

    def __hash__(self) -> int:
        return hash(connections[DEFAULT])


connections = Connections()
connection: Any = DefaultConnection()


def close_old_connections(**kwargs: Any) -> None:
    """Django's name for what needs no call here: lost connections are replaced, and threads take theirs along."""


def reset_queries(**kwargs: Any) -> None:
    """Forget the statements noted in ``connection.queries``."""
    for made in connections.all(initialized_only=True):
        made.queries.clear()
