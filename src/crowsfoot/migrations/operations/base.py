"""`Operation`: one step of a migration, on the models' state and on the database."""

from __future__ import annotations

import enum
import inspect
from typing import Any, ClassVar, Self

from crowsfoot.migrations.changes import ModelChange
from crowsfoot.migrations.state import ProjectState
from crowsfoot.models import routing


class OperationCategory(enum.StrEnum):
    """The kinds of operations, with the mark that stands before each in lists."""

    ADDITION = "+"
    REMOVAL = "-"
    ALTERATION = "~"
    PYTHON = "p"
    SQL = "s"
    MIXED = "?"


class Operation:
    """One step. ``state_forwards`` changes the state; ``database_forwards`` and ``database_backwards`` bring the
    database after it, by an editor (`SchemaEditor`).

    Most steps say what they are to the tables by ``change`` and inherit both ways. The names of ``__init__``'s
    parameters are the attributes that ``deconstruct`` reads.
    """

    reversible = True
    reduces_to_sql = True
    atomic = False
    elidable = False
    serialization_expand_args: ClassVar[list[str]] = []
    category: ClassVar[OperationCategory | None] = None

    # -- what it does --------------------------------------------------------------------------------------------------

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change ``state`` as this step does."""
        raise NotImplementedError(f"{type(self).__name__} must say what it does to the state: state_forwards().")

    def change(self, app_label: str) -> ModelChange | None:
        """What the step changes in the tables; None for nothing."""
        return None

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Change the database as ``to_state`` (after this step) differs from ``from_state``."""
        change = self.change(app_label)
        if change is not None:
            schema_editor.change(from_state, to_state, change)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """The way back: ``from_state`` is the state after this step, ``to_state`` the one before it."""
        change = self.change(app_label)
        if change is not None:
            schema_editor.change(from_state, to_state, change.reversed())

    # -- what it is called ---------------------------------------------------------------------------------------------

    def describe(self) -> str:
        """One line for people."""
        return f"{type(self).__name__}: {self._constructor_args}"

    def formatted_description(self) -> str:
        """``describe()`` with the mark of its category."""
        return f"{(self.category or OperationCategory.MIXED).value} {self.describe()}"

    @property
    def migration_name_fragment(self) -> str | None:
        """What this step adds to the name of a migration; None where it says nothing."""
        return None

    # -- as a value ----------------------------------------------------------------------------------------------------

    _constructor_args: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = object.__new__(cls)
        self._constructor_args = (args, kwargs)
        return self

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """``(class name, args, kwargs)`` that make an equal operation; what is as by default is left out."""
        kwargs: dict[str, Any] = {}
        for parameter in list(inspect.signature(type(self).__init__).parameters.values())[1:]:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or not hasattr(self, parameter.name):
                args, given = self._constructor_args  # an operation of somebody's own, which keeps them elsewhere
                return type(self).__name__, list(args), dict(given)
            value = getattr(self, parameter.name)
            default = parameter.default
            if default is parameter.empty or not (value == default or (default is None and not value)):
                kwargs[parameter.name] = value
        return type(self).__name__, [], kwargs

    def __repr__(self) -> str:
        name, args, kwargs = self.deconstruct()
        given = [*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())]
        return f"<{name} {', '.join(given)}>"

    # -- optimizing ----------------------------------------------------------------------------------------------------

    def references_model(self, name: str, app_label: str) -> bool:
        """Whether the step may have to do with the model ``app_label.name``; True where it cannot be told."""
        return True

    def references_field(self, model_name: str, name: str, app_label: str) -> bool:
        """Whether the step may have to do with this field; True where it cannot be told."""
        return self.references_model(model_name, app_label)

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        """This step and a later one as one list; True where they may change places, False where neither."""
        if self.elidable:
            return [operation]
        if operation.elidable:
            return [self]
        return False

    def deletes(self, model_name: str) -> bool:
        """Whether the step is the end of this model of its app."""
        return False

    def fold_into(self, creation: Any) -> dict[str, Any] | None:
        """What a `CreateModel` right before this step would say otherwise, were both one; None where they cannot be."""
        return None

    def allow_migrate_model(self, connection_alias: str, model: Any) -> bool:
        """Whether a model's table belongs into a database and is looked after by migrations."""
        if not model._meta.can_migrate(connection_alias):
            return False
        return routing.allow_migrate(
            connection_alias, model._meta.app_label, model_name=model._meta.model_name, model=model
        )
