"""Operations on the indexes and constraints of a model."""

from __future__ import annotations

from typing import Any, ClassVar

from crowsfoot.migrations.changes import ModelChange
from crowsfoot.migrations.operations.base import Operation, OperationCategory
from crowsfoot.migrations.state import ProjectState
from crowsfoot.models.indexes import Index


class IndexOperation(Operation):
    """A step on one entry of ``Meta.indexes`` or ``Meta.constraints``."""

    option_name: ClassVar[str] = "indexes"
    model_name: str

    @property
    def model_name_lower(self) -> str:
        return self.model_name.lower()

    def references_model(self, name: str, app_label: str) -> bool:
        return name.lower() == self.model_name_lower

    def change(self, app_label: str) -> ModelChange | None:
        key = (app_label, self.model_name_lower)
        return ModelChange(key, key)

    def entries_after(self, entries: list[Any]) -> list[Any] | None:
        """The entries of the option after this step; None where they cannot be told without the state."""
        return None

    def fold_into(self, creation: Any) -> dict[str, Any] | None:
        if creation.name_lower != self.model_name_lower:
            return None
        entries = self.entries_after(list(creation.options.get(self.option_name, [])))
        return None if entries is None else {"options": {**creation.options, self.option_name: entries}}


class AddIndex(IndexOperation):
    """Add an index, which must have a name."""

    category = OperationCategory.ADDITION

    def __init__(self, model_name: str, index: Any) -> None:
        if not index.name:
            raise ValueError(
                f"Indexes passed to AddIndex operations require a name argument. {index!r} doesn't have one."
            )
        self.model_name, self.index = model_name, index

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.add_index(app_label, self.model_name_lower, self.index)

    def entries_after(self, entries: list[Any]) -> list[Any]:
        return [*entries, self.index]

    def describe(self) -> str:
        if self.index.expressions:
            said = ", ".join(str(expression) for expression in self.index.expressions)
            return f"Create index {self.index.name} on {said} on model {self.model_name}"
        return f"Create index {self.index.name} on field(s) {', '.join(self.index.fields)} of model {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.model_name_lower}_{self.index.name.lower()}"

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        if isinstance(operation, RemoveIndex) and self.index.name == operation.name:
            return []
        if isinstance(operation, RenameIndex) and self.index.name == operation.old_name:
            index = self.index.clone()
            index.name = operation.new_name
            return [AddIndex(self.model_name, index)]
        return super().reduce(operation, app_label)


class RemoveIndex(IndexOperation):
    """Remove the index of this name."""

    category = OperationCategory.REMOVAL

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name, self.name = model_name, name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.remove_index(app_label, self.model_name_lower, self.name)

    def entries_after(self, entries: list[Any]) -> list[Any]:
        return [index for index in entries if index.name != self.name]

    def describe(self) -> str:
        return f"Remove index {self.name} from {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"remove_{self.model_name_lower}_{self.name.lower()}"


class RenameIndex(IndexOperation):
    """Rename the index ``old_name``. ``old_fields`` means an ``index_together`` of Django before 5.1 instead."""

    category = OperationCategory.ALTERATION

    def __init__(self, model_name: str, new_name: str, old_name: str | None = None, old_fields: Any = None) -> None:
        if not old_name and not old_fields:
            raise ValueError("RenameIndex requires one of old_name and old_fields arguments to be set.")
        if old_name and old_fields:
            raise ValueError("RenameIndex.old_name and old_fields are mutually exclusive.")
        self.model_name, self.new_name, self.old_name, self.old_fields = model_name, new_name, old_name, old_fields

    @property
    def old_name_lower(self) -> str:
        return self.old_name.lower() if self.old_name else ""

    @property
    def new_name_lower(self) -> str:
        return self.new_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        if self.old_name:
            state.rename_index(app_label, self.model_name_lower, self.old_name, self.new_name)
            return
        state.remove_model_options(app_label, self.model_name_lower, "index_together", self.old_fields)
        state.add_index(app_label, self.model_name_lower, Index(fields=self.old_fields, name=self.new_name))

    def entries_after(self, entries: list[Any]) -> list[Any] | None:
        if not self.old_name:
            return None
        found = []
        for index in entries:
            kept = index
            if index.name == self.old_name:
                kept = index.clone()
                kept.name = self.new_name
            found.append(kept)
        return found

    def describe(self) -> str:
        if self.old_name:
            return f"Rename index {self.old_name} on {self.model_name} to {self.new_name}"
        listed = ", ".join(self.old_fields)
        return f"Rename unnamed index for {listed} on {self.model_name} to {self.new_name}"

    @property
    def migration_name_fragment(self) -> str:
        before = self.old_name_lower or f"{self.model_name_lower}_{'_'.join(self.old_fields)}"
        return f"rename_{before}_{self.new_name_lower}"

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        if (
            isinstance(operation, RenameIndex)
            and self.model_name_lower == operation.model_name_lower
            and operation.old_name_lower == self.new_name_lower
        ):
            return [RenameIndex(self.model_name, operation.new_name, self.old_name, self.old_fields)]
        return super().reduce(operation, app_label)


class AddConstraint(IndexOperation):
    """Add a constraint. Rows that break it stop the migration, and nothing is changed."""

    category = OperationCategory.ADDITION
    option_name = "constraints"

    def __init__(self, model_name: str, constraint: Any) -> None:
        self.model_name, self.constraint = model_name, constraint

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.add_constraint(app_label, self.model_name_lower, self.constraint)

    def entries_after(self, entries: list[Any]) -> list[Any]:
        return [*entries, self.constraint]

    def describe(self) -> str:
        return f"Create constraint {self.constraint.name} on model {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.model_name_lower}_{self.constraint.name.lower()}"

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        if self._is_about(operation):
            if isinstance(operation, RemoveConstraint):
                return []
            if isinstance(operation, AlterConstraint):
                return [AddConstraint(self.model_name, operation.constraint)]
        return super().reduce(operation, app_label)

    def _is_about(self, operation: Operation) -> bool:
        return (
            isinstance(operation, (RemoveConstraint, AlterConstraint))
            and self.model_name_lower == operation.model_name_lower
            and self.constraint.name == operation.name
        )


class RemoveConstraint(IndexOperation):
    """Remove the constraint of this name."""

    category = OperationCategory.REMOVAL
    option_name = "constraints"

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name, self.name = model_name, name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.find(app_label, self.model_name_lower).get_constraint_by_name(self.name)
        state.remove_constraint(app_label, self.model_name_lower, self.name)

    def entries_after(self, entries: list[Any]) -> list[Any]:
        return [constraint for constraint in entries if constraint.name != self.name]

    def describe(self) -> str:
        return f"Remove constraint {self.name} from model {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"remove_{self.model_name_lower}_{self.name.lower()}"


class AlterConstraint(IndexOperation):
    """Change what the database does not hold of a constraint, such as its error message."""

    category = OperationCategory.ALTERATION
    option_name = "constraints"

    def __init__(self, model_name: str, name: str, constraint: Any) -> None:
        self.model_name, self.name, self.constraint = model_name, name, constraint

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.alter_constraint(app_label, self.model_name_lower, self.name, self.constraint)

    def change(self, app_label: str) -> None:
        return None

    def entries_after(self, entries: list[Any]) -> list[Any]:
        return [self.constraint if constraint.name == self.name else constraint for constraint in entries]

    def describe(self) -> str:
        return f"Alter constraint {self.name} on {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"alter_{self.model_name_lower}_{self.constraint.name.lower()}"

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        same = isinstance(operation, (AlterConstraint, RemoveConstraint)) and (
            (operation.model_name_lower, operation.name) == (self.model_name_lower, self.name)
        )
        return [operation] if same else super().reduce(operation, app_label)
