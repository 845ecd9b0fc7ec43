"""What the command line does with migrations, as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crowsfoot.apps import app_configs, get_app_config
from crowsfoot.conf import settings
from crowsfoot.connection import connections
from crowsfoot.database import DEFAULT
from crowsfoot.errors import unknown_name
from crowsfoot.migrations.autodetector import MigrationAutodetector
from crowsfoot.migrations.exceptions import BadMigrationError
from crowsfoot.migrations.executor import MigrationExecutor, Plan, Progress
from crowsfoot.migrations.graph import Node
from crowsfoot.migrations.loader import MigrationLoader
from crowsfoot.migrations.migration import Migration
from crowsfoot.migrations.operations.base import Operation
from crowsfoot.migrations.questioner import MigrationQuestioner
from crowsfoot.migrations.serializer import DJANGO, OWN
from crowsfoot.migrations.state import ProjectState
from crowsfoot.migrations.writer import MigrationWriter, package_folder
from crowsfoot.models.model import apps
from crowsfoot.models.signals import post_migrate, pre_migrate

ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Written:
    """A migration file: where it is (or would be, in a dry run) and what it holds."""

    app_label: str
    path: Path
    text: str
    operations: list[Operation] = field(default_factory=list[Operation])

    @property
    def name(self) -> str:
        return self.path.stem


@dataclass(frozen=True, slots=True)
class Step:
    """A migration that is run, or taken back."""

    app_label: str
    name: str
    backwards: bool = False
    operations: list[Operation] = field(default_factory=list[Operation])


# -- writing -----------------------------------------------------------------------------------------------------------


def make_migrations(
    app_labels: Iterable[str] = (),
    *,
    questioner: MigrationQuestioner | None = None,
    dry_run: bool = False,
    name: str | None = None,
    empty: bool = False,
    merge: bool = False,
) -> list[Written]:
    """Write what has changed in the models (of these apps; of all, without any) as migration files; returns them.

    ``empty`` writes a file without operations for each app, ``merge`` one that joins migrations which stand side by
    side. Apps with models and no migrations get their first. Raises ``LookupError`` for an app that is not installed,
    ``BadMigrationError`` where migrations stand side by side, and what the questioner raises.
    """
    labels = list(app_labels)
    for label in labels:
        get_app_config(label)
    loader = MigrationLoader(None, ignore_no_migrations=True)
    conflicts = {app: names for app, names in loader.detect_conflicts().items() if not labels or app in labels}
    if merge:
        return _write(_merges(loader, conflicts, questioner, name), dry_run)
    _refuse(conflicts)
    if empty:
        return _write(_empty(loader, labels, name), dry_run)
    return _write(_detected(loader, labels, questioner, name), dry_run)


def check_migrations() -> bool:
    """Whether the models have changed since the last migrations. No database is asked."""
    return bool(_detected(MigrationLoader(None, ignore_no_migrations=True), [], MigrationQuestioner(), None))


def _detected(
    loader: MigrationLoader, labels: list[str], questioner: MigrationQuestioner | None, name: str | None
) -> list[Migration]:
    questioner = questioner or MigrationQuestioner()
    fresh = _unmigrated_projects_apps(loader) if not labels else loader.unmigrated_apps & set(labels)
    begun = {
        app for app in loader.migrated_apps if not loader.graph.leaf_nodes(app)
    }  # a package with nothing in it yet
    questioner.specified_apps |= fresh | begun | set(labels)
    detector = MigrationAutodetector(
        loader.project_state(), _current_state(), questioner, unmigrated=loader.unmigrated_apps - fresh
    )
    # The start of the loader's state has the models of apps without migrations, which new ones are to make.
    detector.from_state.models = {
        key: state for key, state in detector.from_state.models.items() if key[0] not in fresh
    }
    found = detector.changes(loader.graph, labels or None, None, name)
    return [migration for migrations in found.values() for migration in migrations]


def _unmigrated_projects_apps(loader: MigrationLoader) -> set[str]:
    """The apps without migrations that makemigrations looks after: those whose code is the project's own."""
    return {
        app.label
        for app in app_configs()
        if app.label in loader.unmigrated_apps
        and settings.MIGRATION_MODULES.get(app.label, "") is not None
        and not {"site-packages", "dist-packages"} & set(app.path.parts)
        and not app.name.startswith(f"{OWN}.")
    }


def _current_state() -> ProjectState:
    """The state of the installed apps' models; models of scripts and tests are nobody's migrations."""
    installed = {app.label for app in app_configs()}
    state = ProjectState.from_apps(apps)
    state.models = {key: model for key, model in state.models.items() if key[0] in installed}
    return state


def _empty(loader: MigrationLoader, labels: list[str], name: str | None) -> list[Migration]:
    if not labels:
        raise ValueError("An empty migration is for an app: name one.")
    made = [Migration("custom", label) for label in labels]
    detector = MigrationAutodetector(ProjectState(), ProjectState(), MigrationQuestioner(specified_apps=labels))
    changes = detector.arrange_for_graph({m.app_label: [m] for m in made}, loader.graph, name or "custom")
    return [migration for migrations in changes.values() for migration in migrations]


def _merges(
    loader: MigrationLoader, conflicts: dict[str, list[str]], questioner: MigrationQuestioner | None, name: str | None
) -> list[Migration]:
    questioner = questioner or MigrationQuestioner({"ask_merge": True})
    made = []
    for app, names in conflicts.items():
        if not questioner.ask_merge(app):
            continue
        number = max(MigrationAutodetector.parse_number(other) or 0 for other in names) + 1
        words = name or f"merge_{'_'.join(sorted(names))}"
        if len(words) > 60:
            words = f"merge_{number:04}"
        migration = Migration(f"{number:04}_{words}", app)
        migration.dependencies = [(app, other) for other in sorted(names)]
        made.append(migration)
    return made


def _write(migrations: list[Migration], dry_run: bool) -> list[Written]:
    found = []
    for migration in migrations:
        app = get_app_config(migration.app_label)
        module, _ = MigrationLoader.migrations_module(migration.app_label)
        assert module is not None
        path = _folder(app, module) / f"{migration.name}.py"
        text = MigrationWriter(migration, package=_package_of(app)).as_string()
        if not dry_run:
            path.parent.mkdir(parents=True, exist_ok=True)
            marker = path.parent / "__init__.py"
            if not marker.exists():
                marker.touch()
            path.write_text(text, encoding="utf-8")
        found.append(Written(migration.app_label, path, text, migration.operations))
    return found


def _folder(app: Any, module: str) -> Path:
    spec = find_spec(module) if find_spec(module.partition(".")[0]) is not None else None
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return package_folder(module, app.path, app.name)


def _package_of(app: Any) -> str:
    """Whose names an app's migrations import: those that its models do."""
    source = app.path / "models.py"
    text = source.read_text(encoding="utf-8") if source.is_file() else ""
    return DJANGO if "from django" in text or "import django" in text else OWN


# -- running -----------------------------------------------------------------------------------------------------------


def migrate(
    app_label: str | None = None,
    target: str | None = None,
    *,
    using: str = DEFAULT,
    fake: bool = False,
    fake_initial: bool = False,
    plan_only: bool = False,
    progress: Progress | None = None,
) -> list[Step]:
    """Bring a database to the last migrations: of all apps, of one, or to the migration ``target`` of it.

    ``target`` may be the beginning of a name, or ``zero`` for none at all. ``fake`` records and runs nothing;
    ``plan_only`` does neither. ``progress(action, migration, fake)`` is called before and after each. Returns the
    steps.

    Each migration is a transaction: one that fails leaves the database as it was before it, and those before it stay.
    Sends ``pre_migrate`` and ``post_migrate`` for each app. Raises ``LookupError`` for an unknown app or migration.
    """
    executor = MigrationExecutor(connections[using], progress)
    loader = executor.loader
    loader.check_consistent_history(executor.connection)
    _refuse(loader.detect_conflicts())
    plan = executor.migration_plan(_targets(loader, app_label, target))
    steps = [Step(m.app_label, m.name, backwards, list(m.operations)) for m, backwards in plan]
    if plan_only:
        return steps
    _send(pre_migrate, using, plan, executor.applied_state)
    state = executor.migrate(None, plan, fake=fake, fake_initial=fake_initial)
    _send(post_migrate, using, plan, lambda: state)
    return steps


def _refuse(conflicts: dict[str, list[str]]) -> None:
    if conflicts:
        listed = "; ".join(f"{app}: {', '.join(names)}" for app, names in conflicts.items())
        raise BadMigrationError(
            f"Conflicting migrations: more than one is the last of its app ({listed}). "
            "Join them with: makemigrations --merge"
        )


def _targets(loader: MigrationLoader, app_label: str | None, target: str | None) -> Sequence[tuple[str, str | None]]:
    if app_label is None:
        return loader.graph.leaf_nodes()
    _refuse_unmigrated(loader, app_label)
    if target is None:
        return loader.graph.leaf_nodes(app_label)
    if target == ZERO:
        return [(app_label, None)]
    return [_found(loader, app_label, target)]


def _found(loader: MigrationLoader, app_label: str, name: str) -> Node:
    try:
        key = loader.get_migration_by_prefix(app_label, name).key
    except KeyError as error:
        raise LookupError(error.args[0]) from None
    return loader.graph.replaced.get(key, key) if key not in loader.graph.nodes else key


def _refuse_unmigrated(loader: MigrationLoader, app_label: str) -> None:
    get_app_config(app_label)
    if app_label in loader.unmigrated_apps:
        raise LookupError(
            f"App {app_label!r} does not have migrations. "
            + unknown_name("migrations for", app_label, "This project", loader.migrated_apps)
        )


def _send(signal: Any, using: str, plan: Plan, state: Callable[[], ProjectState]) -> None:
    """Tell receivers, app by app. The models of the state are only made where somebody listens."""
    if not signal.receivers:
        return
    rendered = state().apps
    for app in app_configs():
        signal.send(sender=app, app_config=app, verbosity=1, interactive=False, using=using, plan=plan, apps=rendered)


def show_migrations(app_labels: Iterable[str] | None = None, *, using: str = DEFAULT) -> list[tuple[str, str, bool]]:
    """``(app, name, applied)`` of every migration (of these apps), each after those that it depends on within its app.

    Raises ``LookupError`` for an app that is not installed.
    """
    loader = MigrationLoader(connections[using])
    labels = list(app_labels or [])
    for label in labels:
        get_app_config(label)
    found: list[tuple[str, str, bool]] = []
    for app in labels or sorted(loader.migrated_apps):
        names: dict[Node, None] = {}
        for leaf in loader.graph.leaf_nodes(app):
            names.update(dict.fromkeys(node for node in loader.graph.forwards_plan(leaf) if node[0] == app))
        found += [(app, name, (app, name) in loader.applied_migrations) for _, name in names]
    return found


def sql_migrate(app_label: str, name: str, *, backwards: bool = False, using: str = DEFAULT) -> list[str]:
    """The SQL of one migration, forwards or back; nothing is run. ``name`` may be the beginning of one.

    Raises ``LookupError`` for an unknown app or migration.
    """
    executor = MigrationExecutor(connections[using])
    _refuse_unmigrated(executor.loader, app_label)
    node = _found(executor.loader, app_label, name)
    return executor.collect_sql([(executor.loader.graph.nodes[node], backwards)])
