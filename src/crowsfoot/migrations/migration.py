"""`Migration`: the class that a migration file holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from crowsfoot import timezones
from crowsfoot.conf import settings
from crowsfoot.migrations.exceptions import IrreversibleError
from crowsfoot.migrations.operations.base import Operation
from crowsfoot.migrations.schema import SchemaEditor
from crowsfoot.migrations.state import ProjectState

LONGEST_NAME = 52


class Migration:
    """A list of operations and what must come before them.

    ``dependencies`` and ``run_before`` are ``(app, name)`` pairs; ``replaces`` are the migrations that a squashed one
    stands for; ``initial`` marks one that creates an app's first tables (None: it depends on none of its own app);
    ``atomic=False`` runs it without a transaction.
    """

    operations: list[Operation] = []
    dependencies: list[tuple[str, str]] = []
    run_before: list[tuple[str, str]] = []
    replaces: list[tuple[str, str]] = []
    initial: bool | None = None
    atomic = True

    def __init__(self, name: str, app_label: str) -> None:
        self.name = name
        self.app_label = app_label
        self.operations = list(type(self).operations)
        self.dependencies = list(type(self).dependencies)
        self.run_before = list(type(self).run_before)
        self.replaces = list(type(self).replaces)

    @property
    def key(self) -> tuple[str, str]:
        return self.app_label, self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Migration) and self.key == other.key

    def __hash__(self) -> int:
        return hash(f"{self.app_label}.{self.name}")

    def __str__(self) -> str:
        return f"{self.app_label}.{self.name}"

    def __repr__(self) -> str:
        return f"<Migration {self}>"

    # -- on the state and on the database ------------------------------------------------------------------------------

    def mutate_state(self, project_state: ProjectState, preserve: bool = True) -> ProjectState:
        """The state after this migration: a changed copy, or ``project_state`` itself with ``preserve=False``."""
        state = project_state.clone() if preserve else project_state
        for operation in self.operations:
            operation.state_forwards(self.app_label, state)
        return state

    def apply(
        self, project_state: ProjectState, schema_editor: SchemaEditor, collect_sql: bool = False
    ) -> ProjectState:
        """Run the operations one after the other; returns the state behind the last."""
        state = project_state
        for operation in self.operations:
            after = state.clone()
            operation.state_forwards(self.app_label, after)
            self._run(operation, operation.database_forwards, schema_editor, state, after)
            state = after
        return state

    def unapply(
        self, project_state: ProjectState, schema_editor: SchemaEditor, collect_sql: bool = False
    ) -> ProjectState:
        """Take the operations back, the last first; ``project_state`` is the state before the migration, and returned.

        Raises ``IrreversibleError``, before anything has been run, for an operation that has no way back.
        """
        states = [project_state]
        for operation in self.operations:
            if not operation.reversible:
                raise IrreversibleError(
                    f"Operation {operation.describe()!r} in {self} is not reversible. Give it the way back "
                    "(reverse_code or reverse_sql), or migrate with --fake once you have undone it by hand."
                )
            states.append(states[-1].clone())
            operation.state_forwards(self.app_label, states[-1])
        for number, operation in reversed(list(enumerate(self.operations))):
            self._run(operation, operation.database_backwards, schema_editor, states[number + 1], states[number])
        return project_state

    def _run(
        self,
        operation: Operation,
        run: Callable[..., None],
        schema_editor: SchemaEditor,
        before: ProjectState,
        after: ProjectState,
    ) -> None:
        if schema_editor.collect_sql:
            schema_editor.collected_sql += ["--", f"-- {operation.describe()}", "--"]
            found = len(schema_editor.collected_sql)
            if not operation.reduces_to_sql:
                schema_editor.collected_sql.append("-- THIS OPERATION CANNOT BE WRITTEN AS SQL")
                return
            run(self.app_label, schema_editor, before, after)
            if len(schema_editor.collected_sql) == found:
                schema_editor.collected_sql.append("-- (no-op)")
            return
        try:
            if operation.atomic and not schema_editor.atomic_migration:
                # The migration has no transaction, this operation asks for one of its own.
                with SchemaEditor(schema_editor.connection) as inner:
                    run(self.app_label, inner, before, after)
            else:
                run(self.app_label, schema_editor, before, after)
        except Exception as error:
            error.add_note(f"This was at {operation.describe()!r} of the migration {self}.")
            raise

    # -- names ---------------------------------------------------------------------------------------------------------

    def suggest_name(self) -> str:
        """A name made of the operations: ``initial``, ``post_author``, ``post_author_and_more``."""
        if self.initial:
            return "initial"
        fragments = [re.sub(r"\W+", "_", f) for f in (o.migration_name_fragment for o in self.operations) if f]
        if not fragments or len(fragments) != len(self.operations):
            return f"auto_{timezones.now():%Y%m%d_%H%M}"
        name = fragments[0]
        for fragment in fragments[1:]:
            if len(f"{name}_{fragment}") > LONGEST_NAME:
                return f"{name}_and_more"
            name = f"{name}_{fragment}"
        return name


class SwappableTuple(tuple[str, str]):
    """A dependency on whatever a setting names; ``setting`` is the setting's name, so that writers keep it."""

    setting: str

    def __new__(cls, value: tuple[str, str], setting: str) -> SwappableTuple:
        self = tuple.__new__(cls, value)
        self.setting = setting
        return self


def swappable_dependency(value: str) -> SwappableTuple:
    """The dependency on the first migration of the app of a model named in a setting: ``settings.AUTH_USER_MODEL``."""
    setting = getattr(value, "setting_name", None) or _setting_of(value)
    return SwappableTuple((value.partition(".")[0], "__first__"), setting)


def _setting_of(value: str) -> str:
    """The setting that holds this model's name; AUTH_USER_MODEL first, as it is nearly always meant."""
    names: list[Any] = ["AUTH_USER_MODEL", *settings]
    return next((name for name in names if getattr(settings, name) == value), "AUTH_USER_MODEL")


__all__ = ["Migration", "SwappableTuple", "swappable_dependency"]
