"""Settings in layers, and the project file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crowsfoot.conf import Settings, settings
from crowsfoot.errors import ImproperlyConfigured
from crowsfoot.project import Project, find_project


@pytest.fixture
def own() -> Settings:
    return Settings()


def test_defaults(own: Settings) -> None:
    assert own.USE_TZ is True
    assert own.TIME_ZONE == "UTC"
    assert own.AUTH_USER_MODEL == "auth.User"
    assert own.DEFAULT_AUTO_FIELD == "django.db.models.BigAutoField"
    assert own.PASSWORD_HASHERS[0].endswith(".Argon2PasswordHasher")
    assert own.INSTALLED_APPS is not Settings().INSTALLED_APPS
    assert repr(own) == "<Settings: defaults>"


def test_unknown_setting_names_the_nearest(own: Settings) -> None:
    with pytest.raises(AttributeError, match=r"settings has no setting 'TIMEZONE'\. Did you mean 'TIME_ZONE'\?"):
        _ = own.TIMEZONE
    with pytest.raises(AttributeError, match=r"Did you mean 'USE_TZ'\?"):
        _ = own.use_tz
    assert not hasattr(own, "__wrapped__")
    assert getattr(own, "MINE", 3) == 3


def test_configure_adds_and_takes_extra_names(own: Settings) -> None:
    own.configure(USE_TZ=False, MINE=1)
    own.configure(DEBUG=True)
    assert (own.USE_TZ, own.MINE, own.DEBUG) == (False, 1, True)
    assert "MINE" in list(own)
    assert "MINE" in dir(own)
    assert repr(own) == "<Settings: DEBUG, MINE, USE_TZ>"
    own.reset()
    assert own.USE_TZ is True
    assert not hasattr(own, "MINE")


@pytest.mark.parametrize("name", ["use_tz", "Use_Tz", "usetz"])
def test_lower_case_names_are_refused(own: Settings, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="'USE_TZ'"):
        own.configure(**{name: True})
    with pytest.raises(ImproperlyConfigured), own.override(**{name: True}):
        pass
    with pytest.raises(ImproperlyConfigured):
        setattr(own, name, True)


def test_override_nests_and_restores(own: Settings) -> None:
    with own.override(TIME_ZONE="Asia/Tokyo", EXTRA=1):
        with own.override(TIME_ZONE="Europe/Paris"):
            assert own.TIME_ZONE == "Europe/Paris"
            assert own.EXTRA == 1
            own.configure(TIME_ZONE="America/Lima")
            assert own.TIME_ZONE == "Europe/Paris"
        assert own.TIME_ZONE == "Asia/Tokyo"
    assert own.TIME_ZONE == "America/Lima"
    assert not hasattr(own, "EXTRA")


def test_override_restores_after_an_error_and_out_of_order(own: Settings) -> None:
    with pytest.raises(KeyError), own.override(DEBUG=True):
        raise KeyError
    assert own.TIME_ZONE == "UTC"
    first, second = own.override(TIME_ZONE="a"), own.override(TIME_ZONE="b")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert own.TIME_ZONE == "b"
    second.__exit__(None, None, None)
    assert own.TIME_ZONE == "UTC"


def test_assignment_and_deletion_stay_in_the_block(own: Settings) -> None:
    with own.override():
        own.DEBUG = True
        del own.USE_TZ
        assert own.DEBUG is True
        assert own.is_overridden("DEBUG")
        assert not hasattr(own, "USE_TZ")
        assert not own.is_overridden("USE_TZ")
        with pytest.raises(AttributeError):
            del own.USE_TZ
    assert own.DEBUG is False
    assert own.USE_TZ is True


def test_overrides_from_threads_do_not_lose_each_other(own: Settings) -> None:
    def work(number: int) -> None:
        for _ in range(200):
            with own.override(**{f"T{number}": number}):
                assert getattr(own, f"T{number}") == number

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert repr(own) == "<Settings: defaults>"


PROJECT = """
[tool.crowsfoot]
apps = ["blog", "shop"]
use_tz = false
time_zone = "Europe/Paris"
auth_user_model = "blog.Person"
[tool.crowsfoot.databases]
default = "sqlite:///db.sqlite3"
other = "postgresql:///other"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def restored() -> Iterator[None]:
    with settings.override():
        yield
    settings.reset()


def test_project_is_found_upwards(tmp_path: Path, restored: None) -> None:
    path = write(tmp_path, PROJECT)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    write(deep, "[project]\nname = 'inner'\n")
    project = find_project(deep, environ={})
    assert project is not None
    assert project.path == path
    assert project.root == tmp_path
    assert project.apps == ("blog", "shop")
    assert project.databases == {"default": "sqlite:///db.sqlite3", "other": "postgresql:///other"}
    assert project.settings == {"USE_TZ": False, "TIME_ZONE": "Europe/Paris", "AUTH_USER_MODEL": "blog.Person"}
    assert find_project(path, environ={}) == project
    project.configure()
    assert settings.INSTALLED_APPS == ["blog", "shop"]
    assert {"default": f"sqlite:///{tmp_path}/db.sqlite3", "other": "postgresql:///other"} == settings.DATABASES
    assert settings.USE_TZ is False


def test_database_url_takes_the_place_of_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, PROJECT)
    monkeypatch.setenv("DATABASE_URL", "postgresql:///live")
    monkeypatch.chdir(tmp_path)
    project = find_project()
    assert project is not None
    assert project.databases == {"default": "postgresql:///live", "other": "postgresql:///other"}
    project = find_project(environ={"DATABASE_URL": ""})
    assert project is not None
    assert project.databases["default"] == "sqlite:///db.sqlite3"


@pytest.mark.parametrize(
    ("url", "configured"),
    [
        ("sqlite:///data/blog.db?timeout=9", "sqlite:////srv/my%20site/data/blog.db?timeout=9"),
        ("sqlite:////var/blog.db", "sqlite:////var/blog.db"),
        ("sqlite://:memory:", "sqlite://:memory:"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///file:blog?mode=memory", "sqlite:///file:blog?mode=memory"),
        ("postgresql:///blog", "postgresql:///blog"),
    ],
)
def test_sqlite_files_lie_in_the_project(restored: None, url: str, configured: str) -> None:
    Project(Path("/srv/my site/pyproject.toml"), databases={"default": url}).configure()
    assert {"default": configured} == settings.DATABASES


def test_no_project(tmp_path: Path) -> None:
    write(tmp_path, "[project]\nname = 'x'\n")
    assert find_project(tmp_path) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("apps = 'blog'", r"apps must be a list of strings, not 'blog'"),
        ("apps = [1]", r"apps must be a list of strings"),
        ("use_tz = 1", r"use_tz must be true or false, not 1"),
        ("time_zone = true", r"time_zone must be a string"),
        ("databases = 'sqlite://'", r"databases must be a table of strings"),
        ("databases = {default = 1}", r"databases must be a table of strings"),
        ("auth_password_validators = ['x']", r"auth_password_validators must be a list of tables"),
        ("database = {default = 'x'}", r"has no key 'database'. Did you mean 'databases'\?"),
        ("USE_TZ = true", r"Did you mean 'use_tz'\?"),
        ("installed_apps = []", r"Did you mean 'apps'\?"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path, f"[tool.crowsfoot]\n{line}\n")
    with pytest.raises(ImproperlyConfigured, match=message) as caught:
        find_project(tmp_path, environ={})
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", [b"[tool", b"\xff\xfe", b"[tool]\ncrowsfoot = 1"])
def test_files_that_are_not_projects(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text)
    with pytest.raises(ImproperlyConfigured, match=r"pyproject\.toml"):
        find_project(tmp_path)


def test_start_may_be_any_path(tmp_path: Path) -> None:
    write(tmp_path, PROJECT)
    start: Any = os.fspath(tmp_path / "nowhere" / "yet")
    assert find_project(start, environ={}) is not None
