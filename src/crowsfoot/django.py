"""`install()`: the same objects under Django's module names, so that code written for Django runs without Django.

``from django.db import models`` then gives ``crowsfoot.models``. Nothing of Django is loaded, and where a real Django
has been imported already nothing is replaced: two mappers with one name would only confuse.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from crowsfoot.errors import ImproperlyConfigured
from crowsfoot.naming import rename

# Each Django module, and the modules here that hold its names; the first that has a name gives it.
MODULES: dict[str, tuple[str, ...]] = {
    "django": ("crowsfoot.django",),
    "django.apps": ("crowsfoot.models.model", "crowsfoot.apps"),
    "django.apps.registry": ("crowsfoot.models.apps",),
    "django.conf": ("crowsfoot.conf",),
    "django.contrib": (),
    "django.core": (),
    "django.core.exceptions": ("crowsfoot.errors",),
    "django.core.files": ("crowsfoot.files",),
    "django.core.serializers": (),
    "django.core.serializers.json": ("crowsfoot.encoder",),
    "django.core.validators": ("crowsfoot.validators",),
    "django.db": ("crowsfoot.connection", "crowsfoot.errors", "crowsfoot", "crowsfoot.models.routing"),
    "django.db.migrations": ("crowsfoot.migrations",),
    "django.db.models": ("crowsfoot.models",),
    "django.db.models.aggregates": ("crowsfoot.query.aggregates",),
    "django.db.models.base": ("crowsfoot.models.model",),
    "django.db.models.constants": ("crowsfoot.models.constants",),
    "django.db.models.constraints": ("crowsfoot.models.constraints",),
    "django.db.models.deletion": ("crowsfoot.schema.relation", "crowsfoot.errors"),
    "django.db.models.enums": ("crowsfoot.enums",),
    "django.db.models.expressions": (
        "crowsfoot.query.expressions",
        "crowsfoot.query.func",
        "crowsfoot.query.resolved",
        "crowsfoot.models",
    ),
    "django.db.models.fetch_modes": ("crowsfoot.models.state",),
    "django.db.models.fields": ("crowsfoot.models.fields", "crowsfoot.models.fields.base"),
    "django.db.models.fields.files": ("crowsfoot.models.fields.files",),
    "django.db.models.fields.json": ("crowsfoot.models.fields.other", "crowsfoot.query.json"),
    "django.db.models.fields.related": (
        "crowsfoot.models.fields.foreign_key",
        "crowsfoot.models.fields.foreign_object",
        "crowsfoot.models.fields.many_to_many",
        "crowsfoot.models.fields.related",
        "crowsfoot.models.attributes",
        "crowsfoot.models.rels",
    ),
    "django.db.models.fields.related_lookups": ("crowsfoot.query.related_lookups",),
    "django.db.models.fields.related_descriptors": ("crowsfoot.models.attributes",),
    "django.db.models.fields.reverse_related": ("crowsfoot.models.rels",),
    "django.db.models.functions": ("crowsfoot.query.functions",),
    "django.db.models.indexes": ("crowsfoot.models.indexes",),
    "django.db.models.lookups": ("crowsfoot.query.lookups",),
    "django.db.models.manager": ("crowsfoot.models.manager",),
    "django.db.models.options": ("crowsfoot.models.options",),
    "django.db.models.query": (
        "crowsfoot.models.queryset",
        "crowsfoot.models.prefetch",
        "crowsfoot.models.plans",
        "crowsfoot.models.raw",
    ),
    "django.db.models.fields.tuple_lookups": ("crowsfoot.query.tuples",),
    "django.db.models.query_utils": (
        "crowsfoot.query.conditions",
        "crowsfoot.query.expressions",
        "crowsfoot.models.deferred",
        "crowsfoot.models.attributes",
        "crowsfoot.models.rels",
    ),
    "django.db.models.signals": ("crowsfoot.models.signals",),
    "django.db.models.sql": (),
    "django.db.transaction": ("crowsfoot.transaction",),
    "django.db.utils": ("crowsfoot.errors", "crowsfoot.connection", "crowsfoot.models.routing"),
    "django.dispatch": ("crowsfoot.models.dispatch",),
    "django.dispatch.dispatcher": ("crowsfoot.models.dispatch",),
    "django.utils": (),
    "django.utils.connection": ("crowsfoot.errors",),
    "django.utils.dateparse": ("crowsfoot.dateparse",),
    "django.utils.duration": ("crowsfoot.dateparse",),
    "django.utils.functional": ("crowsfoot.functional",),
    "django.utils.timezone": ("crowsfoot.timezones",),
    "django.utils.translation": ("crowsfoot.translation",),
}
# Whole packages that are found here module by module.
PACKAGES = {"django.contrib.": "crowsfoot.contrib.", "django.core.files.": "crowsfoot.files.",
            "django.db.migrations.": "crowsfoot.migrations.",
            "django.db.models.functions.": "crowsfoot.query.functions."}  # fmt: skip

VERSION = (6, 1, 0, "final", 0)


def setup() -> None:
    """Django's name for getting ready; Crowsfoot is ready when its apps are loaded."""


class Facade(ModuleType):
    """A module that answers with the names of others."""

    def __init__(self, name: str, sources: Sequence[str]) -> None:
        super().__init__(name, f"Crowsfoot under the name {name}.")
        self.__path__: list[str] = []
        self._sources = tuple(sources)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        for source in self._sources:
            module = import_module(source)
            if hasattr(module, name):
                found = getattr(module, name)
                if not isinstance(found, ModuleType) or name in EXPORTED_MODULES:
                    return found
        raise AttributeError(f"Crowsfoot has no {self.__name__}.{name}")

    def __dir__(self) -> list[str]:
        return sorted({name for source in self._sources for name in dir(import_module(source))})


EXPORTED_MODULES = {
    "aggregates", "expressions", "functions", "lookups", "migrations", "models", "signals", "timezone", "transaction",
}  # fmt: skip


class Finder(MetaPathFinder, Loader):
    """Finds ``django.*`` modules here."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if self.sources(fullname) is None:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def sources(self, fullname: str) -> tuple[str, ...] | None:
        """The modules that hold the names of a Django module; None where there is none."""
        if fullname in MODULES:
            known = tuple(source for source in MODULES[fullname] if _exists(source))
            return known if known or not MODULES[fullname] else None
        for prefix, here in PACKAGES.items():
            if fullname.startswith(prefix):
                name = here + fullname.removeprefix(prefix)
                return (name,) if _exists(name) else None
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Facade(spec.name, self.sources(spec.name) or ())

    def exec_module(self, module: ModuleType) -> None:
        for source in module._sources:
            import_module(source)


def _exists(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


FINDER = Finder()


def install() -> None:
    """Make ``import django`` mean Crowsfoot in this process, where its loggers and modules are called as in Django.

    Calling it again does nothing.

    Raises ``ImproperlyConfigured`` where the real Django has been imported.
    """
    if FINDER in sys.meta_path:
        return
    real = sys.modules.get("django")
    if real is not None:
        where = getattr(real, "__file__", None) or "an unknown place"
        raise ImproperlyConfigured(
            f"The real Django is imported already ({where}). crowsfoot.django.install() has to come before it, or "
            "write 'from crowsfoot import models' instead of 'from django.db import models'."
        )
    sys.meta_path.insert(0, FINDER)
    modules = {here: name for name, sources in reversed(MODULES.items()) for here in sources if "." in here}
    rename("django", modules, {here: name for name, here in PACKAGES.items()})
