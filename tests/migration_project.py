"""A project in a folder of its own, whose models a test rewrites as it goes."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import crowsfoot
from crowsfoot import apps as installed
from crowsfoot.conf import settings
from crowsfoot.database import Database, databases
from crowsfoot.drivers.run import Fetch
from crowsfoot.migrations import commands
from crowsfoot.migrations.questioner import MigrationQuestioner
from crowsfoot.models.model import apps

HEAD = "from crowsfoot import models\n\n"


class Project:
    """``write`` gives an app new models, ``make`` writes migrations, ``migrate`` runs them."""

    def __init__(self, root: Path, database: Database, labels: tuple[str, ...]) -> None:
        self.root, self.database, self.labels = root, database, labels

    def write(self, source: str, app: str = "blog") -> None:
        """Replace the models of an app, in the file and in memory."""
        (self.root / app / "models.py").write_text(HEAD + source)
        shutil.rmtree(self.root / app / "__pycache__", ignore_errors=True)
        self.forget(app)
        importlib.import_module(f"{app}.models")

    def forget(self, app: str) -> None:
        for model in apps.all_models.pop(app, {}).values():
            apps.registry.remove(model._meta.entity)
            apps.all_models_by_label.pop(model._meta.label_lower, None)
        apps.registry.relations = [r for r in apps.registry.relations if r.forward.owner.label.partition(".")[0] != app]
        sys.modules.pop(f"{app}.models", None)
        importlib.invalidate_caches()

    def model(self, name: str, app: str = "blog") -> Any:
        return apps.get_model(app, name)

    def make(self, *labels: str, **answers: Any) -> list[commands.Written]:
        return commands.make_migrations(labels, questioner=MigrationQuestioner(answers))

    def migrate(self, *target: str, **options: Any) -> list[str]:
        """The names of the migrations that ran, with a minus before those that were taken back."""
        steps = commands.migrate(*target, **options)
        return [f"{'-' if step.backwards else ''}{step.app_label}.{step.name}" for step in steps]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        def fetch(session: Any) -> Any:
            return (yield Fetch(sql, (), lambda rows: [tuple(row) for row in rows]))

        return self.database.run(fetch)  # type: ignore[no-any-return]

    def tables(self) -> set[str]:
        if self.database.vendor == "sqlite":
            found = self.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        else:
            found = self.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return {name for (name,) in found} - {"django_migrations"}


@contextmanager
def project_at(root: Path, url: str, *labels: str) -> Iterator[Project]:
    """A project with empty apps; everything it brought into the process is gone afterwards."""
    for label in labels:
        (root / label).mkdir()
        (root / label / "__init__.py").touch()
    sys.path.insert(0, str(root))
    database = crowsfoot.connect(url)
    project = Project(root, database, labels)
    try:
        with settings.override(INSTALLED_APPS=list(labels)):
            yield project
    finally:
        sys.path.remove(str(root))
        for label in labels:
            project.forget(label)
            installed._loaded.pop(label, None)
            for name in [name for name in sys.modules if name == label or name.startswith(f"{label}.")]:
                del sys.modules[name]
        databases.close_all()
