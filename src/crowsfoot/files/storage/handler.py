"""The storages that the setting STORAGES names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crowsfoot.conf import import_string, settings
from crowsfoot.errors import ImproperlyConfigured, unknown_name
from crowsfoot.files.storage.base import Storage

DEFAULT = "default"


class InvalidStorageError(ImproperlyConfigured):
    """A storage was asked for that STORAGES does not have, or cannot make."""


class StorageHandler:
    """Storages by their alias, made when they are first asked for: ``storages["default"]``.

    ``backends`` is ``{alias: {"BACKEND": path of a class, "OPTIONS": its arguments}}``, by default the setting
    STORAGES, whose changes are followed. Raises ``InvalidStorageError`` for an alias that it does not have.
    """

    def __init__(self, backends: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._backends = backends
        self._made: dict[str, tuple[Mapping[str, Any], Storage]] = {}

    @property
    def backends(self) -> Mapping[str, Mapping[str, Any]]:
        return settings.STORAGES if self._backends is None else self._backends

    def __getitem__(self, alias: str) -> Storage:
        params = self.backends.get(alias)
        if params is None:
            hint = unknown_name("storage", alias, "settings.STORAGES", self.backends)
            raise InvalidStorageError(f"Could not find config for '{alias}' in settings.STORAGES. {hint}")
        made = self._made.get(alias)
        if made is None or made[0] != params:
            made = self._made[alias] = (dict(params), self.create_storage(params))
        return made[1]

    def create_storage(self, params: Mapping[str, Any]) -> Storage:
        """A new storage of the class and with the options that are given."""
        path = params.get("BACKEND")
        if path is None:
            raise InvalidStorageError(f"A storage needs a BACKEND, the path of its class; there is only {params!r}.")
        try:
            made = import_string(path)
        except ImproperlyConfigured as error:
            raise InvalidStorageError(f"Could not find backend {path!r}: {error}") from error
        return made(**params.get("OPTIONS", {}))


storages = StorageHandler()


class DefaultStorage:
    """``storages["default"]``, whichever that is at the time: what a field without a storage of its own uses."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The storage's class, so that ``isinstance(default_storage, Storage)`` holds."""
        return type(storages[DEFAULT])

    def __getattr__(self, name: str) -> Any:
        return getattr(storages[DEFAULT], name)

    def __eq__(self, other: object) -> bool:
        return other is self or storages[DEFAULT] == other

    def __hash__(self) -> int:
        return hash(storages[DEFAULT])

    def __repr__(self) -> str:
        return f"<default storage: {storages[DEFAULT]!r}>"

    def __reduce__(self) -> str:
        return "default_storage"


default_storage: Any = DefaultStorage()
