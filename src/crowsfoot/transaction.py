"""Transactions: all of a block's writes happen, or none.

``atomic`` is a context manager, an async context manager and a decorator of sync and async functions. ``using`` is the
alias of a database everywhere. The functions below it are for who needs more than a block.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar, overload

from crowsfoot.connection import Connection, connections
from crowsfoot.database import DEFAULT, Database, databases
from crowsfoot.errors import TransactionManagementError as TransactionManagementError
from crowsfoot.persistence import session as blocks

P = ParamSpec("P")
T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])


class Atomic:
    """What ``atomic()`` returns. It holds no state, so one may be entered again and again, also inside itself."""

    def __init__(self, using: str | None = None, savepoint: bool = True, durable: bool = False) -> None:
        self.using = using or DEFAULT
        self.savepoint = savepoint
        self.durable = durable

    @property
    def _database(self) -> Database:
        return databases[self.using]

    def __enter__(self) -> None:
        self._database.enter(self.savepoint, self.durable)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: Any) -> None:
        self._database.leave(failed=kind is not None)

    async def __aenter__(self) -> None:
        await self._database.aenter(self.savepoint, self.durable)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: Any) -> None:
        await self._database.aleave(failed=kind is not None)

    def __call__(self, function: Function) -> Function:
        """``function``, each call of which is in a block. An async function's is an async block."""
        wrapped: Any = self._around_async(function) if inspect.iscoroutinefunction(function) else self._around(function)
        return wrapped

    def _around(self, function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def inner(*args: P.args, **kwargs: P.kwargs) -> T:
            with self:
                return function(*args, **kwargs)

        return inner

    def _around_async(self, function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(function)
        async def inner(*args: P.args, **kwargs: P.kwargs) -> T:
            async with self:
                return await function(*args, **kwargs)

        return inner


@overload
def atomic(using: Function) -> Function: ...
@overload
def atomic(using: str | None = None, savepoint: bool = True, durable: bool = False) -> Atomic: ...
def atomic(using: Any = None, savepoint: bool = True, durable: bool = False) -> Any:
    """A block in which all writes happen, or, when it ends with an exception, none::

        with atomic(): …            async with atomic(): …            @atomic def transfer(…): …

    A block inside a block is a savepoint, so that its errors may be caught around it; with ``savepoint=False`` it is
    not, and its error makes the outer block roll back. ``durable`` refuses to be inside another block. An error of the
    database makes the innermost block with a savepoint unusable: catch errors around a block, not in it.

    Two statements for the outermost block and for a savepoint, none without. SQLite takes its write lock at the start.
    In async code the block keeps one connection, which belongs to the task that entered it; tasks started inside work
    outside the transaction. Raises ``RuntimeError`` for a durable block inside another, and what the database says to
    the COMMIT, after which everything is rolled back.
    """
    if callable(using):
        return Atomic()(using)
    return Atomic(using, savepoint, durable)


def get_connection(using: str | None = None) -> Connection:
    """The connection of an alias, of the default database without."""
    return connections[using or DEFAULT]


# -- after the transaction ---------------------------------------------------------------------------------------------


def on_commit(func: Callable[[], Any], using: str | None = None, robust: bool = False) -> None:
    """Call ``func`` once the transaction is committed; never, if it (or the savepoint it is in) is rolled back.

    Outside a transaction it is called now. An exception of a ``robust`` one is logged and the others are called all the
    same. In async code ``func`` may be a coroutine function, which is awaited after the commit.
    """
    get_connection(using).on_commit(func, robust)


async def aon_commit(func: Callable[[], Any], using: str | None = None, robust: bool = False) -> None:
    """``on_commit`` that also awaits ``func`` outside a transaction."""
    if not blocks.register(databases[using or DEFAULT].current, func, robust):
        await blocks.Callback(func, robust).acall()


# -- the rollback flag -------------------------------------------------------------------------------------------------


def get_rollback(using: str | None = None) -> bool:
    """Whether the innermost block with a savepoint will roll back. Raises ``TransactionManagementError`` outside."""
    return get_connection(using).get_rollback()


def set_rollback(rollback: bool, using: str | None = None) -> None:
    """With True, roll back at the end of the innermost block with a savepoint, without an exception.

    With False, do not, although there was an error: only after a rollback to a good state (``savepoint_rollback``).
    """
    get_connection(using).set_rollback(rollback)


@contextmanager
def mark_for_rollback_on_error(using: str | None = None) -> Generator[None]:
    """An exception in this block makes the atomic block around it roll back, if there is one. No statement."""
    try:
        yield
    except Exception:
        session = databases[using or DEFAULT].current
        if session is not None and session.blocks:
            session.needs_rollback = True
        raise


# -- savepoints by hand ------------------------------------------------------------------------------------------------


def savepoint(using: str | None = None) -> str | None:
    """Set a savepoint; returns its name for the functions below, None where no transaction is open. One statement."""
    return get_connection(using).savepoint()


savepoint_create = savepoint


async def asavepoint(using: str | None = None) -> str | None:
    return await databases[using or DEFAULT].arun(blocks.savepoint)


def savepoint_commit(sid: str | None, using: str | None = None) -> None:
    """Release a savepoint: what was done since stays. One statement."""
    get_connection(using).savepoint_commit(sid)


async def asavepoint_commit(sid: str | None, using: str | None = None) -> None:
    await databases[using or DEFAULT].arun(blocks.savepoint_end, sid, True)


def savepoint_rollback(sid: str | None, using: str | None = None) -> None:
    """Undo what was done since a savepoint. One statement.

    After an error, ``set_rollback(False)`` tells the block around it that it may go on.
    """
    get_connection(using).savepoint_rollback(sid)


async def asavepoint_rollback(sid: str | None, using: str | None = None) -> None:
    await databases[using or DEFAULT].arun_broken(blocks.savepoint_end, sid, False)


def clean_savepoints(using: str | None = None) -> None:
    """Django's name for a counter's reset; names are unique here without."""


# -- transactions by hand ----------------------------------------------------------------------------------------------


def get_autocommit(using: str | None = None) -> bool:
    """Whether each statement is a transaction of its own."""
    return get_connection(using).get_autocommit()


def set_autocommit(autocommit: bool, using: str | None = None) -> None:
    """With False, begin and end transactions by hand: the next statement begins one. Refused in an atomic block."""
    get_connection(using).set_autocommit(autocommit)


def commit(using: str | None = None) -> None:
    """Commit a transaction that is managed by hand. Refused in an atomic block."""
    get_connection(using).commit()


def rollback(using: str | None = None) -> None:
    """Roll back a transaction that is managed by hand. Refused in an atomic block."""
    get_connection(using).rollback()
