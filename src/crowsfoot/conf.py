"""The settings of the process.

This is the lowest floor beside ``errors``: it knows the names, the defaults and the types of settings and nothing of
what they are for. ``settings`` is the one object; ``crowsfoot.project`` reads them from a project's file.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from threading import RLock
from typing import Any, Final

from crowsfoot.errors import ImproperlyConfigured, unknown_name

_AUTH: Final = "crowsfoot.contrib.auth."
_HASHERS: Final = _AUTH + "hashers."
_MISSING: Final = object()


def _defaults() -> dict[str, Any]:
    """Fresh default values: a list that one test fills is not the list of the next."""
    return {
        "ABSOLUTE_URL_OVERRIDES": {},
        "AUTHENTICATION_BACKENDS": [_AUTH + "backends.ModelBackend"],
        "AUTH_PASSWORD_VALIDATORS": [],
        "AUTH_USER_MODEL": "auth.User",
        "DATABASES": {},
        "DATABASE_ROUTERS": [],
        "DEBUG": False,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "DEFAULT_INDEX_TABLESPACE": "",
        "DEFAULT_TABLESPACE": "",
        "FILE_UPLOAD_DIRECTORY_PERMISSIONS": None,
        "FILE_UPLOAD_PERMISSIONS": 0o644,
        "FILE_UPLOAD_TEMP_DIR": None,
        "INSTALLED_APPS": [],
        "LANGUAGE_CODE": "en",
        "MEDIA_ROOT": "",
        "MEDIA_URL": "",
        "MIGRATION_MODULES": {},
        "PASSWORD_HASHERS": [
            _HASHERS + "Argon2PasswordHasher",
            _HASHERS + "PBKDF2PasswordHasher",
            _HASHERS + "PBKDF2SHA1PasswordHasher",
            _HASHERS + "ScryptPasswordHasher",
        ],
        "SECRET_KEY": "",
        "STORAGES": {"default": {"BACKEND": "crowsfoot.files.storage.FileSystemStorage"}},
        "TIME_ZONE": "UTC",
        "USE_TZ": True,
    }


class Settings:
    """The settings in force, read as attributes: ``settings.USE_TZ``.

    Values lie in layers: the defaults, what ``configure`` set, and one layer for each ``override`` that is open. The
    sum of them is kept in the instance's ``__dict__``, so that reading a setting costs a plain attribute look-up.
    Settings hold for the whole process, in every thread.
    """

    ABSOLUTE_URL_OVERRIDES: dict[str, Any]
    AUTHENTICATION_BACKENDS: list[str]
    AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]]
    AUTH_USER_MODEL: str
    DATABASES: dict[str, Any]
    DATABASE_ROUTERS: list[Any]
    DEBUG: bool
    DEFAULT_AUTO_FIELD: str
    DEFAULT_INDEX_TABLESPACE: str
    DEFAULT_TABLESPACE: str
    FILE_UPLOAD_DIRECTORY_PERMISSIONS: int | None
    FILE_UPLOAD_PERMISSIONS: int | None
    FILE_UPLOAD_TEMP_DIR: str | os.PathLike[str] | None
    INSTALLED_APPS: list[str]
    LANGUAGE_CODE: str
    MEDIA_ROOT: str | os.PathLike[str]
    MEDIA_URL: str | None
    MIGRATION_MODULES: dict[str, str | None]
    PASSWORD_HASHERS: list[str]
    SECRET_KEY: str
    STORAGES: dict[str, dict[str, Any]]
    TIME_ZONE: str
    USE_TZ: bool

    _layers: list[dict[str, Any]]
    _lock: RLock

    def __init__(self) -> None:
        object.__setattr__(self, "_lock", RLock())
        object.__setattr__(self, "_layers", [_defaults(), {}])
        self._rebuild()

    def configure(self, **values: Any) -> None:
        """Set these for the rest of the process; a second call adds to the first.

        An open ``override`` of the same name still wins until it closes. Names that Crowsfoot does not know are kept
        for whoever does. Raises ``ImproperlyConfigured`` for a name that is not in upper case.
        """
        _check_names(values)
        with self._lock:
            self._layers[1].update(values)
            self._rebuild()

    @contextmanager
    def override(self, **values: Any) -> Generator[None, None, None]:
        """Set these for a block, and put back what was there. Blocks nest, and may end in any order.

        Raises ``ImproperlyConfigured`` for a name that is not in upper case.
        """
        _check_names(values)
        layer = dict(values)
        with self._lock:
            self._layers.append(layer)
            self._rebuild()
        try:
            yield
        finally:
            with self._lock:
                self._layers = [other for other in self._layers if other is not layer]
                self._rebuild()

    def reset(self) -> None:
        """Forget everything that was configured or overridden."""
        with self._lock:
            self._layers = [_defaults(), {}]
            self._rebuild()

    def is_overridden(self, name: str) -> bool:
        """Whether ``name`` has been given a value, by ``configure``, by ``override`` or by assignment."""
        return any(layer.get(name, _MISSING) is not _MISSING for layer in self._layers[1:])

    def _rebuild(self) -> None:
        merged: dict[str, Any] = {}
        for layer in self._layers:
            merged.update(layer)
        merged = {name: value for name, value in merged.items() if value is not _MISSING}
        for name in [name for name in self.__dict__ if name.isupper() and name not in merged]:
            del self.__dict__[name]
        self.__dict__.update(merged)

    def __getattr__(self, name: str) -> Any:
        # Only reached when the name is not in __dict__. A protocol such as copy or inspect asks for dunder names.
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(_unknown(name, [*self]))

    def __setattr__(self, name: str, value: Any) -> None:
        """Set one value in the innermost open block, or for the process where none is open."""
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        _check_names([name])
        with self._lock:
            self._layers[-1][name] = value
            self._rebuild()

    def __delattr__(self, name: str) -> None:
        """Make a setting unknown in the innermost open block, or for the process where none is open."""
        getattr(self, name)
        with self._lock:
            self._layers[-1][name] = _MISSING
            self._rebuild()

    def __iter__(self) -> Iterator[str]:
        """The names of all settings in force."""
        yield from sorted(name for name in self.__dict__ if name.isupper())

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self})

    def __repr__(self) -> str:
        changed = ", ".join(name for name in self if self.is_overridden(name))
        return f"<Settings: {changed or 'defaults'}>"


def _unknown(name: str, known: list[str]) -> str:
    if name.upper() in known:  # `settings.use_tz`: too far from USE_TZ for a comparison of letters
        return f"settings has no setting {name!r}. Did you mean {name.upper()!r}?"
    return unknown_name("setting", name, "settings", known)


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if not name.isupper():
            near = get_close_matches(name.upper(), _defaults(), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ImproperlyConfigured(f"Settings are written in upper case, not {name!r}.{hint}")


settings: Final = Settings()
"""The settings of this process."""


class SettingsReference(str):
    """The value of a setting that knows which setting it is, so that a migration can name that in its place."""

    setting_name: str

    def __new__(cls, value: str, setting_name: str) -> SettingsReference:
        self = str.__new__(cls, value)
        self.setting_name = setting_name
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return SettingsReference, (str(self), self.setting_name)


def import_string(path: str) -> Any:
    """What a setting names by its dotted path: ``"blog.routers.Blog"``. Raises ``ImproperlyConfigured``."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ImproperlyConfigured(f"{path!r}, which the settings name, cannot be imported: {error}") from error
