"""Models as migrations know them: values that operations change, and model classes made of them when somebody asks.

A `ModelState` is never changed in place; `ProjectState` puts a changed copy there. So a copy of a whole state costs one
dict, and classes that were made of a state hold for all its copies until one of them changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crowsfoot.conf import settings
from crowsfoot.errors import unknown_name
from crowsfoot.migrations.exceptions import InvalidBasesError
from crowsfoot.migrations.modelstate import ModelState
from crowsfoot.migrations.renaming import renamed, rule_renamed
from crowsfoot.migrations.utils import Key, models_of, replaced, resolve, target_of, through_of, together
from crowsfoot.models.apps import Apps
from crowsfoot.models.attributes import install_relation
from crowsfoot.models.fields.base import NOT_PROVIDED
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.registry import Registry

__all__ = ["ModelState", "ProjectState", "StateApps"]


class StateRegistry(Registry):
    """The registry of a state. Names that clash are the business of the models themselves: a state that is only on the
    way to sound ones may have them.
    """

    def problems(self, entity: Entity | None = None) -> list[str]:
        return [self._unlinked(one) for one in self.pending if entity is None or entity is one.owner]


class StateApps(Apps):
    """The models of a state as classes, for the functions of ``RunPython`` and for the tables of operations."""

    def __init__(self, states: Mapping[Key, ModelState]) -> None:
        super().__init__(install_relation)
        self.registry = StateRegistry()
        self.registry.on_link = install_relation
        done: set[Key] = set()
        for key in states:
            self._render(key, states, done, ())

    def _render(self, key: Key, states: Mapping[Key, ModelState], done: set[Key], trail: tuple[Key, ...]) -> None:
        """Make the class of one model, after those that it inherits from."""
        if key in done:
            return
        state = states[key]
        for base in state.base_keys():
            if base not in states or base in trail:
                raise InvalidBasesError(
                    f"{state.label} inherits from {'.'.join(base)}, which "
                    + ("inherits from it in turn." if base in trail else "is not in the migrations before it.")
                    + " Make the app's migrations depend on the one that creates it."
                )
            self._render(base, states, done, (*trail, key))
        state.render(self)
        done.add(key)


class ProjectState:
    """All models at one point of a project's history, by app and lower-case name."""

    def __init__(self, models: Mapping[Key, ModelState] | None = None) -> None:
        self.models: dict[Key, ModelState] = dict(models or {})
        self._rendered: list[tuple[set[Key], StateApps]] = []

    @classmethod
    def from_apps(cls, apps: Apps) -> ProjectState:
        """The state that a project's model classes are in."""
        state = cls()
        for model in apps.get_models(include_swapped=True):
            state.models[model._meta.app_label, model._meta.model_name] = ModelState.from_model(model)
        return state

    def clone(self) -> ProjectState:
        """A copy that may change on its own."""
        found = ProjectState(self.models)
        found._rendered = self._rendered
        return found

    def find(self, app_label: str, name: str) -> ModelState:
        """The model of this name. Raises ``LookupError`` with the nearest one."""
        found = self.models.get((app_label, name.lower()))
        if found is None:
            known = [state.label for state in self.models.values()]
            raise LookupError(unknown_name("model", f"{app_label}.{name}", "This point of the migrations", known))
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProjectState) and self.models == other.models

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    # -- model classes -------------------------------------------------------------------------------------------------

    @property
    def apps(self) -> StateApps:
        """All models as classes, made once."""
        return self.rendered(self.models)

    def rendered(self, keys: Iterable[Key]) -> StateApps:
        """Classes of these models, made once; those that they refer to may be there with no more than their keys.

        Tables need no more than that, so that the cost of an operation does not grow with the project.
        """
        wanted = set(keys)
        for known, apps in self._rendered:
            if wanted <= known:
                return apps
        for key in list(wanted):  # the links of a relation are read from the whole model
            if key in self.models:
                named = (through_of(field, *key) for field in self.models[key].fields.values())
                wanted.update(through for through in named if through is not None)
        names = self._needed(wanted)
        states = {
            key: state if key in wanted else state.with_keys_alone(names[key])
            for key, state in self.models.items()
            if key in names
        }
        apps = StateApps(states)
        self._rendered.append((wanted, apps))
        return apps

    def clear_delayed_apps_cache(self) -> None:
        """Forget the classes that were made."""
        self._rendered = []

    def _needed(self, whole: set[Key]) -> dict[Key, set[str]]:
        """Every model that ``whole`` ones refer to, directly or by way of keys, and which of its fields they name."""
        needed: dict[Key, set[str]] = {}
        waiting: list[tuple[Key, str | None]] = [(key, None) for key in whole]
        while waiting:
            key, name = waiting.pop()
            if key not in self.models or (key in needed and (name is None or name in needed[key])):
                continue
            state, first = self.models[key], key not in needed
            names = needed.setdefault(key, set())
            if name is not None:
                names.add(name)
            keys = state.key_names() if first else ()
            for field_name, field in state.fields.items():
                if field_name == name or (first and (key in whole or field_name in keys)):
                    to_fields = getattr(field, "to_fields", ()) or (getattr(field, "to_field", None),)
                    waiting += [(other, to_field) for other in models_of(field, *key) for to_field in to_fields]
            if first:
                waiting += [(base, name) for base in state.base_keys()]
                if state.options.get("swappable"):
                    swapped = getattr(settings, state.options["swappable"], state.label)
                    waiting.append((resolve(swapped, *key), name))
        return needed

    def referring(self, keys: Iterable[Key]) -> list[Key]:
        """The models with columns that hold a key of ``keys``, be it by way of another model's own key."""
        found = list(keys)
        for target in found:
            for key, state in self.models.items():
                if key not in found and any(target == target_of(f, *key) for f in state.fields.values()):
                    found.append(key)
        return found

    # -- changes -------------------------------------------------------------------------------------------------------

    def _changed(self, app_label: str, name: str) -> ModelState:
        """A copy of a model, in its place, that may be changed as long as nobody else has seen it."""
        state = self.find(app_label, name).clone()
        self.models[app_label, name.lower()] = state
        self._rendered = []
        return state

    def add_model(self, model_state: ModelState) -> None:
        self.models[model_state.app_label, model_state.name_lower] = model_state
        self._rendered = []

    def remove_model(self, app_label: str, model_name: str) -> None:
        self.find(app_label, model_name)
        del self.models[app_label, model_name.lower()]
        self._rendered = []

    def rename_model(self, app_label: str, old_name: str, new_name: str) -> None:
        """Rename a model, in everything that refers to it too."""
        old, new = (app_label, old_name.lower()), f"{app_label}.{new_name.lower()}"
        renamed = self.find(app_label, old_name).clone()
        renamed.name = new_name
        self.models = {
            (app_label, new_name.lower()) if key == old else key: renamed if key == old else state
            for key, state in self.models.items()
        }
        self._rendered = []
        for (app, name), state in list(self.models.items()):
            own = old_name.lower() if state is renamed else name
            for field_name, field in state.fields.items():
                to, through = target_of(field, app, own) == old, through_of(field, app, own) == old
                if not to and not through:
                    continue
                changed = field.clone()
                if to and field.to != "self":
                    changed.to = new
                if through:
                    changed.through = new
                self._changed(app, name).fields[field_name] = changed
            if old in state.base_keys():
                bases = (resolve(base, app, own) == old if isinstance(base, str) else False for base in state.bases)
                kept = zip(state.bases, bases, strict=True)
                self._changed(app, name).bases = tuple(new if hit else base for base, hit in kept)

    def alter_model_options(
        self, app_label: str, model_name: str, options: Mapping[str, Any], option_keys: Iterable[str] = ()
    ) -> None:
        """Set options; those of ``option_keys`` that are not given are taken away."""
        state = self._changed(app_label, model_name)
        state.options = {
            **{name: value for name, value in state.options.items() if name in options or name not in option_keys},
            **options,
        }

    def remove_model_options(self, app_label: str, model_name: str, option_name: str, option_value: Any) -> None:
        """Take one entry out of an option that is a list, such as one set of ``unique_together``."""
        state = self._changed(app_label, model_name)
        value = tuple(option_value)
        left = [names for names in state.options.get(option_name, ()) if tuple(names) != value]
        state.options = {**state.options, option_name: set(left)}

    def alter_model_managers(self, app_label: str, model_name: str, managers: Iterable[tuple[str, Any]]) -> None:
        self._changed(app_label, model_name).managers = list(managers)

    def _change_list(self, app_label: str, model_name: str, option: str, value: list[Any]) -> None:
        state = self._changed(app_label, model_name)
        state.options = {**state.options, option: value}

    def add_index(self, app_label: str, model_name: str, index: Any) -> None:
        before = self.find(app_label, model_name).options["indexes"]
        self._change_list(app_label, model_name, "indexes", [*before, index.clone()])

    def remove_index(self, app_label: str, model_name: str, index_name: str) -> None:
        before = self.find(app_label, model_name).options["indexes"]
        self._change_list(app_label, model_name, "indexes", [i for i in before if i.name != index_name])

    def rename_index(self, app_label: str, model_name: str, old_name: str, new_name: str) -> None:
        indexes = []
        for index in self.find(app_label, model_name).options["indexes"]:
            changed = index
            if index.name == old_name:
                changed = index.clone()
                changed.name = new_name
            indexes.append(changed)
        self._change_list(app_label, model_name, "indexes", indexes)

    def add_constraint(self, app_label: str, model_name: str, constraint: Any) -> None:
        before = self.find(app_label, model_name).options["constraints"]
        self._change_list(app_label, model_name, "constraints", [*before, constraint.clone()])

    def remove_constraint(self, app_label: str, model_name: str, constraint_name: str) -> None:
        before = self.find(app_label, model_name).options["constraints"]
        kept = [c for c in before if c.name != constraint_name]
        self._change_list(app_label, model_name, "constraints", kept)

    def alter_constraint(self, app_label: str, model_name: str, constraint_name: str, constraint: Any) -> None:
        before = self.find(app_label, model_name).options["constraints"]
        after = [constraint if c.name == constraint_name else c for c in before]
        self._change_list(app_label, model_name, "constraints", after)

    # -- fields --------------------------------------------------------------------------------------------------------

    def add_field(self, app_label: str, model_name: str, name: str, field: Any, preserve_default: bool = True) -> None:
        self._changed(app_label, model_name).fields[name] = without_default(field, preserve_default)

    def remove_field(self, app_label: str, model_name: str, name: str) -> None:
        self.find(app_label, model_name).get_field(name)
        del self._changed(app_label, model_name).fields[name]

    def alter_field(
        self, app_label: str, model_name: str, name: str, field: Any, preserve_default: bool = True
    ) -> None:
        self.find(app_label, model_name).get_field(name)
        self._changed(app_label, model_name).fields[name] = without_default(field, preserve_default)

    def rename_field(self, app_label: str, model_name: str, old_name: str, new_name: str) -> None:
        """Rename a field, in the model's options and in the fields that name it too."""
        owner = (app_label, model_name.lower())
        before = self.find(*owner)
        before.get_field(old_name)
        state = self._changed(*owner)
        state.fields = {new_name if n == old_name else n: f for n, f in state.fields.items()}
        for option in ("unique_together", "index_together"):
            if option in state.options:
                sets = {replaced(names, old_name, new_name) for names in together(state.options[option])}
                state.options[option] = sets
        for option in ("indexes", "constraints"):
            state.options[option] = [rule_renamed(rule, old_name, new_name) for rule in state.options[option]]
        for option in ("order_with_respect_to", "get_latest_by"):
            if state.options.get(option) == old_name:
                state.options[option] = new_name
        for key, other in list(self.models.items()):
            for name, field in other.fields.items():
                changed = _field_renamed(field, key, owner, old_name, new_name)
                if changed is not None:
                    self._changed(*key).fields[name] = changed

    # -- reading -------------------------------------------------------------------------------------------------------

    def relations(self) -> Iterator[tuple[Key, str, Any]]:
        """Every relation field, with its model and its name."""
        for key, state in self.models.items():
            for name, field in state.fields.items():
                if field.is_relation:
                    yield key, name, field


def without_default(field: Any, preserve_default: bool) -> Any:
    """A copy of the field; without the default where that was only meant for the rows that were there."""
    found = field.clone()
    if not preserve_default:
        found.default = NOT_PROVIDED
    return found


def _named_anew(field: Any, options: tuple[str, ...], old_name: str, new_name: str) -> Any:
    """The field with a renamed field's new name in these options of it; None where they do not have the old one."""
    names = {old_name: new_name, f"{old_name}_id": f"{new_name}_id"}
    found = None
    for option in options:
        given = tuple(getattr(field, option, ()))
        if not names.keys().isdisjoint(given):
            found = found or field.clone()
            setattr(found, option, tuple(names.get(name, name) for name in given))
    return found


def _field_renamed(field: Any, key: Key, owner: Key, old_name: str, new_name: str) -> Any:
    """The field as it names a renamed field of ``owner``; None where it does not."""
    if key == owner and field.generated:
        changed = field.clone()
        changed.expression = renamed(field.expression, old_name, new_name)
        return changed
    changed = None
    if key == owner:
        changed = _named_anew(field, ("field_names", "columns", "from_fields"), old_name, new_name)
    if target_of(field, *key) == owner:
        changed = _named_anew(changed or field, ("to_fields",), old_name, new_name) or changed
    if changed is not None:
        return changed
    if target_of(field, *key) == owner and getattr(field, "to_field", None) == old_name:
        changed = field.clone()
        changed.to_field = new_name
        return changed
    if through_of(field, *key) == owner and old_name in (field.through_fields or ()):
        changed = field.clone()
        changed.through_fields = replaced(field.through_fields, old_name, new_name)
        return changed
    return None
