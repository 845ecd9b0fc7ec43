"""The project file that settings usually come from: ``[tool.crowsfoot]`` of a ``pyproject.toml``."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeGuard, cast
from urllib.parse import quote, unquote

from crowsfoot.conf import settings
from crowsfoot.errors import ImproperlyConfigured, unknown_name


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
