"""A session: one connection and the transaction that is open on it.

What a session does is written as operations. `crowsfoot.database` drives them, keeps the session of each thread or
task, and clears up where an operation was interrupted and could not.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.errors import DatabaseError, Error, IntegrityError, TransactionManagementError
from crowsfoot.naming import log
from crowsfoot.persistence.integrity import explain_commit
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.table import ANY_TABLE
from crowsfoot.sql.dialect import Dialect


class Block:
    """One open ``atomic`` block. It began the transaction, set a savepoint, or has nothing of its own to roll back."""

    __slots__ = ("begins", "callbacks", "of_test", "savepoint")

    def __init__(self, begins: bool, savepoint: str | None, callbacks: int, of_test: bool) -> None:
        self.begins = begins
        self.savepoint = savepoint
        # How many on_commit callbacks there were before it.
        self.callbacks = callbacks
        # A test's own block does not count as one for durable blocks.
        self.of_test = of_test


class Callback(NamedTuple):
    """What ``on_commit`` was given. The error of a robust one is logged, that of another goes to who committed."""

    function: Callable[[], Any]
    robust: bool
    in_transaction: bool = False

    def call(self) -> None:
        try:
            self.function()
        except Exception as error:
            self._failed(error)

    async def acall(self) -> None:
        """``call`` in async code, where it may be a coroutine function."""
        try:
            result = self.function()
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if not self.robust:
            raise error
        name = getattr(self.function, "__qualname__", repr(self.function))
        when = " during transaction" if self.in_transaction else ""
        log("db.backends.base").error("Error calling %s in on_commit()%s (%s).", name, when, error, exc_info=error)


class Writes:
    """When each table of a database was last written by this process; answers that were prepared before are stale then.

    What may have written any table, raw SQL or the end of a transaction, counts for all of them.
    """

    __slots__ = ("everything", "number", "tables")

    def __init__(self) -> None:
        # How many writes there were, and the number of the last one: to anything, and to each table.
        self.number = 0
        self.everything = 0
        self.tables: dict[str, int] = {}

    def add(self, table: str | None = None) -> None:
        """Count a write to ``table``, or to what nobody knows."""
        self.number += 1
        if table is None:
            self.everything = self.number
        else:
            self.tables[table] = self.number

    def after(self, number: int, tables: Collection[str]) -> bool:
        """Whether one of ``tables`` was written after the write with this ``number``."""
        if ANY_TABLE in tables:
            return self.number > number
        return self.everything > number or any(self.tables.get(table, 0) > number for table in tables)


WRITES: dict[str, Writes] = {}


def writes_of(alias: str) -> Writes:
    return WRITES.setdefault(alias, Writes())


class Session:
    """What operations know of where they run. ``connection`` is a driver's; only the drivers' loops touch it."""

    def __init__(self, alias: str, dialect: Dialect, connection: Any) -> None:
        self.alias = alias
        self.writes = writes_of(alias)
        self.dialect = dialect
        self.connection = connection
        self.blocks: list[Block] = []
        self.needs_rollback = False
        # The error that made the transaction unusable, while it is.
        self.broken_by: Exception | None = None
        self.on_commit: list[Callback] = []
        self.names = itertools.count(1)
        # Savepoints set by hand, and how many on_commit callbacks there were before each.
        self.savepoints: dict[str, int] = {}
        # False while transactions are begun and ended by hand; begun tells whether one is open then.
        self.autocommit = True
        self.begun = False
        # In async code: the task whose transaction is open here, and the one that drives an operation at this moment.
        self.task: Any = None
        self.driver: Any = None

    def wrote(self, table: str | None = None) -> None:
        """To be told of every write, to ``table`` or an unknown one: what was prepared before is not handed out."""
        self.writes.add(table)

    def updates(self, entity: Entity) -> None:
        """To be told of every UPDATE. Keys that follow may be anywhere."""
        self.wrote(None if entity.concrete.keys_follow else entity.table.name)

    @property
    def in_atomic_block(self) -> bool:
        return bool(self.blocks)

    def check(self) -> None:
        """Refuse to go on in a transaction that can only be rolled back."""
        if self.needs_rollback:
            raise TransactionManagementError(
                "An error occurred in the current transaction. You can't execute queries until the end of the 'atomic' "
                "block. To go on after an error, put what may fail into an atomic block of its own."
            ) from self.broken_by

    def failed(self, error: BaseException, depth: int) -> None:
        """Note that an operation, begun with ``depth`` blocks open, ended with ``error``.

        An error of the database makes the transaction unusable, whichever database it is. After an interruption nobody
        knows what was sent: blocks that the operation opened are forgotten, and those around it can only roll back.
        """
        if not isinstance(error, Exception):
            del self.blocks[depth:]
            self.needs_rollback = bool(self.blocks)
        elif self.blocks and breaks_transaction(error):
            self.needs_rollback = True
            self.broken_by = error
            self.wrote()  # what was prepared before is not handed out either


def breaks_transaction(error: Exception) -> bool:
    """Whether ``error`` came from the database (or a connection) and no savepoint has undone its statement since."""
    return isinstance(error, Error) and error.__cause__ is not None and not getattr(error, "undone", False)


# -- blocks ------------------------------------------------------------------------------------------------------------


def enter(session: Session, savepoint: bool = True, durable: bool = False, of_test: bool = False) -> Operation[None]:
    """Begin a transaction, or a savepoint inside one. One request, or none for an inner block without a savepoint.

    Raises ``RuntimeError`` for a durable block that is not the outermost.
    """
    if durable and session.blocks and not session.blocks[-1].of_test:
        raise RuntimeError("A durable atomic block cannot be nested within another atomic block.")
    begins = not session.blocks and session.autocommit
    name = None
    if not session.blocks:
        session.needs_rollback = False
    if begins or not (session.autocommit or session.begun):
        yield from begin(session)
    if not begins and savepoint and not session.needs_rollback:
        name = _savepoint_name(session)
        yield Execute(f'SAVEPOINT "{name}"')
    session.blocks.append(Block(begins, name, len(session.on_commit), of_test))


def begin(session: Session) -> Operation[None]:
    """Begin a transaction, as this dialect does it. One request."""
    yield Execute(session.dialect.begin)
    session.begun = not session.autocommit


def leave(session: Session, failed: bool, own: bool = False) -> Operation[list[Callback]]:
    """End the innermost block: commit or release, or roll back where it ``failed`` or the transaction is unusable.

    ``own`` says that the block is an operation's own, whose writes are known one by one.
    Returns the ``on_commit`` callbacks to run now. Raises what the database says to a COMMIT, having rolled back.
    """
    if not session.blocks:
        raise TransactionManagementError(
            "An atomic block ends, but its transaction is not here. Was its database replaced by connect() meanwhile?"
        )
    block = session.blocks.pop()
    failed = failed or session.needs_rollback
    if failed or (block.begins and not own):
        session.wrote()
    if block.begins:
        return (yield from _end(session, failed))
    if not failed:
        yield from _release(session, block)
        return []
    session.needs_rollback = block.savepoint is None
    if not session.needs_rollback:
        session.broken_by = None
    if block.savepoint is not None:
        del session.on_commit[block.callbacks :]
        try:
            yield Execute(f'ROLLBACK TO SAVEPOINT "{block.savepoint}"')
            yield Execute(f'RELEASE SAVEPOINT "{block.savepoint}"')
        except Error:  # what is around it has to roll back
            session.needs_rollback = True
    return []


def _release(session: Session, block: Block) -> Operation[None]:
    if block.savepoint is None:
        return
    try:
        yield Execute(f'RELEASE SAVEPOINT "{block.savepoint}"')
    except Error:
        del session.on_commit[block.callbacks :]
        try:
            yield Execute(f'ROLLBACK TO SAVEPOINT "{block.savepoint}"')
            yield Execute(f'RELEASE SAVEPOINT "{block.savepoint}"')
        except Error:
            session.needs_rollback = True
        raise


def _end(session: Session, failed: bool) -> Operation[list[Callback]]:
    """End the transaction. Afterwards none is open, or the connection is of no use (see ``Database``)."""
    callbacks, session.on_commit = session.on_commit, []
    session.savepoints.clear()
    session.needs_rollback = session.begun = False
    session.broken_by = None
    if failed:
        yield from _roll_back(session)
        return []
    try:
        yield Execute("COMMIT")
    except Error as error:
        if isinstance(error, IntegrityError):
            yield from explain_commit(session.dialect, error)
        yield from _roll_back(session)
        raise
    return callbacks


def _roll_back(session: Session) -> Operation[None]:
    """ROLLBACK; where the connection or the transaction is gone already there is nothing to undo."""
    try:
        yield Execute("ROLLBACK")
    except Error as error:
        log("db.backends.base").debug("ROLLBACK on %s: %s", session.alias, error)


def atomically(session: Session, operation: Operation[Any], savepoint: bool = False) -> Operation[Any]:
    """Run ``operation`` in a transaction: a new one, or the one that is open (with ``savepoint``, in one of its own).

    Two requests more in a new transaction or with a savepoint, none inside an open one without.
    """
    yield from enter(session, savepoint)
    try:
        result = yield from operation
    except Exception as error:
        yield from leave(session, True)
        if isinstance(error, DatabaseError) and not session.needs_rollback:
            error.undone = True
        raise
    for callback in (yield from leave(session, False, own=True)):
        callback.call()
    return result


def register(session: Session | None, function: Callable[[], Any], robust: bool) -> bool:
    """Have ``function`` called once the transaction is committed; False where none is open, so that now is the time.

    Raises ``TypeError`` for what cannot be called.
    """
    if not callable(function):
        raise TypeError("on_commit()'s callback must be a callable.")
    if session is None or (not session.blocks and session.autocommit):
        return False
    if not session.blocks:
        raise TransactionManagementError("on_commit() cannot be used in manual transaction management")
    session.on_commit.append(Callback(function, robust, in_transaction=True))
    return True


# -- by hand -----------------------------------------------------------------------------------------------------------


def savepoint(session: Session) -> Operation[str | None]:
    """Set a savepoint by hand; returns its name, or None where no transaction is open."""
    if not session.blocks and session.autocommit:
        return None
    name = _savepoint_name(session)
    yield Execute(f'SAVEPOINT "{name}"')
    session.savepoints[name] = len(session.on_commit)
    return name


def _savepoint_name(session: Session) -> str:
    return f"s{next(session.names)}"


def savepoint_end(session: Session, name: str | None, commit: bool) -> Operation[None]:
    """Release a savepoint that was set by hand, or roll back to it; nothing outside a transaction."""
    if not session.blocks and session.autocommit:
        return
    session.wrote()
    if commit:
        yield Execute(f'RELEASE SAVEPOINT "{name}"')
        return
    yield Execute(f'ROLLBACK TO SAVEPOINT "{name}"')
    if name in session.savepoints:
        del session.on_commit[session.savepoints[name] :]


def end_by_hand(session: Session, commit: bool) -> Operation[list[Callback]]:
    """Commit or roll back where transactions are managed by hand. Returns the callbacks to run now."""
    if session.blocks:
        raise TransactionManagementError("This is forbidden when an 'atomic' block is active.")
    if not session.begun:
        session.needs_rollback = False
        return []
    return (yield from _end(session, not commit))
