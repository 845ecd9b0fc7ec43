"""What every command is handed: where it runs, what it prints with, and the project it is in."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from crowsfoot import django
from crowsfoot.apps import AppConfig, app_configs, load_project
from crowsfoot.cli.console import CommandError, UsageError, is_explained, output, problems
from crowsfoot.database import DEFAULT, Database, databases
from crowsfoot.errors import ModelError, unknown_name
from crowsfoot.models.model import apps
from crowsfoot.project import Project, find_project


@dataclass(frozen=True)
class Context:
    """One run of the command line.

    ``program`` is what the user types before the command (``crowsfoot``, ``python manage.py``), ``start`` the folder
    from which the project is looked for; ``traceback`` is whether errors are shown with all that led to them.
    """

    program: str = "crowsfoot"
    start: Path = field(default_factory=Path.cwd)
    out: Console = field(default_factory=output)
    err: Console = field(default_factory=problems)
    traceback: bool = False

    def find(self) -> Project:
        """The project, without its apps. Raises ``CommandError`` where there is none."""
        project = find_project(self.start)
        if project is None:
            raise CommandError(
                "There is no project here",
                f"Neither {self.start} nor a folder above it has a pyproject.toml with [tool.crowsfoot].",
                "Start one with: crowsfoot startproject mysite   (then: cd mysite)",
            )
        return project

    def load(self) -> Project:
        """The project with its settings in force and its apps imported, under Django's module names too.

        An error in the project's own code is raised as a ``CommandError`` that says which line it came from.
        """
        project = self.find()
        django.install()
        try:
            load_project(self.start)
        except Exception as error:
            place = _place(error, project.root)
            if place is None:
                raise
            raise CommandError(*place) from error
        return project

    def load_sound(self) -> Project:
        """``load``, and raise ``ModelError`` with everything that is wrong with the models."""
        project = self.load()
        apps.link()
        wrong = apps.problems()
        if wrong:
            raise ModelError(wrong)
        return project

    def chosen(self, labels: Sequence[str]) -> list[AppConfig]:
        """The installed apps of these labels; all of them, without any. Raises ``UsageError`` for an unknown one."""
        known = {app.label: app for app in app_configs()}
        for label in labels:
            if label not in known:
                raise UsageError(
                    "Unknown app",
                    unknown_name("app", label, "This project", known),
                    f"A new one is made with: {self.program} startapp {label}" if label.isidentifier() else "",
                )
        return [known[label] for label in labels] or list(known.values())

    def database(self, alias: str | None) -> Database:
        """The database of this alias. Raises ``UsageError`` for an unknown one."""
        if alias is not None and alias not in databases:
            raise UsageError("Unknown database", unknown_name("database", alias, "This project", databases))
        return databases[alias or DEFAULT]


def shown_url(database: Database, project: Project) -> str:
    """The database's URL for people: no password, and a file in the project by its name there."""
    return database.parts.safe.replace(f"{project.root.as_posix()}/", "")


Ctx = Annotated[Context, Parameter(parse=False)]
"""The type of a command's parameter that is given by ``main``, not by the command line."""


def _place(error: Exception, root: Path) -> tuple[str, str] | None:
    """Where in the project an error comes from, and its words; None where it did not pass through its code."""
    words = str(error)
    if not is_explained(error):
        words = "".join(traceback.TracebackException.from_exception(error).format_exception_only()).rstrip()
    if isinstance(error, SyntaxError) and error.filename is not None:
        # Its own lines name the file and show the place already; the title takes the first over.
        return f"{_relative(error.filename, root)}, line {error.lineno}", words.partition("\n")[2]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(root) and "site-packages" not in frame.filename:
            source = f"    {frame.line}\n" if frame.line else ""
            return f"{_relative(frame.filename, root)}, line {frame.lineno}", source + words
    return None


def _relative(filename: str, root: Path) -> str:
    path = Path(filename)
    return str(path.relative_to(root)) if path.is_relative_to(root) else filename
