"""`SchemaEditor`: runs the statements of operations in one transaction, or collects them."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from crowsfoot.connection import Connection
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

    def __init__(self, connection: Connection | Database, collect_sql: bool = False, atomic: bool = True) -> None:
        if isinstance(connection, Database):
            connection = Connection(connection)
        self.connection = connection
        self.database = connection.database
        self.collect_sql = collect_sql
        self.collected_sql: list[str] = []
        self.atomic_migration = atomic
        self.schema = Schema(self.database.dialect)
        self._unchecked = False
        self._begun = False

    # -- the transaction -----------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self.collect_sql:
            return self
        if self.database.dialect.rebuilds_tables and not self.database.session.in_atomic_block:
            self.database.run(_execute, ["PRAGMA foreign_keys = OFF"])
            self._unchecked = True
        try:
            if self.atomic_migration:
                self.database.run(enter)
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
        try:
            if error is None and self._unchecked:
                self.check_constraints()
        except BaseException:
            self.database.run_broken(leave, True)
            raise
        for callback in self.database.run_broken(leave, error is not None):
            callback.call()

    def _restore(self) -> None:
        if self._unchecked:
            self._unchecked = False
            self.database.run(_execute, ["PRAGMA legacy_alter_table = OFF", "PRAGMA foreign_keys = ON"])

    def check_constraints(self) -> None:
        """Raise ``IntegrityError`` that names the rows which refer to rows that are not there. One query."""
        broken = self.database.run(_fetch, "PRAGMA foreign_key_check")
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
        if self.collect_sql:
            self.collected_sql.append(_ended(str(sql)))
        else:
            self.connection.cursor().execute(str(sql), params)

    def script(self, sql: str) -> None:
        """Run several statements separated by semicolons."""
        if self.collect_sql:
            self.collected_sql.append(_ended(sql))
        else:
            self.database.run(_script, sql)

    def run(self, said: Statements) -> None:
        """Run schema statements. Raises ``NotSupportedError`` where SQLite would lose rows by them."""
        if self.collect_sql:
            self.collected_sql.extend(_ended(statement) for statement in said)
            return
        unsafe = said.needs_foreign_keys_off and not self._unchecked
        if unsafe and self.database.run(_fetch, "PRAGMA foreign_keys") == [(1,)]:
            raise NotSupportedError(
                "SQLite cannot change this table inside a transaction that has begun already: the rows that refer to "
                "it would be deleted. Change the schema outside of atomic()."
            )
        self.database.run(_execute, said)

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


def _execute(session: Session, statements: Sequence[str]) -> Operation[None]:
    for statement in statements:
        yield Execute(statement)
    session.wrote()


def _script(session: Session, sql: str) -> Operation[None]:
    yield Script(sql)
    session.wrote()


def _fetch(session: Session, sql: str) -> Operation[list[tuple[Any, ...]]]:
    return (yield Fetch(sql, (), lambda rows: [tuple(row) for row in rows]))
