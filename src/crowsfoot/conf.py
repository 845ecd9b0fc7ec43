"""The settings of the process, and the project file they usually come from.

This is the lowest floor beside ``errors``: it knows the names, the defaults and the types of settings and nothing of
what they are for. ``settings`` is the one object; ``find_project`` reads ``[tool.crowsfoot]`` of a ``pyproject.toml``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any, Final, TypeGuard, cast
from urllib.parse import quote, unquote

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


# -- the project file --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Project:
    """What ``[tool.crowsfoot]`` of one ``pyproject.toml`` says.

    ``path`` is the file and ``root`` its directory, against which a relative SQLite path is meant. ``apps`` and
    ``databases`` (alias to URL) have their own keys in the file; ``settings`` holds every other setting that is
    written there, under its upper-case name.
    """

    path: Path
    apps: tuple[str, ...] = ()
    databases: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def root(self) -> Path:
        return self.path.parent

    def configure(self) -> None:
        """Put all of it into ``settings``: the apps as INSTALLED_APPS, the databases as DATABASES.

        A SQLite file is the same one from whatever folder a command is run, and so is MEDIA_ROOT.
        """
        values: dict[str, Any] = dict(self.settings)
        if values.get("MEDIA_ROOT"):
            values["MEDIA_ROOT"] = str(self.root.absolute() / values["MEDIA_ROOT"])
        if self.apps:
            values["INSTALLED_APPS"] = list(self.apps)
        if self.databases:
            values["DATABASES"] = {alias: _anchored(url, self.root) for alias, url in self.databases.items()}
        settings.configure(**values)


def _anchored(url: str, root: Path) -> str:
    """A database's URL with the path of a SQLite file made absolute."""
    scheme, _, path = url.partition(":///")
    if scheme.lower() not in {"sqlite", "sqlite3"} or not path or path.startswith((":memory:", "file:")):
        return url
    if Path(unquote(path.partition("?")[0])).is_absolute():
        return url
    return f"{scheme}:///{quote(root.absolute().as_posix())}/{path}"


_STRINGS: Final = "a list of strings"
_STRING_TABLE: Final = "a table of strings"
_TABLES: Final = "a list of tables"
_TABLE_OF_TABLES: Final = "a table of tables"
_NUMBER: Final = "a whole number"
_KINDS: Final[dict[str, str]] = {
    "apps": _STRINGS,
    "authentication_backends": _STRINGS,
    "auth_password_validators": _TABLES,
    "auth_user_model": "a string",
    "databases": _STRING_TABLE,
    "database_routers": _STRINGS,
    "debug": "true or false",
    "default_auto_field": "a string",
    "default_index_tablespace": "a string",
    "default_tablespace": "a string",
    "file_upload_directory_permissions": _NUMBER,
    "file_upload_permissions": _NUMBER,
    "file_upload_temp_dir": "a string",
    "language_code": "a string",
    "media_root": "a string",
    "media_url": "a string",
    "migration_modules": _STRING_TABLE,
    "password_hashers": _STRINGS,
    "secret_key": "a string",
    "storages": _TABLE_OF_TABLES,
    "time_zone": "a string",
    "use_tz": "true or false",
}
"""The keys of ``[tool.crowsfoot]`` and what each must hold."""


def find_project(
    start: str | os.PathLike[str] | None = None, environ: Mapping[str, str] | None = None
) -> Project | None:
    """The project that ``start`` (a directory or a file in it; by default the working directory) belongs to.

    It is described by the nearest ``pyproject.toml`` upwards that has a ``[tool.crowsfoot]`` table; None where there is
    none. ``DATABASE_URL`` of ``environ`` (by default the process's) takes the place of the default database's URL.
    Raises ``ImproperlyConfigured``, naming the file and the key, for a file that is not TOML, an unknown key or a value
    of the wrong type.
    """
    here = Path.cwd() if start is None else Path(start).absolute()
    for folder in (here, *here.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            table = _read_table(path)
            if table is not None:
                return _project(path, table, os.environ if environ is None else environ)
    return None


def _read_table(path: Path) -> dict[str, Any] | None:
    """The ``[tool.crowsfoot]`` table of a file, None where it has none."""
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be read: {error.strerror}") from error
    tool = document.get("tool")
    table = cast("dict[str, Any]", tool).get("crowsfoot") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise ImproperlyConfigured(f"{path}: tool.crowsfoot must be a table, not {table!r}.")
    return cast("dict[str, Any]", table)


def _project(path: Path, table: dict[str, Any], environ: Mapping[str, str]) -> Project:
    where = f"{path}: [tool.crowsfoot]"
    for key, value in table.items():
        kind = _KINDS.get(key)
        if kind is None:
            known = "apps" if key.lower() == "installed_apps" else key.lower()
            hint = f" Did you mean {known!r}?" if known != key and known in _KINDS else ""
            raise ImproperlyConfigured(unknown_name("key", key, where, _KINDS) + hint)
        if not _fits(value, kind):
            raise ImproperlyConfigured(f"{where} {key} must be {kind}, not {value!r}.")
    databases: dict[str, str] = dict(table.get("databases", {}))
    if environ.get("DATABASE_URL"):
        databases["default"] = environ["DATABASE_URL"]
    values = {key.upper(): value for key, value in table.items() if key not in {"apps", "databases"}}
    return Project(path, tuple(table.get("apps", ())), databases, values)


def _fits(value: Any, kind: str) -> bool:
    """Whether a value from a TOML file is of the kind that ``_KINDS`` names."""
    if kind == "true or false":
        return isinstance(value, bool)
    if kind == "a string":
        return isinstance(value, str)
    if kind == _NUMBER:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in {_STRING_TABLE, _TABLE_OF_TABLES}:
        expected = str if kind == _STRING_TABLE else dict
        return isinstance(value, dict) and all(
            isinstance(part, expected) for part in cast("dict[str, Any]", value).values()
        )
    return _is_list(value) and all(isinstance(part, dict if kind == _TABLES else str) for part in value)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
