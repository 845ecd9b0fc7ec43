"""Steps of migrations that leave a table usable meanwhile: indexes are built and dropped CONCURRENTLY."""

from __future__ import annotations

import re
from typing import Any

from crowsfoot.errors import NotSupportedError
from crowsfoot.migrations.changes import ModelChange, statements
from crowsfoot.migrations.operations import AddIndex, RemoveIndex
from crowsfoot.migrations.operations.indexes import IndexOperation
from crowsfoot.migrations.state import ProjectState
from crowsfoot.sql.ddl import Statements

OF_AN_INDEX = re.compile(r"^(CREATE (?:UNIQUE )?INDEX|DROP INDEX)\b")


class Concurrently(IndexOperation):
    """A step on an index while others read and write the table. On SQLite it is the plain step."""

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._run(schema_editor, from_state, to_state, self.change(app_label))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        change = self.change(app_label)
        self._run(schema_editor, from_state, to_state, None if change is None else change.reversed())

    def _run(
        self, schema_editor: Any, from_state: ProjectState, to_state: ProjectState, change: ModelChange | None
    ) -> None:
        if schema_editor.connection.in_atomic_block:
            raise NotSupportedError(
                f"The {type(self).__name__} operation cannot be executed inside a transaction: PostgreSQL builds such "
                "an index in several. Write atomic = False in the migration, and other steps into one of their own."
            )
        if change is None:
            return
        said = statements(schema_editor.schema, schema_editor.connection.alias, from_state, to_state, change)
        if schema_editor.connection.vendor == "postgresql":
            said = Statements(OF_AN_INDEX.sub(r"\1 CONCURRENTLY", statement) for statement in said)
        schema_editor.run(said)


class AddIndexConcurrently(Concurrently, AddIndex):
    """Add an index, which must have a name, CONCURRENTLY: writes go on, and it takes longer.

    Needs a migration with ``atomic = False``. Where it fails half-way PostgreSQL leaves an invalid index behind, to be
    dropped by its name.
    """

    def describe(self) -> str:
        return f"Concurrently {super().describe()[0].lower()}{super().describe()[1:]}"


class RemoveIndexConcurrently(Concurrently, RemoveIndex):
    """Remove the index of this name CONCURRENTLY. Needs a migration with ``atomic = False``."""

    def describe(self) -> str:
        return f"Concurrently {super().describe()[0].lower()}{super().describe()[1:]}"
