"""Installed apps: packages whose ``models`` are imported, and the project file that names them."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from crowsfoot.conf import import_string, settings
from crowsfoot.errors import ImproperlyConfigured, unknown_name
from crowsfoot.models.apps import Package
from crowsfoot.models.model import apps as models
from crowsfoot.models.model import current
from crowsfoot.project import Project, find_project

DJANGO = "django.contrib."
OWN = "crowsfoot.contrib."


class AppConfig:
    """One installed app: ``name`` is its package, ``label`` its short name, ``path`` its folder.

    An app may say more in a subclass in its ``apps`` module: another ``label``, a ``verbose_name``, the class of the
    keys that its models do not declare (``default_auto_field``), and what happens once all models are there
    (``ready()``). Of several subclasses there the one with ``default = True`` counts, or the one that INSTALLED_APPS
    names.
    """

    name: str
    label: str
    verbose_name: str
    default_auto_field: str | None

    def __init__(self, name: str, module: ModuleType) -> None:
        cls = type(self)
        self.name = name
        self.module = module
        self.label = getattr(cls, "label", name.rpartition(".")[2])
        self.verbose_name = getattr(cls, "verbose_name", getattr(module, "verbose_name", self.label.title()))
        self.is_ready = False
        self.path = Path(module.__path__[0] if hasattr(module, "__path__") else str(module.__file__)).resolve()
        if not self.path.is_dir():
            self.path = self.path.parent
        self.models_module: ModuleType | None = None

    def ready(self) -> None:
        """Called once, when all apps and their models are imported; a subclass connects its signals here."""

    def as_package(self) -> Package:
        """What models are told of their app."""
        cls = type(self)
        given = hasattr(cls, "default_auto_field")
        source = f"{cls.__module__}.{cls.__qualname__}.default_auto_field"
        return Package(self.label, (cls.default_auto_field, source) if given else None)

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
            _loaded[real] = make_config(real)
        found.append(_loaded[real])
        models.packages[_loaded[real].name] = _loaded[real].as_package()
    labels: dict[str, str] = {}
    for app in found:
        if labels.setdefault(app.label, app.name) != app.name:
            raise ImproperlyConfigured(
                f"Two installed apps are called {app.label!r}: {labels[app.label]} and {app.name}. "
                "Rename one of the folders."
            )
    registry = current.apps
    registry.models_ready = all(app.is_ready for app in found)
    try:
        for app in found:
            app.import_models()
    finally:
        registry.models_ready = True
    for app in found:
        if not app.is_ready:
            app.is_ready = True
            app.ready()
    return found


def is_class_path(entry: str) -> bool:
    """Whether an entry of INSTALLED_APPS names a class in a module: ``"blog.apps.BlogConfig"``."""
    package, _, last = entry.rpartition(".")
    return bool(package) and last[:1].isupper()


def make_config(entry: str) -> AppConfig:
    """The app that an entry of INSTALLED_APPS means: a package, or a subclass of ``AppConfig``.

    Raises ``ImproperlyConfigured`` for what is neither.
    """
    if is_class_path(entry):
        kind = import_string(entry)
    else:
        module = _import(entry)
        kinds = _kinds_of(entry, module)
        if len(kinds) != 1:
            return AppConfig(entry, module)
        (kind,) = kinds
    if not isinstance(kind, type) or not issubclass(kind, AppConfig):
        raise ImproperlyConfigured(f"{entry!r} isn't a subclass of AppConfig.")
    name: str | None = getattr(kind, "name", None)
    if not name:
        raise ImproperlyConfigured(f"{kind.__module__}.{kind.__qualname__} must supply a name attribute.")
    return kind(name, _import(name))


def _kinds_of(name: str, module: ModuleType) -> list[Any]:
    """The subclasses of ``AppConfig`` that a package has in its ``apps`` module, and the default one alone."""
    if not hasattr(module, "__path__") or find_spec(f"{name}.apps") is None:
        return []
    held = vars(import_module(f"{name}.apps")).values()
    kinds = [kind for kind in held if isinstance(kind, type) and issubclass(kind, AppConfig) and kind is not AppConfig]
    kinds = [kind for kind in kinds if getattr(kind, "default", True)]
    chosen = [kind for kind in kinds if getattr(kind, "default", None)]
    return chosen or kinds


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
