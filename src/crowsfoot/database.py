"""Databases by alias: a dialect, connections, and the current session of a thread or task."""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from contextvars import Context, ContextVar, copy_context
from importlib import import_module
from typing import Any, Concatenate, ParamSpec, TypeVar

from crowsfoot import loops
from crowsfoot.conf import settings
from crowsfoot.drivers.run import Operation, Outside, Request, drive_in_parts, run
from crowsfoot.drivers.url import URLParts, parse_url
from crowsfoot.errors import (
    ConnectionDoesNotExist,
    ImproperlyConfigured,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    TransactionManagementError,
    unknown_name,
)
from crowsfoot.persistence.asyncness import refuse_caller
from crowsfoot.persistence.session import Session, begin, enter, leave
from crowsfoot.query.shapes import forget_all
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.features import FEATURES
from crowsfoot.sql.functions_sqlite import FUNCTIONS
from crowsfoot.sql.postgresql import PostgreSQL
from crowsfoot.sql.sqlite import SQLite

P = ParamSpec("P")
T = TypeVar("T")
Make = Callable[..., Generator[Any, Any, Any]]
DEFAULT = "default"
POOL_SIZE = 10

DIALECTS: dict[str, type[Dialect]] = {"sqlite": SQLite, "postgresql": PostgreSQL}
# A driver is imported when a URL first asks for it: nobody needs the libraries of a database they don't use.
SYNC_DRIVERS = {"sqlite": "crowsfoot.drivers.sqlite", "postgresql": "crowsfoot.drivers.postgresql_sync"}
ASYNC_DRIVERS = {"sqlite": "crowsfoot.drivers.sqlite_async", "postgresql": "crowsfoot.drivers.postgresql_async"}
LIBRARIES = {"postgresql": "postgresql"}

MISSING_TABLE = r"no such table|(?<!of )relation .* does not exist"
REMEDY = (
    "The table is not there yet. In a project run: python manage.py makemigrations, then python manage.py migrate. "
    "In a script call crowsfoot.create_tables(…) with your models."
)


def explain(error: BaseException) -> None:
    """Add to a database's error what the user can do about it."""
    if isinstance(error, (OperationalError, ProgrammingError)):
        text = str(error)
        if re.search(MISSING_TABLE, text) and REMEDY not in text:
            error.args = (f"{text}\n{REMEDY}", *error.args[1:])


class Local(threading.local):
    """What a thread has of a database."""

    session: Session | None = None


class Database:
    """One database. Sync code has a connection per thread, async code one from a pool for an operation or transaction.

    ``run`` and ``arun`` drive an operation: a function that takes the session and returns a generator.
    """

    def __init__(self, alias: str, url: str | URLParts) -> None:
        self.alias = alias
        self.parts: URLParts = parse_url(url) if isinstance(url, str) else url
        if self.parts.scheme not in DIALECTS:
            raise NotSupportedError(f"{self.parts.scheme} is not supported yet; use one of: {', '.join(DIALECTS)}.")
        self.dialect = DIALECTS[self.parts.scheme]()
        self.dialect.alias = alias
        self._local = Local()
        # The session of the task's transaction, or of the operation that runs in this context.
        self._current: ContextVar[Session | None] = ContextVar(f"crowsfoot_{alias}", default=None)
        # The session of a thread whose async code runs on it (see ``inline``).
        self._inline: ContextVar[Session | None] = ContextVar(f"crowsfoot_inline_{alias}", default=None)
        self._pool: Any = None  # the driver's Pool, once async code asks for a connection
        self.observers: list[Callable[[str, Sequence[Any]], None]] = []
        self.dialect.features = FEATURES[self.vendor](self.dialect, self.has_one_connection, self._server_version)

    def _server_version(self) -> int:
        rows: list[Any] = self.fetch("SHOW server_version_num", (), list)
        return int(rows[0][0])

    @property
    def vendor(self) -> str:
        return self.dialect.vendor

    @property
    def has_one_connection(self) -> bool:
        """Whether all async code shares one connection: of a database in memory there is no second."""
        return self.parts.memory_key is not None

    def copy(self) -> Database:
        """The same database with connections of its own."""
        return Database(self.alias, self.parts)

    # -- sync ----------------------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The session of the current thread; connects on first use. Raises ``OperationalError`` where it cannot."""
        session = self._local.session
        return session if session is not None else self._open()

    @property
    def connected(self) -> Any:
        """The driver's connection of this thread, None where there is none yet."""
        session = self._local.session
        return None if session is None else session.connection

    def _open(self) -> Session:
        inline = self._inline.get()
        if inline is not None and not inline.connection.closed:
            return inline  # a thread of async code, which asyncio.to_thread made
        connection = self._driver(SYNC_DRIVERS).connect(self.parts, *self._extras())
        connection.observers = self.observers
        session = self._local.session = Session(self.alias, self.dialect, connection)
        # A thread that ends takes its session along.
        weakref.finalize(session, connection.close)
        return session

    def ready(self) -> Session:
        """``session``, fit to send a statement now.

        Raises ``SynchronousOnlyOperation`` in a running event loop, ``TransactionManagementError`` where an error has
        made the transaction unusable.
        """
        session = self._local.session
        if session is None or session.needs_rollback or not session.autocommit or loops.running() is not None:
            return self._prepared()
        return session

    def _prepared(self) -> Session:
        self._refuse_in_async()
        session = self.session
        session.check()
        if not session.autocommit and not session.begun:
            run(session.connection, begin(session))
        return session

    def _refuse_in_async(self) -> None:
        """Sync code must not run in the thread of an event loop, nor in a signal's receiver in an async operation."""
        driven = self._current.get()
        if loops.running() is not None or (driven is not None and driven.driver is not None):
            refuse_caller()

    def fetch(self, sql: str, params: Sequence[Any], hydrate: Callable[[Any], T]) -> T:
        """Send one statement on this thread's connection: the direct way, without a generator."""
        session = self.ready()
        try:
            found: T = session.connection.fetch(sql, params, hydrate)
        except BaseException as error:
            self.failed(session, error)
            raise
        return found

    def carry(
        self, request: Request, table: str | None, explain: Callable[[IntegrityError, Any], Operation[None]], row: Any
    ) -> Any:
        """Send one request that writes to ``table`` on this thread's connection: the direct way, as with ``fetch``.

        ``explain(error, row)`` says which row a violated constraint is about.
        """
        session = self.ready()
        session.writes.add(table)
        try:
            return request.perform(session.connection)
        except BaseException as error:
            try:
                if isinstance(error, IntegrityError):
                    run(session.connection, explain(error, row))
            finally:
                self.failed(session, error)
            raise

    def run(self, make: Callable[Concatenate[Session, P], Operation[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Drive ``make(session, …)`` to its end on this thread's connection and return its result."""
        return self._run(self.ready(), make, *args, **kwargs)

    def run_broken(self, make: Callable[Concatenate[Session, P], Operation[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """``run`` for what may be sent in a transaction that an error has made unusable, such as a rollback."""
        self._refuse_in_async()
        found: T = self._run(self.session, make, *args, **kwargs)
        return found

    def _run(self, session: Session, make: Any, *args: Any, **kwargs: Any) -> Any:
        depth = len(session.blocks)
        try:
            return run(session.connection, make(session, *args, **kwargs))
        except BaseException as error:
            self.failed(session, error, depth)
            raise

    def failed(self, session: Session, error: BaseException, depth: int | None = None) -> None:
        """To be told when a statement of this thread's session ended with ``error``; explains it to the user."""
        session.failed(error, len(session.blocks) if depth is None else depth)
        explain(error)
        interrupted = not isinstance(error, Exception)
        connection = session.connection
        if not session.blocks and (connection.closed or (interrupted and connection.in_transaction)):
            self._forget(session)

    def _forget(self, session: Session) -> None:
        """Close a session's connection; this thread connects anew when it needs to."""
        if self._local.session is session:
            self._local.session = None
        session.connection.close()

    def enter(self, savepoint: bool = True, durable: bool = False, of_test: bool = False) -> None:
        """Open an atomic block in this thread. See ``crowsfoot.transaction.atomic``."""
        self.run_broken(enter, savepoint, durable, of_test)

    def leave(self, failed: bool) -> None:
        """End this thread's innermost atomic block, and run the ``on_commit`` callbacks if it was the last."""
        session = self.session
        try:
            callbacks = self._run(session, leave, failed)
        finally:
            connection = session.connection
            if not session.blocks and session.autocommit and (connection.closed or connection.in_transaction):
                self._forget(session)
        for callback in callbacks:
            callback.call()

    # -- async ---------------------------------------------------------------------------------------------------------

    async def arun(self, make: Callable[Concatenate[Session, P], Operation[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """``run`` in async code: in the open transaction of this task, else on a connection from the pool."""
        session = self.async_session
        if session is not None:
            session.check()
        return await self._arun(session, make, *args, **kwargs)

    async def arun_broken(
        self, make: Callable[Concatenate[Session, P], Operation[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """``run_broken`` in async code."""
        return await self._arun(self.async_session, make, *args, **kwargs)

    async def _arun(self, session: Session | None, make: Any, *args: Any, **kwargs: Any) -> Any:
        if session is not None:
            return await self.drive(session, make, *args, **kwargs)
        async with self.acquired() as session:
            return await self.drive(session, make, *args, **kwargs)

    async def drive(self, session: Session, make: Any, *args: Any, **kwargs: Any) -> Any:
        """Drive ``make(session, …)`` on a session that this task has acquired."""
        if session is self._inline.get():

            async def here(operation: Operation[Any]) -> Any:
                return self._run(session, lambda _: operation)

            return await drive_in_parts(make(session, *args, **kwargs), here)
        depth = len(session.blocks)
        token = self._current.set(session)
        before = session.driver
        session.driver = loops.current_task()
        try:
            return await session.connection.drive(make(session, *args, **kwargs))
        except BaseException as error:
            session.failed(error, depth)
            explain(error)
            raise
        finally:
            session.driver = before
            self._current.reset(token)

    @property
    def async_session(self) -> Session | None:
        """The session of the transaction that the current task has open, if it has one, or of the operation in which
        it awaits the receiver of a signal.

        A task that was started inside another's transaction is not in it: two tasks cannot share a connection.
        """
        inline = self._inline.get()
        if inline is not None:
            return inline
        session = self._current.get()
        if session is None or (session.task is None and session.driver is None):
            return None
        if loops.current_task() in (session.task, session.driver):
            return session
        if session.blocks and self.has_one_connection:
            raise TransactionManagementError(
                "This task was started inside another task's atomic block. A transaction belongs to one task, and a "
                "database in memory has one connection, so the two would wait for each other forever. Await the "
                "queries one after the other, start the task outside the block, or use a file."
            )
        return None

    @asynccontextmanager
    async def acquired(self) -> AsyncGenerator[Session]:
        """A session for the current task alone, as long as the block runs."""
        inline = self._inline.get()
        if inline is not None:
            yield inline
            return
        session = await self._acquire()
        try:
            yield session
        finally:
            await self._release(session)

    async def _acquire(self) -> Session:
        if self._pool is None:
            self._pool = self._driver(ASYNC_DRIVERS).Pool(self._aopen, 1 if self.has_one_connection else POOL_SIZE)
        return Session(self.alias, self.dialect, await self._pool.acquire())

    async def _release(self, session: Session) -> None:
        assert self._pool is not None
        await self._pool.release(session.connection)

    async def _aopen(self) -> Any:
        opener: Callable[..., Awaitable[Any]] = self._driver(ASYNC_DRIVERS).aconnect
        connection = await opener(self.parts, *self._extras())
        connection.observers = self.observers
        return connection

    async def aenter(self, savepoint: bool = True, durable: bool = False) -> None:
        """Open an atomic block in this task, on a connection that it keeps to the end of the outermost block."""
        session = self.async_session
        if session is not None:
            await self.drive(session, enter, savepoint, durable)
            return
        session = await self._acquire()
        try:
            await self.drive(session, enter, savepoint, durable)
        except BaseException:
            await self._release(session)
            raise
        session.task = loops.current_task()
        self._current.set(session)

    async def aleave(self, failed: bool) -> None:
        """End this task's innermost atomic block, and run the ``on_commit`` callbacks if it was the last."""
        session = self.async_session
        if session is None:
            raise TransactionManagementError("An atomic block ends in another task than the one that it began in.")
        try:
            callbacks = await self.drive(session, leave, failed)
        finally:
            if not session.blocks and session.task is not None:
                session.task = None
                self._current.set(None)
                await self._release(session)
        for callback in callbacks:
            await callback.acall()

    # -- both ----------------------------------------------------------------------------------------------------------

    @property
    def current(self) -> Session | None:
        """The session that a statement sent here and now would go to; None in async code outside a transaction."""
        session = self._current.get()
        if session is not None and session.driver is not None:
            return session
        return self.session if loops.running() is None else self.async_session

    @contextmanager
    def inline(self) -> Generator[None]:
        """Run async code that is started here on this thread's connection, in its open transaction. For tests.

        Statements block the event loop meanwhile. Sync code that it has run by ``asyncio.to_thread`` is in it too.
        """
        before = self._inline.get()
        self._inline.set(self.session)
        try:
            yield
        finally:
            self._inline.set(before)

    @contextmanager
    def rolled_back(self) -> Generator[None]:
        """A transaction, or a savepoint in one, that is rolled back whatever happens. For tests; they nest.

        Async code that is started inside is in it too.
        """
        self.enter(of_test=True)
        try:
            with self.inline():
                yield
        finally:
            self.leave(failed=True)

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
        """Close this thread's connection. In an atomic block that block can only roll back."""
        session = self._local.session
        if session is None:
            return
        if session.blocks:
            session.needs_rollback = True
            session.connection.close()
        else:
            self._forget(session)

    async def aclose(self) -> None:
        """Close the connections of the current event loop."""
        if self._pool is not None:
            await self._pool.close()

    @contextmanager
    def watched(self, observer: Callable[[str, Sequence[Any]], None]) -> Generator[None]:
        """Call ``observer(sql, params)`` before each statement, as long as the block runs."""
        self.observers.append(observer)
        try:
            yield
        finally:
            self.observers.remove(observer)

    def __repr__(self) -> str:
        return f"<Database {self.alias}: {self.parts.safe}>"


class Databases(dict[str, Database]):
    """The databases of the process by alias; those of the settings, opened on first use, among them."""

    def __missing__(self, alias: str) -> Database:
        url = settings.DATABASES.get(alias)
        if url is None:
            raise ConnectionDoesNotExist(self._unknown(alias))
        found = Database(alias, url)
        super().__setitem__(alias, found)
        return found

    def _unknown(self, alias: str) -> str:
        known = list(self)
        if alias == DEFAULT and not known:
            return (
                "No database is connected. In a script call crowsfoot.connect('sqlite:///blog.db'); in a project name "
                "it under [tool.crowsfoot.databases] in pyproject.toml or in the environment variable DATABASE_URL."
            )
        return unknown_name("database", alias, "This project", known)

    def __setitem__(self, alias: str, database: Database) -> None:
        old = self.pop(alias, None)
        if old is not None:
            old.close()
        # Plans are kept by alias, and this may be a database of another kind.
        forget_all()
        super().__setitem__(alias, database)

    def __contains__(self, alias: object) -> bool:
        return super().__contains__(alias) or alias in settings.DATABASES

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*settings.DATABASES, *super().__iter__()]))

    def all(self) -> list[Database]:
        return [self[alias] for alias in self]

    def close_all(self) -> None:
        """Close every connection of this thread and forget the databases given to ``connect``."""
        for database in self.values():
            database.close()
        self.clear()


databases = Databases()


def run_here(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end from sync code, on the connections of this thread and in their open transactions.

    What it sets in context variables stays set. Raises ``SynchronousOnlyOperation`` in a running event loop.
    """
    if loops.running() is not None:
        refuse_caller()
    with ExitStack() as stack:
        for database in list(databases.values()):
            database._refuse_in_async()
            stack.enter_context(database.inline())
        context = copy_context()
        with loops.Runner() as runner:
            found = runner.run(make(), context=context)
        take_over(context)
    return found


def take_over(context: Context) -> None:
    """Set what code has set that ran in a copy of this context."""
    for variable, value in context.items():
        if variable.get(MISSING) is not value:
            variable.set(value)


MISSING: Any = object()


class Elsewhere(Outside):
    """A request of an operation: drive ``make(session, …)`` on ``alias``, a database other than its own."""

    __slots__ = ("alias", "args", "make")

    def __init__(self, alias: str, make: Callable[..., Operation[Any]], *args: Any) -> None:
        self.alias, self.make, self.args = alias, make, args

    def perform_here(self) -> Any:
        return databases[self.alias].run(self.make, *self.args)

    async def aperform(self) -> Any:
        return await databases[self.alias].arun(self.make, *self.args)


def connect(url: str, alias: str = DEFAULT) -> Database:
    """Use the database at ``url`` under ``alias``. Nothing is sent until the first query.

    ``sqlite:///blog.db``, ``sqlite://:memory:`` or ``postgresql://user:password@host/name``. Raises
    ``ImproperlyConfigured`` for a URL that is none.
    """
    database = Database(alias, url)
    databases[alias] = database
    return database
