"""``startproject`` and ``startapp``: the few files a project begins with."""

from __future__ import annotations

import keyword
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, cast

import tomlkit
from cyclopts import Parameter
from rich.text import Text
from tomlkit.exceptions import TOMLKitError

from crowsfoot.cli.console import CommandError, UsageError
from crowsfoot.cli.context import Context, Ctx

MANAGE = '''\
#!/usr/bin/env python
"""The commands of this project. `python manage.py --help` lists them."""

import sys
from pathlib import Path

import crowsfoot.django

crowsfoot.django.install()  # from here on, `from django.db import models` means Crowsfoot

from crowsfoot.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(start=Path(__file__).resolve().parent))
'''

PROJECT = """\
[tool.crowsfoot]
# `python manage.py startapp NAME` adds an app here.
apps = ["crowsfoot.contrib.contenttypes", "crowsfoot.contrib.auth"]

[tool.crowsfoot.databases]
# Or "postgresql://user:password@host/name". The environment variable DATABASE_URL comes before this line.
default = "sqlite:///db.sqlite3"
"""

MODELS = """\
# The tables of this app: a class is a table, an attribute is a column or a relation to another class.
#
#     class Author(models.Model):
#         name = models.CharField(max_length=100)
#
#     class Post(models.Model):
#         title = models.CharField(max_length=200)
#         author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")
#
# After every change here: python manage.py makemigrations, then python manage.py migrate.
from crowsfoot import models
"""


def startproject(
    name: str,
    directory: Annotated[Path | None, Parameter(name="directory")] = None,
    /,
    *,
    context: Ctx,
) -> int:
    """Begin a project: a folder with manage.py and pyproject.toml.

    Parameters
    ----------
    name
        What the project is called, and its new folder.
    directory
        A folder to put it in instead ('.' is this one). A pyproject.toml that is there already is added to.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise UsageError("Not a name for a project", f"{name!r} is to become a folder: use letters, digits, - and _.")
    folder = context.start / (directory or name)
    manage, settings = folder / "manage.py", folder / "pyproject.toml"
    if manage.exists():
        raise CommandError("There is a project already", f"{manage} exists.", "Choose another name or folder.")
    if directory is None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CommandError(
            "The folder is taken",
            f"{folder} exists and is not empty.",
            f"To begin the project in it all the same: {context.program} startproject {name} {name}",
        )
    text = PROJECT
    if settings.exists():
        old = _read(settings)
        if "crowsfoot" in cast("Any", tomlkit.parse(old)).get("tool", {}):
            raise CommandError("There is a project already", f"{settings} has a [tool.crowsfoot] table.")
        text = old.rstrip() + "\n\n" + PROJECT
    folder.mkdir(parents=True, exist_ok=True)
    settings.write_text(text, encoding="utf-8")
    manage.write_text(MANAGE, encoding="utf-8")
    manage.chmod(manage.stat().st_mode | 0o111)
    context.out.print(Text.assemble("Made ", (str(directory or name), "bold"), " with manage.py and pyproject.toml."))
    enter = [] if folder == context.start else [f"cd {directory or name}"]
    _next_steps(context, [*enter, "python manage.py startapp blog"])
    return 0


def startapp(name: str, /, *, context: Ctx) -> int:
    """Begin an app: a package for models and their migrations, listed in the project's apps.

    Parameters
    ----------
    name
        The name of the package, such as 'blog'.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        near = re.sub(r"\W+", "_", name).strip("_")
        hint = f"Try: {context.program} startapp {near}" if near.isidentifier() and not keyword.iskeyword(near) else ""
        raise UsageError(
            "Not a name for an app", f"{name!r} is to be imported: use letters, digits and _, and a letter first.", hint
        )
    project = context.find()
    folder = project.root / name
    if folder.exists():
        raise CommandError("The app is there already", f"{folder} exists.", "Choose another name.")
    if name in {app.rpartition(".")[2] for app in project.apps}:
        raise CommandError("The app is there already", f"{project.path} lists an app with the name {name!r}.")
    if find_spec(name) is not None:
        raise CommandError(
            "The name is taken",
            f"Python has a module {name!r}, which the app would hide.",
            "Choose another name.",
        )
    listed = add_app(_read(project.path), name)
    (folder / "migrations").mkdir(parents=True)
    for file in (folder / "__init__.py", folder / "migrations" / "__init__.py"):
        file.touch()
    (folder / "models.py").write_text(MODELS, encoding="utf-8")
    project.path.write_text(listed, encoding="utf-8")
    context.out.print(Text.assemble("Made ", (name, "bold"), f" and listed it in {project.path.name}."))
    manage = f"{context.program} "
    _next_steps(context, [f"write classes in {name}/models.py", f"{manage}makemigrations", f"{manage}migrate"])
    return 0


def add_app(text: str, name: str) -> str:
    """A project file's text with ``name`` in ``[tool.crowsfoot] apps``, everything else as it was.

    In an array of several lines it gets a line of its own.
    """
    document = tomlkit.parse(text)
    table = cast("Any", document)["tool"]["crowsfoot"]
    array: Any = table.get("apps")
    if array is None:
        table["apps"] = [name]
    elif "\n" in array.as_string():
        indents = re.findall(r"\n([ \t]*)[^\s\]]", array.as_string())
        array.add_line(name, indent=indents[-1] if indents else "    ")
    else:
        array.append(name)
    return tomlkit.dumps(document)


def _read(path: Path) -> str:
    """A project file's text. Raises ``CommandError`` where it is not TOML."""
    text = path.read_text(encoding="utf-8")
    try:
        tomlkit.parse(text)
    except TOMLKitError as error:
        raise CommandError("The project file cannot be read", f"{path} is not valid TOML: {error}") from error
    return text


def _next_steps(context: Context, steps: list[str]) -> None:
    context.out.print("Next:")
    for step in steps:
        context.out.print(Text(f"  {step}", "cyan"))
