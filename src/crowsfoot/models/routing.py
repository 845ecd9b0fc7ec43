"""Which database a query goes to, as the routers of the settings say; and the few names that modules above fill in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crowsfoot.conf import import_string, settings
from crowsfoot.database import DEFAULT

# Set by `manager` and `model`: what querysets need of the classes built on top of them.
MANAGER: list[Any] = []
MODELS: list[Any] = []


class ConnectionRouter:
    """Asks routers one after the other; the first that has an answer gives it.

    Without ``routers``, given as instances or by their dotted names, it asks those of the settings.
    """

    def __init__(self, routers: Iterable[Any] | None = None) -> None:
        self._given = None if routers is None else list(routers)
        self._loaded: dict[str, Any] = {}

    @property
    def routers(self) -> list[Any]:
        given = settings.DATABASE_ROUTERS if self._given is None else self._given
        return [self._router(router) for router in given]

    def _router(self, router: Any) -> Any:
        if not isinstance(router, str):
            return router
        if router not in self._loaded:
            self._loaded[router] = import_string(router)()
        return self._loaded[router]

    def db_for_read(self, model: Any, **hints: Any) -> str:
        """The alias to read ``model`` from: without an answer that of the instance in ``hints``, or the default."""
        return self._ask("db_for_read", model, hints)

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """The alias to write ``model`` to."""
        return self._ask("db_for_write", model, hints)

    def _ask(self, method: str, model: Any, hints: Mapping[str, Any]) -> str:
        for router in self.routers:
            chosen = getattr(router, method, None)
            found = chosen(model, **hints) if chosen is not None else None
            if found:
                return str(found)
        return home(hints)

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        """Whether two instances may be related: without an answer, when they are of one database."""
        for router in self.routers:
            allow = getattr(router, "allow_relation", None)
            found = allow(obj1, obj2, **hints) if allow is not None else None
            if found is not None:
                return bool(found)
        return bool(obj1._state.db == obj2._state.db)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Whether tables of an app belong into a database; without an answer, they do."""
        for router in self.routers:
            allow = getattr(router, "allow_migrate", None)
            found = allow(db, app_label, **hints) if allow is not None else None
            if found is not None:
                return bool(found)
        return True

    def allow_migrate_model(self, db: str, model: Any) -> bool:
        """Whether the table of a model belongs into a database."""
        meta = model._meta
        return self.allow_migrate(db, meta.app_label, model_name=meta.model_name, model=model)

    def get_migratable_models(self, app_config: Any, db: str, include_auto_created: bool = False) -> list[Any]:
        """The models of an app whose tables belong into a database."""
        models = app_config.get_models(include_auto_created=include_auto_created)
        return [model for model in models if self.allow_migrate_model(db, model)]


router = ConnectionRouter()
allow_migrate = router.allow_migrate
allow_relation = router.allow_relation


def home(hints: Mapping[str, Any]) -> str:
    """The database of the instance that a query is about, else the default one."""
    instance = hints.get("instance")
    return DEFAULT if instance is None else str(instance._state.db or DEFAULT)


def read(model: Any, hints: Mapping[str, Any]) -> str:
    """The alias to read ``model`` from."""
    return router.db_for_read(model, **hints)


def write(model: Any, hints: Mapping[str, Any]) -> str:
    """The alias to write ``model`` to."""
    return router.db_for_write(model, **hints)


def model_of(label: str) -> Any:
    return MODELS[0].get_model(label)
