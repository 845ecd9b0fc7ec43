"""`SchemaEditor`: runs the statements of operations in one transaction, or collects them."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from crowsfoot.database import Database
from crowsfoot.drivers.run import Execute, Fetch, Operation, Script
from crowsfoot.errors import IntegrityError, NotSupportedError
from crowsfoot.migrations.changes import ModelChange, statements
from crowsfoot.migrations.state import ProjectState
from crowsfoot.models.tables import complete
from crowsfoot.persistence.session import Session, enter, leave
from crowsfoot.sql.ddl import Schema, Statements

MOST_ROWS = 5


class SchemaEditor:
    """What an operation talks to. As a context manager it is one transaction on the current thread's connection.

    On SQLite a table is changed by making a new one, which must not touch the rows that refer to it. So foreign keys
    are off meanwhile; before the end every one of them is checked, and a row that refers to nothing undoes the whole.

    With ``collect_sql`` nothing is run: the statements are kept in ``collected_sql``. With ``atomic=False`` every
    statement stands for itself.
    """

    def __init__(self, connection: Database, collect_sql: bool = False, atomic: bool = True) -> None:
        self.connection = connection
        self.collect_sql = collect_sql
        self.collected_sql: list[str] = []
        self.atomic_migration = atomic
        self.schema = Schema(connection.dialect)
        self._unchecked = False
        self._begun = False

    # -- the transaction -----------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self.collect_sql:
            return self
        if self.connection.dialect.rebuilds_tables and not self.connection.session.in_atomic_block:
            self.connection.run(_execute, ["PRAGMA foreign_keys = OFF"])
            self._unchecked = True
        try:
            if self.atomic_migration:
                self.connection.run(enter)
                self._begun = True
        except BaseException:
            self._restore()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.collect_sql:
            return
        try:
            if self._begun:
                self._end(error)
        finally:
            self._restore()

    def _end(self, error: BaseException | None) -> None:
        self._begun = False
        session = self.connection.session
        try:
            if error is None and self._unchecked:
                self.check_constraints()
        except BaseException:
            _drive(self.connection, session, leave(session, True))
            raise
        for callback, _ in _drive(self.connection, session, leave(session, error is not None)):
            callback()

    def _restore(self) -> None:
        if self._unchecked:
            self._unchecked = False
            self.connection.run(_execute, ["PRAGMA legacy_alter_table = OFF", "PRAGMA foreign_keys = ON"])

    def check_constraints(self) -> None:
        """Raise ``IntegrityError`` that names the rows which refer to rows that are not there. One query."""
        broken = self.connection.run(_fetch, "PRAGMA foreign_key_check")
        if broken:
            listed = [f"row {rowid} of {table} refers to a row of {parent}" for table, rowid, parent, _ in broken]
            more = f", and {len(listed) - MOST_ROWS} more" if len(listed) > MOST_ROWS else ""
            raise IntegrityError(
                f"FOREIGN KEY constraint failed: {'; '.join(listed[:MOST_ROWS])}{more}, which is not there. Nothing "
                "has been changed. Delete those rows or give them a row to refer to, then migrate again."
            )

    # -- statements ----------------------------------------------------------------------------------------------------

    def execute(self, sql: str, params: Sequence[Any] | None = ()) -> None:
        """Run one statement, with ``%s`` for each of ``params``; where these are None, a per cent sign is itself."""
        sql = str(sql)
        if self.collect_sql:
            self.collected_sql.append(_ended(sql))
        elif params:
            self.connection.run(_execute_one, self.connection.dialect.finish(sql, len(params)), params)
        else:
            self.connection.run(_execute, [sql if params is None else sql.replace("%%", "%")])

    def script(self, sql: str) -> None:
        """Run several statements separated by semicolons."""
        if self.collect_sql:
            self.collected_sql.append(_ended(sql))
        else:
            self.connection.run(_script, sql)

    def run(self, said: Statements) -> None:
        """Run schema statements. Raises ``NotSupportedError`` where SQLite would lose rows by them."""
        if self.collect_sql:
            self.collected_sql.extend(_ended(statement) for statement in said)
            return
        unsafe = said.needs_foreign_keys_off and not self._unchecked
        if unsafe and self.connection.run(_fetch, "PRAGMA foreign_keys") == [(1,)]:
            raise NotSupportedError(
                "SQLite cannot change this table inside a transaction that has begun already: the rows that refer to "
                "it would be deleted. Change the schema outside of atomic()."
            )
        self.connection.run(_execute, said)

    def change(self, from_state: ProjectState, to_state: ProjectState, change: ModelChange) -> None:
        """Bring the tables of one model, and those that follow it, from one state to the other."""
        self.run(statements(self.schema, self.connection.alias, from_state, to_state, change))

    # -- model classes, as Django's editor has them --------------------------------------------------------------------

    def create_model(self, model: Any) -> None:
        """Create the table of a model class, and the link tables of its many-to-many fields."""
        self.run(self.schema.create_tables([complete(model), *map(complete, _links(model))]))

    def delete_model(self, model: Any) -> None:
        """Drop the table of a model class, and the link tables of its many-to-many fields."""
        self.run(self.schema.drop_tables([complete(model), *map(complete, _links(model))]))


def _links(model: Any) -> list[Any]:
    links = [field.link_model for field in model._meta.local_many_to_many]
    return [link for link in links if link is not None and link._meta.auto_created]


def _ended(statement: str) -> str:
    return statement if statement.rstrip().endswith(";") or statement.startswith("--") else f"{statement};"


def _drive(connection: Database, session: Session, operation: Operation[Any]) -> Any:
    """Run an operation even where the transaction can only be rolled back, as ending it must be possible."""
    session.needs_rollback, broken = False, session.needs_rollback

    def resumed(_: Session) -> Operation[Any]:
        session.needs_rollback = broken
        return (yield from operation)

    return connection.run(resumed)


def _execute(session: Session, statements: Sequence[str]) -> Operation[None]:
    for statement in statements:
        yield Execute(statement)
    session.version += 1


def _execute_one(session: Session, sql: str, params: Sequence[Any]) -> Operation[None]:
    yield Execute(sql, params)
    session.version += 1


def _script(session: Session, sql: str) -> Operation[None]:
    yield Script(sql)
    session.version += 1


def _fetch(session: Session, sql: str) -> Operation[list[tuple[Any, ...]]]:
    return (yield Fetch(sql, (), lambda rows: [tuple(row) for row in rows]))
