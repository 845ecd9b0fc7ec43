"""Databases by alias: a dialect, connections, and the current session of a thread or task."""

from __future__ import annotations

import re
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Concatenate, ParamSpec, TypeVar

from crowsfoot.conf import settings
from crowsfoot.drivers.connection import Pool
from crowsfoot.drivers.run import Operation, run
from crowsfoot.drivers.url import URLParts, parse_url
from crowsfoot.errors import ImproperlyConfigured, NotSupportedError, OperationalError, ProgrammingError, unknown_name
from crowsfoot.persistence.session import Session
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.functions_sqlite import FUNCTIONS
from crowsfoot.sql.postgresql import PostgreSQL
from crowsfoot.sql.sqlite import SQLite

P = ParamSpec("P")
T = TypeVar("T")
DEFAULT = "default"
POOL_SIZE = 10

DIALECTS: dict[str, type[Dialect]] = {"sqlite": SQLite, "postgresql": PostgreSQL}
# A driver is imported when a URL first asks for it: nobody needs the libraries of a database they don't use.
SYNC_DRIVERS = {"sqlite": "crowsfoot.drivers.sqlite", "postgresql": "crowsfoot.drivers.postgresql_sync"}
ASYNC_DRIVERS = {"sqlite": "crowsfoot.drivers.sqlite", "postgresql": "crowsfoot.drivers.postgresql_async"}
LIBRARIES = {"postgresql": "postgresql"}


class Explained:
    """Adds to a database's error what the user can do about it."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if kind is not None and isinstance(error, (OperationalError, ProgrammingError)):
            text = str(error)
            if MISSING_TABLE.search(text) and REMEDY not in text:
                error.args = (f"{text}\n{REMEDY}", *error.args[1:])


MISSING_TABLE = re.compile(r"no such table|relation .* does not exist")
REMEDY = (
    "The table is not there yet. In a project run: python manage.py makemigrations, then python manage.py migrate. "
    "In a script call crowsfoot.create_tables(…) with your models."
)
EXPLAINED = Explained()


class Database:
    """One database. Sync code has a connection per thread, async code takes one from a pool per operation.

    ``run`` and ``arun`` drive an operation: a function that takes the session and returns a generator.
    """

    def __init__(self, alias: str, url: str) -> None:
        self.alias = alias
        self.parts: URLParts = parse_url(url)
        if self.parts.scheme not in DIALECTS:
            raise NotSupportedError(f"{self.parts.scheme} is not supported yet; use one of: {', '.join(DIALECTS)}.")
        self.dialect = DIALECTS[self.parts.scheme]()
        self._local = threading.local()
        self._async: ContextVar[Session | None] = ContextVar(f"crowsfoot_{alias}", default=None)
        self._pool: Pool | None = None
        # Every session of sync code, to be closed by ``close()``.
        self._sessions: list[Session] = []
        self.observers: list[Callable[[str, Sequence[Any]], None]] = []
        self.explained = EXPLAINED

    @property
    def vendor(self) -> str:
        return self.dialect.vendor

    # -- sync ----------------------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The session of the current thread; connects on first use. Raises ``OperationalError`` where it cannot."""
        try:
            session: Session = self._local.session
        except AttributeError:
            return self._open()
        if session.connection.closed:
            return self._open()
        return session

    def _open(self) -> Session:
        connection = self._driver(SYNC_DRIVERS).connect(self.parts, *self._extras())
        connection.observers = self.observers
        session = Session(self.alias, self.dialect, connection)
        self._local.session = session
        self._sessions.append(session)
        return session

    def run(self, make: Callable[Concatenate[Session, P], Operation[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Drive ``make(session, …)`` to its end on this thread's connection and return its result."""
        session = self.session
        session.check()
        with self.explained:
            return run(session.connection, make(session, *args, **kwargs))

    # -- async ---------------------------------------------------------------------------------------------------------

    async def arun(self, make: Callable[Concatenate[Session, P], Operation[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """``run`` in async code: in the open transaction of this task, else on a connection from the pool."""
        session = self._async.get()
        if session is not None:
            session.check()
            with self.explained:
                result: T = await session.connection.drive(make(session, *args, **kwargs))
            return result
        session = await self.acquire()
        try:
            with self.explained:
                found: T = await session.connection.drive(make(session, *args, **kwargs))
            return found
        finally:
            await self.release(session)

    async def acquire(self) -> Session:
        """A session of its own for the current task."""
        if self._pool is None:
            self._pool = Pool(self._aopen, 1 if self.parts.memory_key is not None else POOL_SIZE)
        return Session(self.alias, self.dialect, await self._pool.acquire())

    async def release(self, session: Session) -> None:
        assert self._pool is not None
        await self._pool.release(session.connection)

    async def _aopen(self) -> Any:
        opener: Callable[..., Awaitable[Any]] = self._driver(ASYNC_DRIVERS).aconnect
        connection = await opener(self.parts, *self._extras())
        connection.observers = self.observers
        return connection

    def bind_async(self, session: Session | None) -> Any:
        """Make ``session`` the one of the current task; returns the token that undoes it."""
        return self._async.set(session)

    def unbind_async(self, token: Any) -> None:
        self._async.reset(token)

    @property
    def async_session(self) -> Session | None:
        """The session of the transaction that the current task has open, if it has one."""
        return self._async.get()

    # -- both ----------------------------------------------------------------------------------------------------------

    def _extras(self) -> list[Any]:
        return [FUNCTIONS] if self.vendor == "sqlite" else []

    def _driver(self, modules: dict[str, str]) -> Any:
        scheme = self.parts.scheme
        try:
            return import_module(modules[scheme])
        except ModuleNotFoundError as error:
            extra = LIBRARIES.get(scheme, scheme)
            raise ImproperlyConfigured(
                f"{self.parts.safe} needs the library {error.name!r}: pip install 'crowsfoot[{extra}]'"
            ) from error

    def close(self) -> None:
        """Close this thread's connection and those of threads that are gone."""
        for session in self._sessions:
            session.connection.close()
        self._sessions.clear()
        self._local = threading.local()

    async def aclose(self) -> None:
        """Close the connections of the current event loop."""
        if self._pool is not None:
            await self._pool.close()

    @contextmanager
    def watched(self, observer: Callable[[str, Sequence[Any]], None]) -> Iterator[None]:
        """Call ``observer(sql, params)`` before each statement, as long as the block runs."""
        self.observers.append(observer)
        try:
            yield
        finally:
            self.observers.remove(observer)

    def __repr__(self) -> str:
        return f"<Database {self.alias}: {self.parts.safe}>"


class Databases:
    """The databases of the process by alias. Those of the settings are opened on first use."""

    def __init__(self) -> None:
        self._known: dict[str, Database] = {}

    def __getitem__(self, alias: str) -> Database:
        found = self._known.get(alias)
        if found is None:
            url = settings.DATABASES.get(alias)
            if url is None:
                raise ImproperlyConfigured(self._missing(alias))
            found = self._known[alias] = Database(alias, url)
        return found

    def _missing(self, alias: str) -> str:
        known = [*self._known, *settings.DATABASES]
        if alias == DEFAULT and not known:
            return (
                "No database is connected. In a script call crowsfoot.connect('sqlite:///blog.db'); in a project name it "
                "under [tool.crowsfoot.databases] in pyproject.toml or in the environment variable DATABASE_URL."
            )
        return unknown_name("database", alias, "This project", known)

    def __setitem__(self, alias: str, database: Database) -> None:
        old = self._known.pop(alias, None)
        if old is not None:
            old.close()
        self._known[alias] = database

    def __contains__(self, alias: object) -> bool:
        return alias in self._known or alias in settings.DATABASES

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*settings.DATABASES, *self._known]))

    def all(self) -> list[Database]:
        return [self[alias] for alias in self]

    def close_all(self) -> None:
        """Close every connection of this thread and forget the databases given to ``connect``."""
        for database in self._known.values():
            database.close()
        self._known.clear()


databases = Databases()


def connect(url: str, alias: str = DEFAULT) -> Database:
    """Use the database at ``url`` under ``alias``. Nothing is sent until the first query.

    ``sqlite:///blog.db``, ``sqlite://:memory:`` or ``postgresql://user:password@host/name``. Raises
    ``ImproperlyConfigured`` for a URL that is none.
    """
    database = Database(alias, url)
    databases[alias] = database
    return database
