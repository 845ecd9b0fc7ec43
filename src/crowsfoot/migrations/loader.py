"""`MigrationLoader`: finds the migrations of the installed apps and puts them into a graph."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from crowsfoot.apps import AppConfig, app_configs
from crowsfoot.conf import settings
from crowsfoot.connection import Connection
from crowsfoot.database import Database
from crowsfoot.errors import unknown_name
from crowsfoot.migrations.exceptions import (
    AmbiguityError,
    BadMigrationError,
    InconsistentMigrationHistory,
    NodeNotFoundError,
)
from crowsfoot.migrations.graph import MigrationGraph, Node
from crowsfoot.migrations.migration import Migration
from crowsfoot.migrations.recorder import MigrationRecorder
from crowsfoot.migrations.state import ModelState, ProjectState

MODULE = "migrations"
FIRST, LATEST = "__first__", "__latest__"


class MigrationLoader:
    """All migrations on disk, and which of them ``connection`` has (none, without a connection).

    ``graph`` is what they make, ``applied_migrations`` what is recorded, ``migrated_apps`` and ``unmigrated_apps`` are
    the labels of installed apps with and without migrations.

    Raises ``BadMigrationError``, ``NodeNotFoundError`` and ``CircularDependencyError`` for files that are wrong.
    """

    def __init__(
        self, connection: Connection | Database | None, load: bool = True, ignore_no_migrations: bool = False
    ) -> None:
        self.connection = connection
        self.ignore_no_migrations = ignore_no_migrations
        self.disk_migrations: dict[Node, Migration] = {}
        self.applied_migrations: dict[Node, Any] = {}
        self.migrated_apps: set[str] = set()
        self.unmigrated_apps: set[str] = set()
        self.graph = MigrationGraph()
        if load:
            self.build_graph()

    # -- files ---------------------------------------------------------------------------------------------------------

    @classmethod
    def migrations_module(cls, app_label: str) -> tuple[str | None, bool]:
        """The name of the package with an app's migrations (None: it has none), and whether a setting says so."""
        if app_label in settings.MIGRATION_MODULES:
            return settings.MIGRATION_MODULES[app_label], True
        for app in app_configs():
            if app.label == app_label:
                return f"{app.name}.{MODULE}", False
        raise LookupError(
            unknown_name("installed app", app_label, "This project", [app.label for app in app_configs()])
        )

    def load_disk(self) -> None:
        """Read the migrations of every installed app."""
        self.disk_migrations = {}
        self.unmigrated_apps, self.migrated_apps = set(), set()
        importlib.invalidate_caches()
        for app in app_configs():
            package = self._package(app)
            if package is None:
                self.unmigrated_apps.add(app.label)
                continue
            self.migrated_apps.add(app.label)
            for found in pkgutil.iter_modules(package.__path__):
                if not found.ispkg and found.name[0] not in "_~":
                    self.disk_migrations[app.label, found.name] = self._load(package, app.label, found.name)

    def _package(self, app: AppConfig) -> ModuleType | None:
        name, explicit = self.migrations_module(app.label)
        if name is None:
            return None
        try:
            package = importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name is not None and (name == error.name or name.startswith(f"{error.name}."))
            if missing and (not explicit or self.ignore_no_migrations):
                return None
            raise
        if not hasattr(package, "__path__"):
            return None
        # A folder without __init__.py is a package too; one that holds nothing is no sign of migrations.
        is_folder = getattr(package, "__file__", None) is None
        return None if is_folder and not list(pkgutil.iter_modules(package.__path__)) else package

    @staticmethod
    def _load(package: ModuleType, app_label: str, name: str) -> Migration:
        module = importlib.import_module(f"{package.__name__}.{name}")
        if not hasattr(module, "Migration"):
            raise BadMigrationError(
                f"Migration {name} in app {app_label} has no Migration class. Write `class Migration"
                f"(migrations.Migration):` with its operations, or begin the file's name with an underscore: "
                f"{module.__file__}"
            )
        return module.Migration(name, app_label)

    def get_migration(self, app_label: str, name: str) -> Migration:
        """The migration of this name. Raises ``KeyError``."""
        return self.graph.nodes[app_label, name]

    def get_migration_by_prefix(self, app_label: str, name_prefix: str) -> Migration:
        """The one migration whose name begins so. Raises ``AmbiguityError`` for several, ``KeyError`` for none."""
        names = [name for app, name in self.disk_migrations if app == app_label]
        found = [name for name in names if name == name_prefix] or [n for n in names if n.startswith(name_prefix)]
        if len(found) > 1:
            raise AmbiguityError(
                f"There is more than one migration for {app_label!r} with the prefix {name_prefix!r}: "
                f"{', '.join(found)}"
            )
        if not found:
            raise KeyError(unknown_name("migration", name_prefix, f"The app {app_label!r}", names))
        return self.disk_migrations[app_label, found[0]]

    # -- the graph -----------------------------------------------------------------------------------------------------

    def build_graph(self) -> None:
        """Read files and records anew, and make the graph of them."""
        self.load_disk()
        recorded = {} if self.connection is None else MigrationRecorder(self.connection).applied_migrations()
        self.applied_migrations = recorded
        self.graph = graph = MigrationGraph()
        self.replacements = {key: m for key, m in self.disk_migrations.items() if m.replaces}
        for key, migration in self.disk_migrations.items():
            graph.add_node(key, migration)
        for key, migration in self.disk_migrations.items():
            self._add_dependencies(key, migration)
        # Squashed migrations may stand for squashed migrations.
        for key, migration in sorted(self.replacements.items(), key=lambda item: self._depth(item[0])):
            self._replace(key, migration)
        try:
            graph.validate_consistency()
        except NodeNotFoundError as error:
            self._explain_squashed(error)
            raise
        graph.ensure_not_cyclic()

    def _depth(self, key: Node) -> int:
        inner = [other for other in self.replacements[key].replaces if other in self.replacements]
        return 1 + max((self._depth(other) for other in inner), default=0)

    def _add_dependencies(self, key: Node, migration: Migration) -> None:
        for wanted in migration.dependencies:
            parent = self._resolved(wanted, key[0])
            if parent is not None:
                self.graph.add_dependency(migration, key, parent, skip_validation=True)
        for wanted in migration.run_before:
            child = self._resolved(wanted, key[0])
            if child is not None:
                self.graph.add_dependency(migration, child, key, skip_validation=True)

    def _resolved(self, wanted: Node, current_app: str) -> Node | None:
        """A dependency with ``__first__`` or ``__latest__`` made into a name; None where nothing has to wait."""
        app, name = wanted
        if name not in (FIRST, LATEST):
            return app, name
        if app == current_app or app in self.unmigrated_apps:
            return None  # an app's own first migration, or one without migrations
        if app not in self.migrated_apps:
            raise ValueError(
                f"Dependency on unknown app: {app}. "
                + unknown_name("installed app", app, "This project", self.migrated_apps | self.unmigrated_apps)
            )
        found = [key for key in self.disk_migrations if key[0] == app]
        internal = {key: [tuple(d) for d in self.disk_migrations[key].dependencies if d[0] == app] for key in found}
        if name == FIRST:
            ends = [key for key in found if not internal[key]]
        else:
            named = {parent for parents in internal.values() for parent in parents}
            ends = [key for key in found if key not in named]
        return min(ends) if ends else None

    def _replace(self, key: Node, migration: Migration) -> None:
        """Let a squashed migration stand for the ones it replaces, unless these are partly applied."""
        applied = [other in self.applied_migrations for other in migration.replaces]
        if all(applied):
            if self.connection is not None and key not in self.applied_migrations:
                self.applied_migrations[key] = migration
        else:
            self.applied_migrations.pop(key, None)
        if all(applied) or not any(applied):
            self.graph.remove_replaced_nodes(key, migration.replaces)
        else:
            self.graph.remove_replacement_node(key, migration.replaces)

    def _explain_squashed(self, error: NodeNotFoundError) -> None:
        """A migration that is gone because a squashed one stands for it is not simply missing."""
        standing = [str(m) for m in self.replacements.values() if error.node in map(tuple, m.replaces)]
        if standing and error.node not in self.graph.nodes:
            error.message = (
                f"{error.message} It was replaced by {', '.join(standing)}, whose predecessors are partly applied."
            )
            error.args = (error.message,)

    def check_consistent_history(self, connection: Connection | Database) -> None:
        """Raise ``InconsistentMigrationHistory`` for a migration recorded before one that it depends on."""
        applied = MigrationRecorder(connection).applied_migrations()
        for key in applied:
            for parent in sorted(self.graph.parents.get(key, ())):
                if parent in applied or key not in self.graph.nodes:
                    continue
                replaced = self.replacements[parent].replaces if parent in self.replacements else []
                if replaced and all(tuple(other) in applied for other in replaced):
                    continue
                raise InconsistentMigrationHistory(
                    f"Migration {key[0]}.{key[1]} is applied before its dependency {parent[0]}.{parent[1]} on database "
                    f"'{connection.alias}'. Record the dependency with migrate --fake, if its tables are there already."
                )

    def detect_conflicts(self) -> dict[str, list[str]]:
        """The apps with more than one last migration, and these by app."""
        ends: dict[str, list[str]] = {}
        for app, name in self.graph.leaf_nodes():
            ends.setdefault(app, []).append(name)
        return {app: names for app, names in ends.items() if len(names) > 1}

    def project_state(self, nodes: Node | Iterable[Node] | None = None, at_end: bool = True) -> ProjectState:
        """The state behind these migrations (all of them, without any), with the models of apps without migrations."""
        return self.graph.make_state(nodes, at_end, self.start_state)

    def start_state(self) -> ProjectState:
        """The state before all migrations: the models of apps that have none."""
        state = ProjectState()
        for app in app_configs():
            if app.label in self.unmigrated_apps:
                for model in app.get_models():
                    state.add_model(ModelState.from_model(model))
        return state


def forget_modules(package: str) -> None:
    """Let the next loader read a package of migrations anew, as after its files have changed."""
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]
