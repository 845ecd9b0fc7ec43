"""Two states side by side, and the operations that are planned to get from one to the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from crowsfoot.conf import SettingsReference
from crowsfoot.migrations.modelstate import ModelState
from crowsfoot.migrations.operations.base import Operation
from crowsfoot.migrations.planning import Kind, Need, Planned
from crowsfoot.migrations.questioner import MigrationQuestioner
from crowsfoot.migrations.state import ProjectState
from crowsfoot.migrations.utils import Key, models_of, target_of


class Comparison:
    """``old`` is changed as renames are found, so that what has the same name on both sides is the same thing."""

    def __init__(
        self,
        old: ProjectState,
        new: ProjectState,
        questioner: MigrationQuestioner,
        old_keys: set[Key],
        new_keys: set[Key],
    ) -> None:
        self.old, self.new = old.clone(), new
        self.questioner = questioner
        self.old_keys, self.new_keys = old_keys, new_keys
        self.planned: dict[str, list[Planned]] = {}

    def plan(self, app: str, operation: Operation, needs: Iterable[Need] = (), *, first: bool = False) -> None:
        """Add an operation; with ``first`` before all others of the app so far."""
        items = self.planned.setdefault(app, [])
        items.insert(0 if first else len(items), Planned(operation, list(needs)))

    def kept_states(self) -> Iterator[tuple[Key, ModelState, ModelState]]:
        """Every model that is on both sides, as it was and as it shall be."""
        for key in sorted(self.old_keys & self.new_keys):
            yield key, self.old.models[key], self.new.models[key]

    def kept_tables(self) -> Iterator[tuple[Key, ModelState, ModelState]]:
        """Those of them whose tables migrations look after."""
        for key, old, new in self.kept_states():
            if has_table(old) and has_table(new):
                yield key, old, new

    def target_needs(self, field: Any, key: Key) -> list[Need]:
        """What a relation of model ``key`` waits for: its target, and the model that links it."""
        if not field.is_relation or not hasattr(field, "to"):
            return []
        keys = [other for other in models_of(field, *key) if other != key]
        found: list[Need] = []
        if isinstance(field.to, SettingsReference):
            found.append(Need.of_setting(field.to.setting_name))
            keys = [other for other in keys if other != target_of(field, *key)]
        return found + [Need(*other, None, Kind.CREATE) for other in keys]


def has_table(state: ModelState) -> bool:
    """Whether migrations look after the table of a model: it is neither a proxy nor unmanaged."""
    return bool(state.options.get("managed", True)) and not state.options.get("proxy", False)
