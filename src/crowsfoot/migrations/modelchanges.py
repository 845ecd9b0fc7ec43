"""What happened to models: made, deleted and renamed ones, their options, indexes and constraints."""

from __future__ import annotations

from typing import Any

from crowsfoot.migrations import operations as ops
from crowsfoot.migrations.comparison import has_table
from crowsfoot.migrations.definitions import managers, shape
from crowsfoot.migrations.fieldchanges import FieldChanges
from crowsfoot.migrations.modelstate import ModelState
from crowsfoot.migrations.planning import Kind, Need, Planned
from crowsfoot.migrations.utils import Key, models_of, together


class ModelChanges(FieldChanges):
    """Plans everything that differs, each kind of difference by one method."""

    def detect(self) -> dict[str, list[Planned]]:
        """The operations by app. Raises what the questioner raises."""
        self._rename_models()
        self._deleted_models()
        self._created_models()
        self._changed_options()
        self.rename_fields()
        self._removed_rules()
        self.plan_renamed_fields()
        self._removed_together()
        self.removed_fields()
        self.added_fields()
        self.altered_fields()
        self._altered_orders()
        self._altered_together()
        self._added_rules()
        self._altered_tables()
        return self.planned

    # -- models --------------------------------------------------------------------------------------------------------

    def _rename_models(self) -> None:
        for key in sorted(self.new_keys - self.old_keys):
            new = self.new.models[key]
            for other in sorted(self.old_keys - self.new_keys):
                old = self.old.models[other]
                if other[0] != key[0] or has_table(old) != has_table(new) or shape(old) != shape(new):
                    continue
                if self.questioner.ask_rename_model(old, new):
                    needs = [need for field in new.fields.values() for need in self.target_needs(field, key)]
                    self.plan(key[0], ops.RenameModel(old.name, new.name), needs)
                    self.old.rename_model(key[0], old.name, new.name)
                    self.old_keys = (self.old_keys - {other}) | {key}
                    break

    def _deleted_models(self) -> None:
        for key in sorted(self.old_keys - self.new_keys):
            app, _ = key
            state = self.old.models[key]
            relations = {name: field for name, field in state.fields.items() if field.is_relation}
            if not has_table(state):
                self.plan(app, ops.DeleteModel(state.name), self._users(key))
                continue
            if together(state.options.get("unique_together")):
                self.plan(app, ops.AlterUniqueTogether(state.name, None))
            for name in relations:
                self.plan(app, ops.RemoveField(state.name_lower, name), [Need(*key, None, Kind.ALTER_TOGETHER)])
            needs = [Need(*key, name, Kind.REMOVE) for name in relations]
            self.plan(app, ops.DeleteModel(state.name), [*needs, *self._users(key)])

    def _users(self, key: Key) -> list[Need]:
        """What must be gone or changed before a model can go: relations to it, and models that inherit from it."""
        found: list[Need] = []
        for owner, name, field in self.old.relations():
            if owner != key and key in models_of(field, *owner):
                found += [Need(*owner, name, Kind.REMOVE), Need(*owner, name, Kind.ALTER)]
        for owner, state in self.old.models.items():
            if key in state.base_keys():
                found.append(Need(*owner, None, Kind.REMOVE))
        return found

    def _created_models(self) -> None:
        # The last one planned stands first, so that models of one app come in the order of their names.
        for key in sorted(self.new_keys - self.old_keys, reverse=True):
            self._created_model(key, self.new.models[key])

    def _created_model(self, key: Key, state: ModelState) -> None:
        app, _ = key
        # Relations come in operations of their own, so that rings of models can be made; but for keys.
        keys = state.key_names()
        relations = {n: f for n, f in state.fields.items() if f.is_relation and n not in keys and has_table(state)}
        fields = [(name, field) for name, field in state.fields.items() if name not in relations]
        later = {"unique_together", "order_with_respect_to"} if has_table(state) else set[str]()
        options = {n: v for n, v in state.options.items() if n not in later and v not in ([], set())}
        if has_table(state):
            options = {n: v for n, v in options.items() if n not in ("indexes", "constraints")}
        needs = [Need(*key, None, Kind.REMOVE), *self._base_needs(key, state)]
        for name, field in state.fields.items():
            if field.is_relation and (name in keys or not has_table(state)):
                needs += self.target_needs(field, key)
        creation = ops.CreateModel(state.name, fields, options, state.bases, state.managers)
        self.plan(app, creation, needs, first=True)
        if not has_table(state):
            return
        created = Need(*key, None, Kind.CREATE)
        for name, field in relations.items():
            self.plan(app, ops.AddField(state.name_lower, name, field), [*self.target_needs(field, key), created])
        after = [created, *(Need(*key, name, Kind.CREATE) for name in sorted(relations))]
        if state.options.get("order_with_respect_to"):
            order = state.options["order_with_respect_to"]
            self.plan(app, ops.AlterOrderWithRespectTo(state.name, order), after)
        for index in state.options["indexes"]:
            self.plan(app, ops.AddIndex(state.name_lower, index), after)
        for constraint in state.options["constraints"]:
            self.plan(app, ops.AddConstraint(state.name_lower, constraint), after)
        if together(state.options.get("unique_together")):
            self.plan(app, ops.AlterUniqueTogether(state.name, state.options["unique_together"]), after)

    def _base_needs(self, key: Key, state: ModelState) -> list[Need]:
        """What a model waits for that inherits: its bases, without the fields that have moved from them to it."""
        found: list[Need] = []
        for base in state.base_keys():
            found.append(Need(*base, None, Kind.CREATE))
            if base in self.old.models and base in self.new.models:
                gone = self.old.models[base].fields.keys() - self.new.models[base].fields.keys()
                found += [Need(*base, name, Kind.REMOVE) for name in sorted(gone & state.fields.keys())]
        return found

    # -- options -------------------------------------------------------------------------------------------------------

    def _changed_options(self) -> None:
        names = ops.AlterModelOptions.ALTER_OPTION_KEYS
        for key, old, new in self.kept_states():
            before = {name: value for name, value in old.options.items() if name in names}
            after = {name: value for name, value in new.options.items() if name in names}
            if before != after:
                self.plan(key[0], ops.AlterModelOptions(new.name_lower, after))
            if managers(old) != managers(new):
                self.plan(key[0], ops.AlterModelManagers(new.name_lower, new.managers))

    def _removed_together(self) -> None:
        """Sets that go, before their fields do."""
        for key, old, new in self.kept_tables():
            before, after = (together(state.options.get("unique_together")) for state in (old, new))
            left = before & after
            if left != before:
                self.plan(key[0], ops.AlterUniqueTogether(new.name_lower, left))

    def _altered_together(self) -> None:
        """Sets that come, after their fields have."""
        for key, old, new in self.kept_tables():
            before, after = (together(state.options.get("unique_together")) for state in (old, new))
            if after - before:
                names = sorted({name for names in after for name in names})
                needs = [Need(*key, name, kind) for name in names for kind in (Kind.CREATE, Kind.ALTER)]
                self.plan(key[0], ops.AlterUniqueTogether(new.name_lower, after), needs)

    def _altered_orders(self) -> None:
        for key, old, new in self.kept_tables():
            before, after = (state.options.get("order_with_respect_to") for state in (old, new))
            if before != after:
                needs = [Need(*key, after, Kind.CREATE)] if after else []
                self.plan(key[0], ops.AlterOrderWithRespectTo(new.name_lower, after), needs)

    def _altered_tables(self) -> None:
        for key, old, new in self.kept_tables():
            if (old.options.get("db_table") or None) != (new.options.get("db_table") or None):
                self.plan(key[0], ops.AlterModelTable(new.name_lower, new.options.get("db_table")))
            if (old.options.get("db_table_comment") or None) != (new.options.get("db_table_comment") or None):
                comment = new.options.get("db_table_comment")
                self.plan(key[0], ops.AlterModelTableComment(new.name_lower, comment))

    # -- indexes and constraints ---------------------------------------------------------------------------------------

    def _removed_rules(self) -> None:
        """Indexes and constraints that go, before the fields they are made of; those that only get another name."""
        self.added_indexes: dict[Key, list[Any]] = {}
        self.added_constraints: dict[Key, list[Any]] = {}
        for key, old, new in self.kept_tables():
            removed, added = _differ(old.options["indexes"], new.options["indexes"])
            for index in list(removed):
                twin = next((other for other in added if _same_but_name(index, other)), None)
                if twin is not None:
                    removed.remove(index)
                    added.remove(twin)
                    self.plan(key[0], ops.RenameIndex(new.name_lower, twin.name, index.name))
                else:
                    self.plan(key[0], ops.RemoveIndex(new.name_lower, index.name))
            self.added_indexes[key] = added
            removed, added = _differ(old.options["constraints"], new.options["constraints"])
            self.added_constraints[key] = []
            for constraint in added:
                same = next((other for other in removed if _same_rule(other, constraint)), None)
                if same is not None:
                    removed.remove(same)
                    self.plan(key[0], ops.AlterConstraint(new.name_lower, constraint.name, constraint))
                else:
                    self.added_constraints[key].append(constraint)
            for constraint in removed:
                self.plan(key[0], ops.RemoveConstraint(new.name_lower, constraint.name))

    def _added_rules(self) -> None:
        for key, _, new in self.kept_tables():
            for index in self.added_indexes[key]:
                self.plan(key[0], ops.AddIndex(new.name_lower, index), self._all_fields(key, new))
            for constraint in self.added_constraints[key]:
                self.plan(key[0], ops.AddConstraint(new.name_lower, constraint), self._all_fields(key, new))

    @staticmethod
    def _all_fields(key: Key, state: ModelState) -> list[Need]:
        return [Need(*key, name, kind) for name in state.fields for kind in (Kind.CREATE, Kind.ALTER)]


def _differ(before: list[Any], after: list[Any]) -> tuple[list[Any], list[Any]]:
    """What is only on one side, by value."""
    return [one for one in before if one not in after], [one for one in after if one not in before]


def _same_but_name(one: Any, other: Any) -> bool:
    path, args, kwargs = one.deconstruct()
    other_path, other_args, other_kwargs = other.deconstruct()
    return bool((path, args, {**kwargs, "name": ""}) == (other_path, other_args, {**other_kwargs, "name": ""}))


def _same_rule(one: Any, other: Any) -> bool:
    """Whether two constraints differ only in what the database does not hold."""
    if type(one) is not type(other) or one.name != other.name:
        return False
    (path, args, kwargs), (other_path, other_args, other_kwargs) = one.deconstruct(), other.deconstruct()
    kept, other_kept = (
        {n: v for n, v in options.items() if n not in one.non_db_attrs} for options in (kwargs, other_kwargs)
    )
    return bool((path, args, kept) == (other_path, other_args, other_kept))
