"""``startproject`` and ``startapp``."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from crowsfoot.cli.console import CommandError, UsageError
from crowsfoot.cli.context import Context
from crowsfoot.cli.scaffold import MODELS, add_app, startapp, startproject


def table(folder: Path) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["crowsfoot"]
    return found


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_startproject_makes_two_files(tmp_path: Path, context: Context) -> None:
    assert startproject("mysite", context=context) == 0
    assert files(tmp_path) == {"mysite/manage.py", "mysite/pyproject.toml"}
    assert table(tmp_path / "mysite") == {
        "apps": ["crowsfoot.contrib.contenttypes", "crowsfoot.contrib.auth"],
        "databases": {"default": "sqlite:///db.sqlite3"},
    }
    assert os.access(tmp_path / "mysite" / "manage.py", os.X_OK)


def test_startproject_adds_to_a_pyproject_that_is_there(tmp_path: Path, context: Context) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"  # ours\n')
    assert startproject("shop", Path(), context=context) == 0
    assert (
        (tmp_path / "pyproject.toml").read_text().startswith('[project]\nname = "shop"  # ours\n\n[tool.crowsfoot]\n')
    )
    with pytest.raises(CommandError, match=r"manage\.py exists"):
        startproject("shop", Path(), context=context)
    (tmp_path / "manage.py").unlink()
    with pytest.raises(CommandError, match=r"has a \[tool\.crowsfoot\] table"):
        startproject("shop", Path(), context=context)


def test_startproject_leaves_a_folder_with_something_in_it_alone(tmp_path: Path, context: Context) -> None:
    (tmp_path / "mysite").mkdir()
    (tmp_path / "mysite" / "notes.txt").touch()
    with pytest.raises(CommandError, match="is not empty") as caught:
        startproject("mysite", context=context)
    assert caught.value.remedy == "To begin the project in it all the same: crowsfoot startproject mysite mysite"
    assert files(tmp_path) == {"mysite/notes.txt"}
    assert startproject("mysite", Path("mysite"), context=context) == 0


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "my site"])
def test_startproject_refuses_names_that_are_no_folder(tmp_path: Path, context: Context, name: str) -> None:
    with pytest.raises(UsageError, match="is to become a folder"):
        startproject(name, context=context)
    assert files(tmp_path) == set()


def test_startapp_makes_a_package_and_lists_it(tmp_path: Path, context: Context) -> None:
    startproject("mysite", Path(), context=context)
    assert startapp("blog", context=context) == 0
    assert {name for name in files(tmp_path) if name.startswith("blog/")} == {
        "blog/__init__.py",
        "blog/models.py",
        "blog/migrations/__init__.py",
    }
    assert table(tmp_path)["apps"] == ["crowsfoot.contrib.contenttypes", "crowsfoot.contrib.auth", "blog"]
    assert (tmp_path / "blog" / "models.py").read_text() == MODELS
    compile(MODELS, "models.py", "exec")


@pytest.mark.parametrize(
    ("name", "words"),
    [("my-blog", "startapp my_blog"), ("class", ""), ("2nd", ""), ("my blog", "startapp my_blog")],
)
def test_startapp_refuses_names_that_cannot_be_imported(context: Context, name: str, words: str) -> None:
    startproject("mysite", Path(), context=context)
    with pytest.raises(UsageError, match="is to be imported") as caught:
        startapp(name, context=context)
    assert words in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "words"), [("json", "Python has a module"), ("auth", "lists an app"), ("taken", "exists")]
)
def test_startapp_refuses_names_that_are_taken(tmp_path: Path, context: Context, name: str, words: str) -> None:
    startproject("mysite", Path(), context=context)
    (tmp_path / "taken").mkdir()
    before = files(tmp_path)
    with pytest.raises(CommandError, match=words):
        startapp(name, context=context)
    assert files(tmp_path) == before


def test_startapp_works_where_another_app_is_broken(project: Path, context: Context) -> None:
    (project / "blog" / "models.py").write_text("oops(")
    assert startapp("shop", context=context) == 0
    assert table(project)["apps"][-2:] == ["blog", "shop"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('# a\n[tool.crowsfoot] # b\napps = ["x"] # c\n', '# a\n[tool.crowsfoot] # b\napps = ["x", "blog"] # c\n'),
        ("[tool.crowsfoot]\napps = []\n", '[tool.crowsfoot]\napps = ["blog"]\n'),
        (
            '[tool.crowsfoot]\napps = [\n  "x", # ours\n  "y"\n]\n\n[z]\n',
            '[tool.crowsfoot]\napps = [\n  "x", # ours\n  "y",\n  "blog",\n]\n\n[z]\n',
        ),
        (
            '[tool.crowsfoot]\napps = [\n\t"x",\n\t# the last\n]\n',
            '[tool.crowsfoot]\napps = [\n\t"x",\n\t# the last\n\t"blog",\n]\n',
        ),
        (
            '[tool.crowsfoot]\nuse_tz = true\n[tool.crowsfoot.databases]\ndefault = "sqlite:///x"\n',
            '[tool.crowsfoot]\nuse_tz = true\napps = ["blog"]\n\n[tool.crowsfoot.databases]\ndefault = "sqlite:///x"\n',
        ),
    ],
)
def test_an_app_is_listed_and_the_rest_stays(before: str, after: str) -> None:
    assert add_app(before, "blog") == after
