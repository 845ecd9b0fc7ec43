"""What happened to fields of models that are in both states."""

from __future__ import annotations

from typing import Any

from crowsfoot.migrations import operations as ops
from crowsfoot.migrations.comparison import Comparison
from crowsfoot.migrations.definitions import field_definition
from crowsfoot.migrations.modelstate import ModelState
from crowsfoot.migrations.planning import Kind, Need
from crowsfoot.migrations.utils import Key
from crowsfoot.models.fields import DateField, DateTimeField, TimeField
from crowsfoot.models.fields.base import NOT_PROVIDED

MOMENTS = (DateField, DateTimeField, TimeField)


class FieldChanges(Comparison):
    """Plans renamed, removed, added and altered fields, in this order."""

    def rename_fields(self) -> None:
        """Find fields that only have another name, and give them that in the old state.

        Operations are planned by ``plan_renamed_fields``, after indexes of the old names are gone.
        """
        self.renamed: list[tuple[Key, str, str, Any]] = []
        for key, _, new in self.kept_tables():
            for name in sorted(new.fields.keys() - self.old.models[key].fields.keys()):
                before = self._former_name(key, new, name)
                if before is not None:
                    self.renamed.append((key, before, name, self.old.models[key].fields[before]))
                    self.old.rename_field(*key, before, name)

    def _former_name(self, key: Key, new: ModelState, name: str) -> str | None:
        field = new.fields[name]
        definition = field_definition(field, key)
        old = self.old.models[key]
        for before in sorted(old.fields.keys() - new.fields.keys()):
            former = old.fields[before]
            path, args, options = field_definition(former, key)
            kept_column = {**options, "db_column": _column(before, former)}
            if definition not in ((path, args, options), (path, args, kept_column)):
                continue
            if self.questioner.ask_rename(new.name_lower, before, name, field):
                return before
        return None

    def plan_renamed_fields(self) -> None:
        for key, before, name, former in self.renamed:
            field = self.new.models[key].fields[name]
            if field.db_column and not former.db_column:
                # The column keeps the old name: say so first, then the renaming is nothing to the database.
                altered = former.clone()
                altered.db_column = field.db_column
                self.plan(key[0], ops.AlterField(key[1], before, altered))
                self.old.alter_field(*key, name, altered)
            self.plan(key[0], ops.RenameField(key[1], before, name))

    def removed_fields(self) -> None:
        for key, old, new in self.kept_tables():
            for name in sorted(old.fields.keys() - new.fields.keys()):
                self._remove(key, name)

    def _remove(self, key: Key, name: str) -> None:
        kinds = (Kind.REMOVE_ORDER, Kind.ALTER_TOGETHER, Kind.REMOVE_INDEX)
        self.plan(key[0], ops.RemoveField(key[1], name), [Need(*key, name, kind) for kind in kinds])

    def added_fields(self) -> None:
        for key, old, new in self.kept_tables():
            # In the order of the model, so that what is computed from other fields comes after them.
            for name in [name for name in new.fields if name not in old.fields]:
                self._add(key, name, new.fields[name])

    def _add(self, key: Key, name: str, field: Any) -> None:
        needs = [Need(*key, name, Kind.REMOVE), *self.target_needs(field, key)]
        preserve_default = not lacks_value(field)
        if not preserve_default:
            field = field.clone()
            by_time = isinstance(field, MOMENTS) and field.auto_now_add
            ask = self.questioner.ask_auto_now_add_addition if by_time else self.questioner.ask_not_null_addition
            field.default = _given(ask(name, key[1]))
        if field.unique and field.default is not NOT_PROVIDED and callable(field.default):
            self.questioner.ask_unique_callable_default_addition(name, key[1])
        self.plan(key[0], ops.AddField(key[1], name, field, preserve_default), needs)

    def altered_fields(self) -> None:
        for key, old, new in self.kept_tables():
            for name in [name for name in new.fields if name in old.fields]:
                before, after = old.fields[name], new.fields[name]
                if field_definition(before, key) == field_definition(after, key):
                    continue
                if bool(before.many_to_many) == bool(after.many_to_many):
                    self._alter(key, name, before, after)
                else:
                    self._remove(key, name)
                    self._add(key, name, after)

    def _alter(self, key: Key, name: str, before: Any, after: Any) -> None:
        field, preserve_default = after, True
        no_value = not after.has_default() and not after.has_db_default() and not after.many_to_many
        if before.null and not after.null and no_value and not after.generated:
            field = after.clone()
            field.default = _given(self.questioner.ask_not_null_alteration(name, key[1]))
            preserve_default = field.default is NOT_PROVIDED
        self.plan(key[0], ops.AlterField(key[1], name, field, preserve_default), self.target_needs(after, key))


def lacks_value(field: Any) -> bool:
    """Whether rows that are there would get no value for a new field."""
    if field.null or field.many_to_many or field.generated or field.has_default() or field.has_db_default():
        return False
    if field.blank and field.empty_strings_allowed:
        return False
    return not (isinstance(field, MOMENTS) and field.auto_now)


def _given(answer: Any) -> Any:
    return NOT_PROVIDED if answer is None else answer


def _column(name: str, field: Any) -> str | None:
    """The column that an unbound field would have."""
    if field.db_column or field.many_to_many:
        return field.db_column
    return f"{name}_id" if field.is_relation else name
