"""Operations on whole models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from crowsfoot.migrations.changes import ModelChange
from crowsfoot.migrations.modelstate import ModelState
from crowsfoot.migrations.operations.base import Operation, OperationCategory
from crowsfoot.migrations.state import ProjectState
from crowsfoot.migrations.utils import models_of, resolve, together
from crowsfoot.models.model import Model


class ModelOperation(Operation):
    """A step that begins at one model."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def name_lower(self) -> str:
        return self.name.lower()

    def references_model(self, name: str, app_label: str) -> bool:
        return name.lower() == self.name_lower

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        return super().reduce(operation, app_label) or self.can_reduce_through(operation, app_label)

    def can_reduce_through(self, operation: Operation, app_label: str) -> bool:
        """Whether ``operation`` has nothing to do with this model, so that both may change places."""
        return not operation.references_model(self.name, app_label)


class CreateModel(ModelOperation):
    """Create a model and its table. ``fields`` and ``managers`` are pairs of name and value."""

    category = OperationCategory.ADDITION
    serialization_expand_args: ClassVar = ["fields", "options", "managers"]

    def __init__(
        self,
        name: str,
        fields: Iterable[tuple[str, Any]],
        options: Mapping[str, Any] | None = None,
        bases: tuple[Any, ...] | None = None,
        managers: Iterable[tuple[str, Any]] | None = None,
    ) -> None:
        self.fields = list(fields)
        self.options = dict(options or {})
        self.bases = tuple(bases) if bases else (Model,)
        self.managers = list(managers or [])
        super().__init__(name)
        refuse_twice((name for name, _ in self.fields), f"a field of {name}")
        refuse_twice((b if isinstance(b, str) else b.__name__ for b in self.bases), f"a base of {name}")
        refuse_twice((name for name, _ in self.managers), f"a manager of {name}")

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        name, args, kwargs = super().deconstruct()
        if self.bases == (Model,):
            del kwargs["bases"]
        return name, args, kwargs

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.add_model(
            ModelState(app_label, self.name, self.fields, dict(self.options), self.bases, list(self.managers))
        )

    def change(self, app_label: str) -> ModelChange:
        return ModelChange(None, (app_label, self.name_lower))

    def describe(self) -> str:
        return f"Create {'proxy ' if self.options.get('proxy') else ''}model {self.name}"

    @property
    def migration_name_fragment(self) -> str:
        return self.name_lower

    def references_model(self, name: str, app_label: str) -> bool:
        if name.lower() == self.name_lower:
            return True
        wanted = (app_label, name.lower())
        if any(isinstance(base, str) and resolve(base, app_label, self.name) == wanted for base in self.bases):
            return True
        return any(wanted in models_of(field, app_label, self.name) for _, field in self.fields)

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        if isinstance(operation, DeleteModel) and operation.name_lower == self.name_lower and not self._is_proxy():
            return []
        if isinstance(operation, RenameModel) and operation.old_name_lower == self.name_lower:
            return [CreateModel(operation.new_name, self.fields, self.options, self.bases, self.managers)]
        folded = operation.fold_into(self)
        if folded is not None:
            same: dict[str, Any] = {
                "fields": self.fields,
                "options": self.options,
                "bases": self.bases,
                "managers": self.managers,
            }
            return [CreateModel(self.name, **{**same, **folded})]
        return super().reduce(operation, app_label)

    def _is_proxy(self) -> bool:
        return bool(self.options.get("proxy", False))


class DeleteModel(ModelOperation):
    """Delete a model and its table, with every row."""

    category = OperationCategory.REMOVAL

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.remove_model(app_label, self.name)

    def change(self, app_label: str) -> ModelChange:
        return ModelChange((app_label, self.name_lower), None)

    def references_model(self, name: str, app_label: str) -> bool:
        return True  # which models this one pointed at cannot be told any more

    def deletes(self, model_name: str) -> bool:
        return model_name.lower() == self.name_lower

    def describe(self) -> str:
        return f"Delete model {self.name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"delete_{self.name_lower}"


class RenameModel(ModelOperation):
    """Rename a model, its table and all that is named after it."""

    category = OperationCategory.ALTERATION

    def __init__(self, old_name: str, new_name: str) -> None:
        self.old_name, self.new_name = old_name, new_name
        super().__init__(old_name)

    @property
    def old_name_lower(self) -> str:
        return self.old_name.lower()

    @property
    def new_name_lower(self) -> str:
        return self.new_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.rename_model(app_label, self.old_name, self.new_name)

    def change(self, app_label: str) -> ModelChange:
        return ModelChange((app_label, self.old_name_lower), (app_label, self.new_name_lower), referring=True)

    def references_model(self, name: str, app_label: str) -> bool:
        return name.lower() in (self.old_name_lower, self.new_name_lower)

    def describe(self) -> str:
        return f"Rename model {self.old_name} to {self.new_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"rename_{self.old_name_lower}_{self.new_name_lower}"

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        if isinstance(operation, RenameModel) and self.new_name_lower == operation.old_name_lower:
            return [RenameModel(self.old_name, operation.new_name)]
        # What comes after the renaming knows the model by its new name alone.
        return Operation.reduce(self, operation, app_label) or not operation.references_model(self.new_name, app_label)


class ModelOptionOperation(ModelOperation):
    """A step that sets something of a model as a whole: a later one of the same kind replaces it."""

    category = OperationCategory.ALTERATION

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        same = isinstance(operation, (type(self), DeleteModel)) and operation.name_lower == self.name_lower
        return [operation] if same else super().reduce(operation, app_label)

    def change(self, app_label: str) -> ModelChange | None:
        key = (app_label, self.name_lower)
        return ModelChange(key, key)

    def options_after(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a model after this step."""
        return {**options, **self.option_values}

    @property
    def option_values(self) -> dict[str, Any]:
        """The options that the step sets."""
        return {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.alter_model_options(app_label, self.name_lower, self.option_values)

    def fold_into(self, creation: Any) -> dict[str, Any] | None:
        if creation.name_lower != self.name_lower:
            return None
        return {"options": self.options_after(creation.options)}


class AlterModelTable(ModelOptionOperation):
    """Rename a model's table; None gives it the name that it has by default."""

    def __init__(self, name: str, table: str | None) -> None:
        self.table = table
        super().__init__(name)

    @property
    def option_values(self) -> dict[str, Any]:
        return {"db_table": self.table}

    def change(self, app_label: str) -> ModelChange:
        key = (app_label, self.name_lower)
        return ModelChange(key, key, referring=True)

    def describe(self) -> str:
        return f"Rename table for {self.name} to {self.table if self.table is not None else '(default)'}"

    @property
    def migration_name_fragment(self) -> str:
        return f"alter_{self.name_lower}_table"


class AlterModelTableComment(ModelOptionOperation):
    """Change the comment on a model's table, where the database has comments."""

    def __init__(self, name: str, table_comment: str | None) -> None:
        self.table_comment = table_comment
        super().__init__(name)

    @property
    def option_values(self) -> dict[str, Any]:
        return {"db_table_comment": self.table_comment}

    def describe(self) -> str:
        return f"Alter {self.name} table comment"

    @property
    def migration_name_fragment(self) -> str:
        return f"alter_{self.name_lower}_table_comment"


class AlterTogetherOptionOperation(ModelOptionOperation):
    """Change an option that is a set of field names, or several."""

    option_name: ClassVar[str]
    option_value: set[tuple[str, ...]]

    @property
    def option_values(self) -> dict[str, Any]:
        return {self.option_name: self.option_value}

    def references_field(self, model_name: str, name: str, app_label: str) -> bool:
        if not self.references_model(model_name, app_label):
            return False
        return not self.option_value or any(name in names for names in self.option_value)

    def can_reduce_through(self, operation: Operation, app_label: str) -> bool:
        same = isinstance(operation, AlterTogetherOptionOperation) and type(operation) is not type(self)
        return super().can_reduce_through(operation, app_label) or same

    def describe(self) -> str:
        return f"Alter {self.option_name} for {self.name} ({len(self.option_value)} constraint(s))"

    @property
    def migration_name_fragment(self) -> str:
        return f"alter_{self.name_lower}_{self.option_name}"


class AlterUniqueTogether(AlterTogetherOptionOperation):
    """Change which sets of fields are unique together. Use ``UniqueConstraint`` in new models."""

    option_name = "unique_together"

    def __init__(self, name: str, unique_together: Any) -> None:
        self.unique_together = self.option_value = together(unique_together)
        super().__init__(name)


class AlterIndexTogether(AlterTogetherOptionOperation):
    """For migrations of Django before 5.1, which wrote indexes this way."""

    option_name = "index_together"

    def __init__(self, name: str, index_together: Any) -> None:
        self.index_together = self.option_value = together(index_together)
        super().__init__(name)


class AlterOrderWithRespectTo(ModelOptionOperation):
    """Give a model an order of its own for each row of another, kept in the column ``_order``; or take it away."""

    option_name = "order_with_respect_to"

    def __init__(self, name: str, order_with_respect_to: str | None) -> None:
        self.order_with_respect_to = order_with_respect_to
        super().__init__(name)

    @property
    def option_values(self) -> dict[str, Any]:
        return {self.option_name: self.order_with_respect_to}

    def references_field(self, model_name: str, name: str, app_label: str) -> bool:
        named = self.order_with_respect_to is None or name == self.order_with_respect_to
        return self.references_model(model_name, app_label) and named

    def describe(self) -> str:
        return f"Set order_with_respect_to on {self.name} to {self.order_with_respect_to}"

    @property
    def migration_name_fragment(self) -> str:
        return f"alter_{self.name_lower}_order_with_respect_to"


class AlterModelOptions(ModelOptionOperation):
    """Change options of ``Meta`` that are nothing to the table."""

    ALTER_OPTION_KEYS: ClassVar = [
        "base_manager_name", "default_manager_name", "default_related_name", "get_latest_by", "managed", "ordering",
        "permissions", "default_permissions", "select_on_save", "verbose_name", "verbose_name_plural",
    ]  # fmt: skip

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.options = dict(options)
        super().__init__(name)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.alter_model_options(app_label, self.name_lower, self.options, self.ALTER_OPTION_KEYS)

    def options_after(self, options: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in options.items() if name not in self.ALTER_OPTION_KEYS}
        return {**kept, **self.options}

    def change(self, app_label: str) -> None:
        return None

    def describe(self) -> str:
        return f"Change Meta options on {self.name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"alter_{self.name_lower}_options"


class AlterModelManagers(ModelOptionOperation):
    """Change the managers that functions of ``RunPython`` see."""

    serialization_expand_args: ClassVar = ["managers"]

    def __init__(self, name: str, managers: Iterable[tuple[str, Any]]) -> None:
        self.managers = list(managers)
        super().__init__(name)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.alter_model_managers(app_label, self.name_lower, self.managers)

    def fold_into(self, creation: Any) -> dict[str, Any] | None:
        return {"managers": self.managers} if creation.name_lower == self.name_lower else None

    def change(self, app_label: str) -> None:
        return None

    def describe(self) -> str:
        return f"Change managers on {self.name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"alter_{self.name_lower}_managers"


def refuse_twice(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise ValueError(f"{name!r} is given twice as {what}: found duplicate value {name} in CreateModel.")
        seen.add(name.lower())
