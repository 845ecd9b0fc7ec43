"""Which database a query goes to, as the routers of the settings say; and the few names that modules above fill in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crowsfoot.conf import import_string, settings
from crowsfoot.database import DEFAULT

# Set by `manager` and `model`: what querysets need of the classes built on top of them.
MANAGER: list[Any] = []
MODELS: list[Any] = []
_LOADED: dict[str, Any] = {}


def routers() -> list[Any]:
    """The routers of the settings, as instances."""
    return [_router(r) for r in settings.DATABASE_ROUTERS]


def _router(router: Any) -> Any:
    if not isinstance(router, str):
        return router
    if router not in _LOADED:
        _LOADED[router] = import_string(router)()
    return _LOADED[router]


def _ask(method: str, model: Any, hints: Mapping[str, Any]) -> str:
    for router in routers():
        chosen = getattr(router, method, None)
        found = chosen(model, **hints) if chosen is not None else None
        if found:
            return str(found)
    instance = hints.get("instance")
    if instance is not None and instance._state.db:
        return str(instance._state.db)
    return DEFAULT


def read(model: Any, hints: Mapping[str, Any]) -> str:
    """The alias to read ``model`` from."""
    return _ask("db_for_read", model, hints)


def write(model: Any, hints: Mapping[str, Any]) -> str:
    """The alias to write ``model`` to."""
    return _ask("db_for_write", model, hints)


def allow_relation(one: Any, other: Any) -> bool:
    """Whether two instances may be related: by the routers, else when they are of one database."""
    for router in routers():
        allow = getattr(router, "allow_relation", None)
        found = allow(one, other) if allow is not None else None
        if found is not None:
            return bool(found)
    return one._state.db == other._state.db


def allow_migrate(alias: str, app_label: str, **hints: Any) -> bool:
    """Whether tables of an app belong into a database."""
    for router in routers():
        allow = getattr(router, "allow_migrate", None)
        found = allow(alias, app_label, **hints) if allow is not None else None
        if found is not None:
            return bool(found)
    return True


def model_of(label: str) -> Any:
    return MODELS[0].get_model(label)
