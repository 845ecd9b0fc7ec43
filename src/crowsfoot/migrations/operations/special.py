"""Operations that a person writes: SQL, Python, and states that differ from databases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from crowsfoot.migrations.operations.base import Operation, OperationCategory
from crowsfoot.migrations.state import ProjectState
from crowsfoot.models import routing


class SeparateDatabaseAndState(Operation):
    """Steps for the database alone and steps for the state alone, where the two must differ."""

    category = OperationCategory.MIXED
    serialization_expand_args: ClassVar = ["database_operations", "state_operations"]

    def __init__(
        self,
        database_operations: Iterable[Operation] | None = None,
        state_operations: Iterable[Operation] | None = None,
    ) -> None:
        self.database_operations = list(database_operations or [])
        self.state_operations = list(state_operations or [])

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for operation in self.state_operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        # The database's own steps follow a state of their own.
        state = from_state
        for operation in self.database_operations:
            after = state.clone()
            operation.state_forwards(app_label, after)
            operation.database_forwards(app_label, schema_editor, state, after)
            state = after

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        states = [to_state]
        for operation in self.database_operations:
            states.append(states[-1].clone())
            operation.state_forwards(app_label, states[-1])
        for number, operation in reversed(list(enumerate(self.database_operations))):
            operation.database_backwards(app_label, schema_editor, states[number + 1], states[number])

    def describe(self) -> str:
        return "Custom state/database change combination"


class RunSQL(Operation):
    """Run SQL. Give one text, or a list of texts and of ``(text, params)``; the way back is ``reverse_sql``.

    ``state_operations`` say what the SQL does to the models.
    """

    category = OperationCategory.SQL
    noop = ""

    def __init__(
        self,
        sql: Any,
        reverse_sql: Any = None,
        state_operations: Iterable[Operation] | None = None,
        hints: Mapping[str, Any] | None = None,
        elidable: bool = False,
    ) -> None:
        self.sql, self.reverse_sql = sql, reverse_sql
        self.state_operations = list(state_operations or [])
        self.hints = dict(hints or {})
        self.elidable = elidable

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs: dict[str, Any] = {"sql": self.sql}
        if self.reverse_sql is not None:
            kwargs["reverse_sql"] = self.reverse_sql
        if self.state_operations:
            kwargs["state_operations"] = self.state_operations
        if self.hints:
            kwargs["hints"] = self.hints
        return type(self).__name__, [], kwargs

    @property
    def reversible(self) -> bool:  # type: ignore[override]
        return self.reverse_sql is not None

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for operation in self.state_operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if routing.allow_migrate(schema_editor.connection.alias, app_label, **self.hints):
            self._run(schema_editor, self.sql)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if self.reverse_sql is None:
            raise NotImplementedError("You cannot reverse this operation: RunSQL has no reverse_sql.")
        if routing.allow_migrate(schema_editor.connection.alias, app_label, **self.hints):
            self._run(schema_editor, self.reverse_sql)

    def _run(self, schema_editor: Any, sql: Any) -> None:
        if isinstance(sql, str):
            if sql != self.noop:
                schema_editor.script(sql)
            return
        for part in sql:
            if isinstance(part, str):
                schema_editor.execute(part, None)
            elif len(part) == 2:
                schema_editor.execute(part[0], part[1])
            else:
                raise ValueError(
                    f"Expected a 2-tuple but got {len(part)}: RunSQL takes texts and (text, params) pairs."
                )

    def describe(self) -> str:
        return "Raw SQL operation"


class RunPython(Operation):
    """Call ``code(apps, schema_editor)``; ``apps.get_model("app", "Model")`` is the model as it is at that point.

    The way back is ``reverse_code``. ``atomic=False`` leaves it out of the transaction where the migration has none.
    """

    category = OperationCategory.PYTHON
    reduces_to_sql = False

    def __init__(
        self,
        code: Callable[[Any, Any], Any],
        reverse_code: Callable[[Any, Any], Any] | None = None,
        atomic: bool | None = None,
        hints: Mapping[str, Any] | None = None,
        elidable: bool = False,
    ) -> None:
        for given, what in ((code, "code"), (reverse_code, "reverse_code")):
            if given is not None and not callable(given):
                raise ValueError(f"RunPython must be supplied with callable arguments, not {what}={given!r}.")
        if code is None:
            raise ValueError("RunPython must be supplied with a callable.")
        self.atomic = atomic  # type: ignore[assignment]
        self.code, self.reverse_code = code, reverse_code
        self.hints = dict(hints or {})
        self.elidable = elidable

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs: dict[str, Any] = {"code": self.code}
        if self.reverse_code is not None:
            kwargs["reverse_code"] = self.reverse_code
        if self.atomic is not None:
            kwargs["atomic"] = self.atomic
        if self.hints:
            kwargs["hints"] = self.hints
        return type(self).__name__, [], kwargs

    @property
    def reversible(self) -> bool:  # type: ignore[override]
        return self.reverse_code is not None

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Python code changes rows, not models."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if routing.allow_migrate(schema_editor.connection.alias, app_label, **self.hints):
            self.code(from_state.apps, schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if self.reverse_code is None:
            raise NotImplementedError("You cannot reverse this operation: RunPython has no reverse_code.")
        if routing.allow_migrate(schema_editor.connection.alias, app_label, **self.hints):
            self.reverse_code(from_state.apps, schema_editor)

    def describe(self) -> str:
        return "Raw Python operation"

    @staticmethod
    def noop(apps: Any, schema_editor: Any) -> None:
        """Do nothing: for the way back of code that needs none."""


__all__ = ["RunPython", "RunSQL", "SeparateDatabaseAndState"]
