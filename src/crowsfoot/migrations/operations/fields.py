"""Operations on the fields of a model."""

from __future__ import annotations

from typing import Any

from crowsfoot.migrations.changes import ModelChange
from crowsfoot.migrations.operations.base import Operation, OperationCategory
from crowsfoot.migrations.state import ProjectState, without_default
from crowsfoot.migrations.utils import field_names, models_of, replaced, together


class FieldOperation(Operation):
    """A step that begins at one field."""

    field: Any = None

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name = model_name
        self.name = name

    @property
    def model_name_lower(self) -> str:
        return self.model_name.lower()

    @property
    def name_lower(self) -> str:
        return self.name.lower()

    def is_same_model_operation(self, operation: FieldOperation) -> bool:
        return self.model_name_lower == operation.model_name_lower

    def is_same_field_operation(self, operation: FieldOperation) -> bool:
        return self.is_same_model_operation(operation) and self.name_lower == operation.name_lower

    def references_model(self, name: str, app_label: str) -> bool:
        if name.lower() == self.model_name_lower:
            return True
        return self.field is not None and (app_label, name.lower()) in models_of(
            self.field, app_label, self.model_name_lower
        )

    def references_field(self, model_name: str, name: str, app_label: str) -> bool:
        if model_name.lower() == self.model_name_lower:
            if name == self.name:
                return True
            if self.field is not None and name in (getattr(self.field, "from_fields", None) or ()):
                return True
        owner = (app_label, model_name.lower())
        return self.field is not None and field_names(self.field, app_label, self.model_name_lower, owner, name)

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        return super().reduce(operation, app_label) or not operation.references_field(
            self.model_name, self.name, app_label
        )

    def fields_after(self, fields: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """The fields of a model after this step."""
        raise NotImplementedError(f"{type(self).__name__} must say what becomes of the fields: fields_after().")

    def fold_into(self, creation: Any) -> dict[str, Any] | None:
        if creation.name_lower != self.model_name_lower:
            return None
        return {"fields": self.fields_after(creation.fields)}

    def change(self, app_label: str) -> ModelChange:
        key = (app_label, self.model_name_lower)
        one_off = None if self.field is None else (self.name, self.field)
        return ModelChange(key, key, one_off=one_off)


class AddField(FieldOperation):
    """Add a field. With ``preserve_default=False`` its default is for the rows that are there, and not kept."""

    category = OperationCategory.ADDITION

    def __init__(self, model_name: str, name: str, field: Any, preserve_default: bool = True) -> None:
        self.field = field
        self.preserve_default = preserve_default
        super().__init__(model_name, name)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.add_field(app_label, self.model_name_lower, self.name, self.field, self.preserve_default)

    def fields_after(self, fields: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        return [*fields, (self.name, without_default(self.field, self.preserve_default))]

    def describe(self) -> str:
        return f"Add field {self.name} to {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.model_name_lower}_{self.name_lower}"

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        if isinstance(operation, FieldOperation) and self.is_same_field_operation(operation):
            if isinstance(operation, AlterField):
                return [AddField(self.model_name, operation.name, operation.field, operation.preserve_default)]
            if isinstance(operation, RemoveField):
                return []
            if isinstance(operation, RenameField):
                return [AddField(self.model_name, operation.new_name, self.field, self.preserve_default)]
        return super().reduce(operation, app_label)


class RemoveField(FieldOperation):
    """Remove a field, its column and every value in it."""

    category = OperationCategory.REMOVAL

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.remove_field(app_label, self.model_name_lower, self.name)

    def fields_after(self, fields: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        return [(name, field) for name, field in fields if name.lower() != self.name_lower]

    def fold_into(self, creation: Any) -> dict[str, Any] | None:
        folded = super().fold_into(creation)
        if folded is not None:
            folded["options"] = options = dict(creation.options)
            if "unique_together" in options:
                sets = together(options["unique_together"])
                options["unique_together"] = {names for names in sets if self.name not in names}
            if options.get("order_with_respect_to") == self.name:
                del options["order_with_respect_to"]
        return folded

    def describe(self) -> str:
        return f"Remove field {self.name} from {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"remove_{self.model_name_lower}_{self.name_lower}"

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        if operation.deletes(self.model_name):
            return [operation]
        return super().reduce(operation, app_label)


class AlterField(FieldOperation):
    """Change a field to ``field``. With ``preserve_default=False`` its default is only for rows that held NULL."""

    category = OperationCategory.ALTERATION

    def __init__(self, model_name: str, name: str, field: Any, preserve_default: bool = True) -> None:
        self.field = field
        self.preserve_default = preserve_default
        super().__init__(model_name, name)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.alter_field(app_label, self.model_name_lower, self.name, self.field, self.preserve_default)

    def change(self, app_label: str) -> ModelChange:
        key = (app_label, self.model_name_lower)
        # Keys that refer to the column follow its type and its name.
        return ModelChange(key, key, one_off=(self.name, self.field), referring=True)

    def fields_after(self, fields: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        after = without_default(self.field, self.preserve_default)
        return [(name, after if name == self.name else field) for name, field in fields]

    def describe(self) -> str:
        return f"Alter field {self.name} on {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"alter_{self.model_name_lower}_{self.name_lower}"

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        if isinstance(operation, (AlterField, RemoveField)) and self.is_same_field_operation(operation):
            return [operation]
        if (
            isinstance(operation, RenameField)
            and self.is_same_field_operation(operation)
            and self.field.db_column is None
        ):
            return [operation, AlterField(self.model_name, operation.new_name, self.field, self.preserve_default)]
        return super().reduce(operation, app_label)


class RenameField(FieldOperation):
    """Rename a field, its column and all that is named after it."""

    category = OperationCategory.ALTERATION

    def __init__(self, model_name: str, old_name: str, new_name: str) -> None:
        self.old_name, self.new_name = old_name, new_name
        super().__init__(model_name, old_name)

    @property
    def old_name_lower(self) -> str:
        return self.old_name.lower()

    @property
    def new_name_lower(self) -> str:
        return self.new_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.rename_field(app_label, self.model_name_lower, self.old_name, self.new_name)

    def change(self, app_label: str) -> ModelChange:
        key = (app_label, self.model_name_lower)
        return ModelChange(key, key, {self.old_name: self.new_name}, referring=True)

    def references_field(self, model_name: str, name: str, app_label: str) -> bool:
        return self.references_model(model_name, app_label) and name.lower() in (
            self.old_name_lower,
            self.new_name_lower,
        )

    def fields_after(self, fields: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        return [(self.new_name if name == self.old_name else name, field) for name, field in fields]

    def fold_into(self, creation: Any) -> dict[str, Any] | None:
        folded = super().fold_into(creation)
        if folded is not None:
            folded["options"] = options = dict(creation.options)
            if "unique_together" in options:
                sets = together(options["unique_together"])
                options["unique_together"] = {replaced(names, self.old_name, self.new_name) for names in sets}
            if options.get("order_with_respect_to") == self.old_name:
                options["order_with_respect_to"] = self.new_name
        return folded

    def describe(self) -> str:
        return f"Rename field {self.old_name} on {self.model_name} to {self.new_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"rename_{self.old_name_lower}_{self.model_name_lower}_{self.new_name_lower}"

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        if (
            isinstance(operation, RenameField)
            and self.is_same_model_operation(operation)
            and self.new_name_lower == operation.old_name_lower
        ):
            return [RenameField(self.model_name, self.old_name, operation.new_name)]
        # What comes after the renaming knows the field by its new name alone.
        return Operation.reduce(self, operation, app_label) or not (
            operation.references_field(self.model_name, self.new_name, app_label)
            or operation.references_field(self.model_name, self.old_name, app_label)
        )
