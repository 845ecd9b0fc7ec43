"""Installed apps: packages whose ``models`` are imported, and the project file that names them."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from crowsfoot.conf import Project, find_project, settings
from crowsfoot.errors import ImproperlyConfigured, unknown_name
from crowsfoot.models.model import apps as models

DJANGO = "django.contrib."
OWN = "crowsfoot.contrib."


class AppConfig:
    """One installed app: ``name`` is its package, ``label`` its short name, ``path`` its folder."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self.name = name
        self.module = module
        self.label = name.rpartition(".")[2]
        self.verbose_name: str = getattr(module, "verbose_name", self.label.title())
        self.path = Path(module.__path__[0] if hasattr(module, "__path__") else str(module.__file__)).resolve()
        if not self.path.is_dir():
            self.path = self.path.parent
        self.models_module: ModuleType | None = None

    def get_models(self, include_auto_created: bool = False) -> list[Any]:
        """The app's models."""
        every = models.get_models(include_auto_created=include_auto_created)
        return [model for model in every if model._meta.app_label == self.label]

    def get_model(self, model_name: str, require_ready: bool = True) -> Any:
        return models.get_model(self.label, model_name)

    def import_models(self) -> None:
        """Import the app's ``models`` module, where it has one."""
        name = f"{self.name}.models"
        if hasattr(self.module, "__path__") and find_spec(name) is not None:
            self.models_module = import_module(name)

    def __repr__(self) -> str:
        return f"<AppConfig: {self.label}>"


_loaded: dict[str, AppConfig] = {}


def real_name(name: str) -> str:
    """The package that holds an app: Django's own apps are Crowsfoot's here."""
    return OWN + name.removeprefix(DJANGO) if name.startswith(DJANGO) else name


def load_apps() -> list[AppConfig]:
    """Import every app of ``settings.INSTALLED_APPS`` and its models. Raises ``ImproperlyConfigured`` for one that is
    not there."""
    found = []
    for name in settings.INSTALLED_APPS:
        real = real_name(name)
        if real not in _loaded:
            _loaded[real] = AppConfig(real, _import(real))
        found.append(_loaded[real])
    labels: dict[str, str] = {}
    for app in found:
        if labels.setdefault(app.label, app.name) != app.name:
            raise ImproperlyConfigured(
                f"Two installed apps are called {app.label!r}: {labels[app.label]} and {app.name}. "
                "Rename one of the folders."
            )
    for app in found:
        app.import_models()
    return found


def _import(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise
        nearby = [p.name for p in Path.cwd().iterdir() if (p / "__init__.py").exists()]
        raise ImproperlyConfigured(
            f"The installed app {name!r} cannot be imported. {unknown_name('package', name, 'This folder', nearby)}"
        ) from error


def app_configs() -> list[AppConfig]:
    """The installed apps, imported, in the order of the settings."""
    return load_apps()


def get_app_config(label: str) -> AppConfig:
    """The installed app with this label. Raises ``LookupError`` with the nearest one."""
    found = {app.label: app for app in load_apps()}
    if label not in found:
        raise LookupError(unknown_name("installed app", label, "This project", found))
    return found[label]


def load_project(start: str | Path | None = None) -> Project | None:
    """Find the project file from ``start`` (the current folder) upward, put its settings in force and import its apps.

    None where there is no project. Raises ``ImproperlyConfigured``.
    """
    project = find_project(start)
    if project is None:
        return None
    project.configure()
    root = str(project.root)
    if root not in sys.path:
        sys.path.insert(0, root)
    load_apps()
    return project
