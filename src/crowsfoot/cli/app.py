"""The commands, and ``main``, which runs one of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, Parameter
from rich.text import Text

from crowsfoot.cli.checking import check
from crowsfoot.cli.console import CommandError, is_explained, show_error
from crowsfoot.cli.context import Context, Ctx
from crowsfoot.cli.drawing import diagram
from crowsfoot.cli.migrating import makemigrations, migrate, showmigrations, sqlmigrate
from crowsfoot.cli.scaffold import startapp, startproject
from crowsfoot.cli.shell import shell
from crowsfoot.cli.tour import tour as show_tour
from crowsfoot.database import databases

TRACEBACK = "--traceback"


def tour(
    *,
    database: str | None = None,
    mermaid: Annotated[bool, Parameter(negative="")] = False,
    context: Ctx,
) -> int:
    """See what Crowsfoot does: a small blog is built, walked, deleted from and drawn. Needs no project.

    Parameters
    ----------
    database
        The URL of a PostgreSQL to do it on; by default it is SQLite in a temporary folder.
    mermaid
        Draw the models as Mermaid's text too, for a README.
    """
    return show_tour(database, mermaid, context.out)


COMMANDS: tuple[tuple[str, tuple[Callable[..., Any], ...]], ...] = (
    ("Begin", (tour, startproject, startapp)),
    ("Change the tables", (makemigrations, migrate, showmigrations, sqlmigrate)),
    ("Look at the models and the data", (shell, check, diagram)),
)


def make_app(program: str) -> App:
    """All commands, for whoever types ``program`` before them."""
    app = App(
        name=program,
        help="Crowsfoot: models with Django's names, relationships first.",
        help_epilogue=f"{program} COMMAND --help tells more. With {TRACEBACK} an error shows where it came from.",
        help_format="markdown",
        version=_version,
        version_flags=["--version"],
        error_formatter=lambda error: _usage(program, error),
    )
    app["--help"].group = app["--version"].group = Group("Also", sort_key=len(COMMANDS))
    for number, (title, commands) in enumerate(COMMANDS):
        group = Group(title, sort_key=number)
        for command in commands:
            app.command(command, group=group)
    return app


def main(argv: Sequence[str] | None = None, *, start: str | Path | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 a problem, 2 the command line was wrong.

    ``argv`` are the words after the program's name, by default the process's. The project is looked for from ``start``
    upward, by default from the working directory. Errors that explain themselves are shown without a traceback, unless
    ``--traceback`` is among the words.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    traceback = TRACEBACK in words
    if traceback:
        words.remove(TRACEBACK)
    folder = Path.cwd() if start is None else Path(start).absolute()
    context = Context(_program(sys.argv[0]), folder, traceback=traceback)
    app = make_app(context.program)
    try:
        command, bound, injected = app.parse_args(words, error_console=context.err, exit_on_error=False)
        return command(*bound.args, **bound.kwargs, **dict.fromkeys(injected, context)) or 0
    except CycloptsError:
        return 2  # it has been shown
    except KeyboardInterrupt:
        context.err.print("Stopped.", style="yellow")
        return 130
    except Exception as error:
        if traceback or not is_explained(error):
            raise
        show_error(context.err, error)
        return error.code if isinstance(error, CommandError) else 1
    finally:
        databases.close_all()


def _program(path: str) -> str:
    """What the user types before a command."""
    name = Path(path).name
    if name == "__main__.py":
        return "python -m crowsfoot"
    return f"python {name}" if name.endswith(".py") else "crowsfoot"


def _version() -> str:
    try:
        return version("crowsfoot")
    except PackageNotFoundError:  # run from its source folder
        return "unknown"


def _usage(program: str, error: CycloptsError) -> Text:
    """How a wrong command line is shown."""
    command = " ".join([program, *(error.command_chain or ())])
    return Text.assemble(
        ("Not a command line that works\n", "bold red"), str(error), (f"\n{command} --help tells what does.", "yellow")
    )
