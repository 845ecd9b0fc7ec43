"""The model classes of a process (or of one migration state) by app and name, above the registry of their entities."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from crowsfoot.conf import settings
from crowsfoot.errors import unknown_name
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.registry import Registry
from crowsfoot.schema.relation import Relation
from crowsfoot.sql.names import split_name


class Package(NamedTuple):
    """What models are told of the installed app that they are in."""

    label: str
    # The path of the class of keys that are not declared, and where that is written; None where the settings say it.
    auto_field: tuple[str | None, str] | None = None


class Apps:
    """Model classes by ``app_label`` and lower-case name. ``on_link`` is told of every relation that is made."""

    def __init__(self, on_link: Callable[[Relation], None]) -> None:
        self.registry = Registry()
        self.registry.on_link = on_link
        self.on_link = on_link
        self.all_models: dict[str, dict[str, Any]] = {}
        self.all_models_by_label: dict[str, Any] = {}
        self.packages: dict[str, Package] = {}
        # What waits for a model, by its label.
        self.waiting: dict[str, list[Callable[[Any], Any]]] = {}
        self.ready = True
        self.models_ready = self.apps_ready = True

    def register_model(self, app_label: str, model: Any) -> None:
        """Take a model in; the newest of two with one label stands, as when a module is loaded again."""
        name = model._meta.model_name
        old = self.all_models.get(app_label, {}).get(name)
        if old is not None:
            for relation in self.registry.remove(old._meta.entity):
                for end in relation.ends:
                    if end.accessor and getattr(vars(end.owner.model).get(end.accessor), "end", None) is end:
                        delattr(end.owner.model, end.accessor)
        self.all_models.setdefault(app_label, {})[name] = model
        self.all_models_by_label[model._meta.label_lower] = model
        self.registry.add(model._meta.entity, model._meta.declarations())
        for function in self.waiting.pop(model._meta.label_lower, ()):
            function(model)

    def lazy_model_operation(self, function: Callable[[Any], Any], label: str) -> None:
        """Call ``function`` with the model ``"app.Model"``: now, or once it is there. Raises ``ValueError``."""
        app_label, dot, name = label.partition(".")
        if not (app_label and dot and name):
            raise ValueError(
                f"Invalid model reference {label!r}. String model references must be of the form 'app_label.ModelName'."
            )
        model = self.all_models.get(app_label, {}).get(name.lower())
        if model is not None:
            function(model)
        else:
            self.waiting.setdefault(label.lower(), []).append(function)

    def package_of(self, module: str) -> Package | None:
        """The installed app that a module is in."""
        names = [name for name in self.packages if module == name or module.startswith(f"{name}.")]
        return self.packages[max(names, key=len)] if names else None

    def package_labelled(self, label: str) -> Package | None:
        return next((package for package in self.packages.values() if package.label == label), None)

    def link(self) -> None:
        """Link what can be linked now."""
        if self.registry.pending:
            self.registry.link()

    def swapped(self, label: str) -> str:
        """The label that a setting such as ``AUTH_USER_MODEL`` puts in place of ``label``."""
        model = self.all_models_by_label.get(label.lower())
        setting = getattr(model._meta, "swappable", None) if model is not None else None
        if setting:
            return str(getattr(settings, setting, label))
        return label

    def swappable_setting(self, label: str) -> str | None:
        """The setting that names the model ``label``, where there is one."""
        for model in self.all_models_by_label.values():
            setting = model._meta.swappable
            if setting and label.lower() in (
                model._meta.label_lower,
                str(getattr(settings, setting, model._meta.label)).lower(),
            ):
                return str(setting)
        return None

    def get_model(self, app_label: str, model_name: str | None = None, require_ready: bool = True) -> Any:
        """The model ``"app.Model"``, or ``app, "Model"``. Raises ``LookupError`` with the nearest name."""
        if model_name is None:
            app_label, _, model_name = app_label.partition(".")
        models = self.all_models.get(app_label)
        if models is None:
            raise LookupError(f"No installed app with label {app_label!r}.")
        found = models.get(model_name.lower())
        if found is None:
            names = [m._meta.object_name for m in models.values()]
            near = unknown_name("model", model_name, f"App {app_label!r}", names)
            raise LookupError(f"App '{app_label}' doesn't have a '{model_name}' model. {near}")
        return found

    get_registered_model = get_model

    def get_models(self, include_auto_created: bool = False, include_swapped: bool = False) -> list[Any]:
        """Every model; link models that were made for a many-to-many are left out unless asked for."""
        return [
            model
            for models in self.all_models.values()
            for model in models.values()
            if (include_auto_created or not model._meta.auto_created) and (include_swapped or not model._meta.swapped)
        ]

    def is_installed(self, app_name: str) -> bool:
        if app_name in self.packages:
            return True
        return app_name in settings.INSTALLED_APPS or app_name.rpartition(".")[2] in self.all_models

    def clear_cache(self) -> None:
        """Django's name; nothing is cached here that could be stale."""

    def problems(self) -> list[str]:
        """Everything that is wrong with the models, one sentence each."""
        found = self.registry.problems()
        for model in self.get_models():
            found += model._meta.problems()
        return list(dict.fromkeys(found))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.get_models())


class Current:
    """Which ``Apps`` new models land in."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps

    def entity_of(self, table: str) -> Entity | None:
        """The entity that is kept in a table, if it is one of these models'."""
        entities = self.apps.registry.entities.values()
        return next((e for e in entities if e is e.concrete and split_name(e.table.name)[1] == table), None)

    @contextmanager
    def use(self, apps: Apps) -> Generator[Apps]:
        """Let new models land in ``apps`` as long as the block runs."""
        before, self.apps = self.apps, apps
        try:
            yield apps
        finally:
            self.apps = before
