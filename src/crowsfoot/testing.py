"""For tests: settings, tables, transactions that are rolled back, and the queries that were sent."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from crowsfoot import setup
from crowsfoot.apps import AppConfig, app_configs, is_class_path, make_config
from crowsfoot.apps import load_apps as load_installed
from crowsfoot.conf import settings as process_settings
from crowsfoot.connection import connections
from crowsfoot.database import DEFAULT, databases, run_here
from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.models import signals
from crowsfoot.models.apps import Apps
from crowsfoot.models.attributes import install_relation
from crowsfoot.models.model import apps, current
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.sql.ddl import Schema

T = TypeVar("T")


def configure(
    databases: dict[str, str], installed_apps: Sequence[str] = (), settings: dict[str, Any] | None = None
) -> None:
    """Put settings in force for the process: database URLs by alias, apps, and any others by name."""
    process_settings.configure(DATABASES=dict(databases), INSTALLED_APPS=list(installed_apps), **(settings or {}))


def load_apps() -> None:
    """Import the models of the installed apps."""
    load_installed()


def create_tables(app_labels: Sequence[str], using: str = DEFAULT) -> None:
    """Create the tables of these apps' models, and say ``post_migrate`` for each app, as ``migrate`` does."""
    models = [m for m in apps.get_models(include_auto_created=True) if m._meta.app_label in app_labels]
    if models:
        setup.create_tables(*models, using=using)
    _say_migrated([app for app in app_configs() if app.label in app_labels], using)


def _say_migrated(migrated: list[AppConfig], using: str) -> None:
    for app in migrated:
        signals.post_migrate.send(sender=app, app_config=app, using=using, apps=apps)


def flush(using: str = DEFAULT) -> None:
    """Empty every table that is there, start its numbering again, and say ``post_migrate`` for each installed app."""
    there = set(connections[using].introspection.table_names())
    models = [m for m in apps.get_models(include_auto_created=True) if m._meta.can_migrate(None)]
    entities = [m._meta.entity for m in models if m._meta.db_table in there]
    database = databases[using]
    statements = Schema(database.dialect).flush(entities)
    database.run(_flush, statements)
    _say_migrated(app_configs(), using)


def _flush(session: Session, statements: Any) -> Operation[None]:
    off = statements.needs_foreign_keys_off
    if off:
        yield Execute("PRAGMA foreign_keys=OFF")
    try:
        yield from atomically(session, _each(statements))
    finally:
        if off:
            yield Execute("PRAGMA foreign_keys=ON")


def _each(statements: Sequence[str]) -> Operation[None]:
    for statement in statements:
        yield Execute(statement)


@contextmanager
def rolled_back(using: str = DEFAULT) -> Generator[None]:
    """A transaction, or a savepoint in one, that is rolled back at the end whatever happened. They nest."""
    with databases[using].rolled_back():
        yield


class Captured(list[dict[str, str]]):
    """The statements that were sent, in order, each as ``{"sql": …}``."""


@contextmanager
def capture_queries(using: str = DEFAULT) -> Generator[Captured]:
    """Collect the statements sent to a database, savepoints included."""
    captured = Captured()

    def observe(sql: str, params: Any) -> None:
        captured.append({"sql": sql})

    with databases[using].watched(observe):
        yield captured


@contextmanager
def assert_num_queries(number: int, using: str = DEFAULT) -> Generator[Captured]:
    """Fail unless exactly ``number`` statements are sent; the message lists them."""
    with capture_queries(using) as captured:
        yield captured
    if len(captured) != number:
        listed = "\n".join(f"{i}. {query['sql']}" for i, query in enumerate(captured, 1))
        raise AssertionError(f"{len(captured)} queries were sent, {number} expected:\n{listed}")


def override_settings(**options: Any) -> AbstractContextManager[Any]:
    """Settings that hold as long as the block runs."""
    return process_settings.override(**options)


@contextmanager
def isolated_registry(*app_labels: str) -> Generator[Apps]:
    """New models land in a registry of their own as long as the block runs.

    The path of an ``AppConfig`` among ``app_labels`` says what their app says, whatever is installed.
    """
    with current.use(Apps(install_relation)) as scratch:
        scratch.packages.update(apps.packages)
        for config in [make_config(path) for path in app_labels if is_class_path(path)]:
            scratch.packages[config.name] = config.as_package()
        yield scratch


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on the connections of this thread, inside the transactions that are open on them."""
    for alias in databases:
        _ = databases[alias].session
    return run_here(lambda: coroutine)


@contextmanager
def capture_on_commit(using: str = DEFAULT) -> Generator[list[Callable[[], Any]]]:
    """The ``on_commit`` callbacks that are registered while the block runs."""
    session = databases[using].session
    start = len(session.on_commit)
    callbacks: list[Callable[[], Any]] = []
    yield callbacks
    callbacks[:] = [callback.function for callback in session.on_commit[start:]]
