"""A session: one connection and the transaction that is open on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.errors import Error, ProgrammingError, TransactionManagementError
from crowsfoot.sql.dialect import Dialect


class Block:
    """One open ``atomic`` block: the outermost is the transaction, an inner one a savepoint (or nothing of its own)."""

    __slots__ = ("callbacks", "durable", "savepoint")

    def __init__(self, savepoint: str | None, durable: bool = False) -> None:
        self.savepoint = savepoint
        self.durable = durable
        self.callbacks = 0


class Session:
    """What operations know of where they run. ``connection`` is a driver's; only the drivers' loops touch it."""

    def __init__(self, alias: str, dialect: Dialect, connection: Any) -> None:
        self.alias = alias
        self.dialect = dialect
        self.connection = connection
        self.blocks: list[Block] = []
        self.needs_rollback = False
        self.on_commit: list[tuple[int, Callable[[], Any], bool]] = []
        self.names = itertools.count(1)
        # Raised by every write and by the end of a transaction: what was prepared before is not handed out after.
        self.version = 0

    @property
    def in_atomic_block(self) -> bool:
        return bool(self.blocks)

    def check(self) -> None:
        """Refuse to go on in a transaction that can only be rolled back."""
        if self.needs_rollback:
            raise TransactionManagementError(
                "An error occurred in the current transaction. You can't execute queries until the end of the 'atomic' block."
            )


def enter(session: Session, savepoint: bool = True, durable: bool = False, marked: bool = False) -> Operation[None]:
    """Begin a transaction, or a savepoint inside one. One request, or none for an inner block without a savepoint.

    Raises ``RuntimeError`` for a durable block that is not the outermost.
    """
    if durable and session.blocks and not session.blocks[-1].durable:
        raise RuntimeError("A durable atomic block cannot be nested within another atomic block.")
    if not session.blocks:
        yield Execute(session.dialect.begin)
        session.needs_rollback = False
        session.blocks.append(Block(None, marked))
    elif savepoint and not session.needs_rollback:
        name = f"crowsfoot_{next(session.names)}"
        yield Execute(f'SAVEPOINT "{name}"')
        session.blocks.append(Block(name, marked))
    else:
        session.blocks.append(Block(None, marked))
    session.blocks[-1].callbacks = len(session.on_commit)


def leave(session: Session, failed: bool) -> Operation[list[Callable[[], Any]]]:
    """End the innermost block. Returns the ``on_commit`` callbacks to run now, as ``(callback, robust)``."""
    block = session.blocks.pop()
    session.version += 1
    if not session.blocks:
        return (yield from _leave_outermost(session, failed))
    if block.savepoint is None:
        session.needs_rollback = session.needs_rollback or failed
        return []
    if failed or session.needs_rollback:
        session.needs_rollback = False
        del session.on_commit[block.callbacks :]
        try:
            yield Execute(f'ROLLBACK TO SAVEPOINT "{block.savepoint}"')
            yield Execute(f'RELEASE SAVEPOINT "{block.savepoint}"')
        except Error:
            session.needs_rollback = True
        return []
    try:
        yield Execute(f'RELEASE SAVEPOINT "{block.savepoint}"')
    except Error:
        yield from _undo(session, f'ROLLBACK TO SAVEPOINT "{block.savepoint}"')
        raise
    return []


def _leave_outermost(session: Session, failed: bool) -> Operation[list[Any]]:
    callbacks, session.on_commit = session.on_commit, []
    if failed or session.needs_rollback:
        session.needs_rollback = False
        yield from _undo(session, "ROLLBACK")
        return []
    try:
        yield Execute("COMMIT")
    except Error:
        yield from _undo(session, "ROLLBACK")
        raise
    return [(callback, robust) for _, callback, robust in callbacks]


def _undo(session: Session, statement: str) -> Operation[None]:
    """Roll back; a connection that is gone, or a transaction that the database ended already, has nothing to undo."""
    try:
        yield Execute(statement)
    except Error:
        return


def atomically(session: Session, operation: Operation[Any], savepoint: bool = False) -> Operation[Any]:
    """Run ``operation`` in a transaction: a new one, or the one that is open."""
    yield from enter(session, savepoint)
    try:
        result = yield from operation
    except Exception:
        yield from leave(session, True)
        raise
    callbacks = yield from leave(session, False)
    for callback, _ in callbacks:
        callback()
    return result


def savepoint(session: Session) -> Operation[str]:
    """Set a savepoint by hand; returns its name."""
    if not session.blocks:
        raise TransactionManagementError("Savepoints need a transaction: use them inside an atomic block.")
    name = f"s{next(session.names)}"
    yield Execute(f'SAVEPOINT "{name}"')
    return name


def savepoint_end(session: Session, name: str, commit: bool) -> Operation[None]:
    """Release a savepoint, or roll back to it."""
    if not session.blocks:
        raise ProgrammingError(f"There is no transaction, and so no savepoint {name!r}.")
    session.version += 1
    yield Execute(f'RELEASE SAVEPOINT "{name}"' if commit else f'ROLLBACK TO SAVEPOINT "{name}"')
