"""`MigrationAutodetector`: what leads from one state of the models to another, as numbered migrations."""

from __future__ import annotations

import re
from collections.abc import Iterable

from crowsfoot.migrations.graph import MigrationGraph
from crowsfoot.migrations.migration import Migration
from crowsfoot.migrations.modelchanges import ModelChanges
from crowsfoot.migrations.optimizer import MigrationOptimizer
from crowsfoot.migrations.planning import MigrationPlanner
from crowsfoot.migrations.questioner import MigrationQuestioner
from crowsfoot.migrations.state import ProjectState

NUMBER = re.compile(r"^\d+")


class MigrationAutodetector:
    """Compares two states. ``unmigrated`` are apps that have no migrations, whose models are left alone."""

    def __init__(
        self,
        from_state: ProjectState,
        to_state: ProjectState,
        questioner: MigrationQuestioner | None = None,
        unmigrated: Iterable[str] = (),
    ) -> None:
        self.from_state, self.to_state = from_state, to_state
        self.questioner = questioner or MigrationQuestioner()
        self.unmigrated = set(unmigrated)

    def changes(
        self,
        graph: MigrationGraph,
        trim_to_apps: Iterable[str] | None = None,
        convert_apps: Iterable[str] | None = None,
        migration_name: str | None = None,
    ) -> dict[str, list[Migration]]:
        """The migrations to write, by app, named and numbered to follow those of ``graph``.

        Only of ``trim_to_apps`` and of apps that these need. ``convert_apps`` are unmigrated apps that get migrations.
        Raises what the questioner raises.
        """
        found = self.detect(graph, convert_apps)
        found = self.arrange_for_graph(found, graph, migration_name)
        return self.trim(found, set(trim_to_apps)) if trim_to_apps else found

    def detect(
        self, graph: MigrationGraph | None = None, convert_apps: Iterable[str] | None = None
    ) -> dict[str, list[Migration]]:
        """The migrations by app, not yet named."""
        ignored = self.unmigrated - set(convert_apps or ())
        old_keys = {key for key in self.from_state.models if key[0] not in self.unmigrated}
        new_keys = {key for key in self.to_state.models if key[0] not in ignored}
        found = ModelChanges(self.from_state, self.to_state, self.questioner, old_keys, new_keys).detect()
        made = MigrationPlanner(found, graph, {app for app, _ in old_keys}).run()
        for migrations in made.values():
            for migration in migrations:
                migration.operations = MigrationOptimizer().optimize(migration.operations, migration.app_label)
        return made

    # -- naming --------------------------------------------------------------------------------------------------------

    def arrange_for_graph(
        self, changes: dict[str, list[Migration]], graph: MigrationGraph, migration_name: str | None = None
    ) -> dict[str, list[Migration]]:
        """Number and name migrations as followers of the graph's, and let the first of each app depend on its last.

        An app without migrations gets its first only where the questioner agrees.
        """
        names: dict[tuple[str, str], tuple[str, str] | None] = {}
        for app, migrations in list(changes.items()):
            leaves = graph.leaf_nodes(app)
            if not leaves and not self.questioner.ask_initial(app):
                names.update({migration.key: (app, "__first__") for migration in migrations})
                del changes[app]
                continue
            last = leaves[0] if leaves else None
            number = (self.parse_number(last[1]) or 0) + 1 if last else 1
            for migration in migrations:
                before = migration.key
                if last is not None:
                    migration.dependencies.append(last)
                words = migration_name or ("initial" if number == 1 and not leaves else migration.suggest_name()[:100])
                if number > 1 and words == "initial":  # the second half of an app's beginning
                    words = migration_name or _later_name(migration)
                migration.name = f"{number:04}_{words}"
                names[before] = last = migration.key
                number += 1
        for migrations in changes.values():
            for migration in migrations:
                migration.dependencies = list(
                    dict.fromkeys(d if hasattr(d, "setting") else names.get(d) or d for d in migration.dependencies)
                )
        return changes

    @staticmethod
    def parse_number(name: str) -> int | None:
        """The number that a migration's name begins with; of a squashed one that of the last it stands for."""
        squashed = re.search(r".*_squashed_(\d+)", name)
        found = NUMBER.match(name)
        return int(squashed[1]) if squashed else int(found[0]) if found else None

    @staticmethod
    def trim(changes: dict[str, list[Migration]], app_labels: set[str]) -> dict[str, list[Migration]]:
        """Only the migrations of these apps, and of apps that they depend on."""
        wanted = set(app_labels)
        while True:
            more = {
                app
                for label in wanted
                for migration in changes.get(label, ())
                for app, _ in migration.dependencies
                if app not in wanted
            }
            if not more:
                return {app: migrations for app, migrations in changes.items() if app in wanted}
            wanted |= more


def _later_name(migration: Migration) -> str:
    migration.initial, initial = None, migration.initial
    try:
        return migration.suggest_name()[:100]
    finally:
        migration.initial = initial
