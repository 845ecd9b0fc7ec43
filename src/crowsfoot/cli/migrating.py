"""``makemigrations``, ``migrate``, ``showmigrations`` and ``sqlmigrate``."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from crowsfoot.cli.console import UsageError, is_explained
from crowsfoot.cli.context import Context, Ctx, shown_url
from crowsfoot.cli.progress import Progress
from crowsfoot.migrations import commands
from crowsfoot.migrations.exceptions import AmbiguityError
from crowsfoot.migrations.questioner import (
    InteractiveMigrationQuestioner,
    MigrationQuestioner,
    NonInteractiveMigrationQuestioner,
    StopAsking,
)

Flag = Annotated[bool, Parameter(negative="")]


def makemigrations(
    labels: Annotated[list[str] | None, Parameter(name="apps")] = None,
    /,
    *,
    name: Annotated[str | None, Parameter(name=["--name", "-n"])] = None,
    dry_run: Flag = False,
    empty: Flag = False,
    merge: Flag = False,
    check: Flag = False,
    interactive: Annotated[bool, Parameter(name="--input")] = True,
    context: Ctx,
) -> int:
    """Write what has changed in the models into migration files, for 'migrate' to carry out.

    Parameters
    ----------
    labels
        Only for these apps.
    name
        What to call the file, in place of a name made from the changes.
    dry_run
        Show the files, and write none.
    empty
        A file without changes, to be filled in by hand.
    merge
        A file that joins two that were made side by side.
    check
        Write nothing; exit with 1 where something has changed.
    interactive
        Ask when a change can be read in two ways, such as a renamed field. --no-input never asks.
    """
    project = context.load_sound()
    context.chosen(labels or [])
    if name is not None and not name.isidentifier():
        raise UsageError("Not a name for a migration", f"{name!r} is to be imported: use letters, digits and _.")
    if empty and not labels:
        raise UsageError(
            "Which app?", "--empty makes a file for one app.", f"{context.program} makemigrations APP --empty"
        )
    written = commands.make_migrations(
        labels or [],
        questioner=make_questioner(context, labels or [], interactive and sys.stdin.isatty()),
        dry_run=dry_run or check,
        name=name,
        empty=empty,
        merge=merge,
    )
    if not written:
        context.out.print("Nothing has changed since the last migrations." if not merge else "Nothing needs merging.")
        return 0
    for one in written:
        context.out.print(Text.assemble(f"{one.app_label}: ", (_relative(one.path, project.root), "bold")))
        for operation in one.operations:
            context.out.print(f"  {operation.formatted_description()}")
        if dry_run:
            context.out.print(one.text, style="dim")
    if check:
        context.err.print(f"The models have changed. Write that down with: {context.program} makemigrations")
        return 1
    if not dry_run:
        context.out.print(Text.assemble("Next: ", (f"{context.program} migrate", "cyan")))
    return 0


def migrate(
    app: str | None = None,
    name: str | None = None,
    /,
    *,
    database: str | None = None,
    fake: Flag = False,
    plan: Flag = False,
    context: Ctx,
) -> int:
    """Bring the database to the state that the migrations describe.

    Parameters
    ----------
    app
        Only this app, and what it needs.
    name
        Up to this migration, or back to it; its first characters will do. 'zero' takes all of the app back.
    database
        The alias of the database; 'default' without it.
    fake
        Only note that the migrations were applied, and change no table.
    plan
        Show what would be done, and do nothing.
    """
    project = context.load_sound()
    where = context.database(database)
    url = shown_url(where, project)
    context.chosen([app] if app else [])
    with _names_explained():
        steps = commands.migrate(app, name, using=where.alias, plan_only=True)
    if plan:
        for step in steps:
            _print_step(context, step)
    elif steps:
        with Progress(context.err, "Migrating", len(steps)) as progress:
            report = Report(context, progress)
            commands.migrate(app, name, using=where.alias, fake=fake, progress=report)
        what = f"{len(steps)} {'migration' if len(steps) == 1 else 'migrations'} {'noted' if fake else 'done'}"
        context.out.print(f"{url}: {what}.", style="green")
    if not steps:
        context.out.print(f"Nothing to do: {url} is where it should be.", style="green")
    if app is None and commands.check_migrations():
        context.err.print("The models have changed since their last migrations.", style="yellow")
        context.err.print(f"Write that down with: {context.program} makemigrations", style="yellow")
    return 0


def showmigrations(
    labels: Annotated[list[str] | None, Parameter(name="apps")] = None,
    /,
    *,
    database: str | None = None,
    context: Ctx,
) -> int:
    """List the migrations, with an X at those that the database has.

    Parameters
    ----------
    labels
        Only those of these apps.
    database
        The alias of the database; 'default' without it.
    """
    context.load()
    context.chosen(labels or [])
    where = context.database(database)
    listed: dict[str, list[tuple[str, bool]]] = {label: [] for label in labels or []}
    for app, name, applied in commands.show_migrations(labels or None, using=where.alias):
        listed.setdefault(app, []).append((name, applied))
    for app, migrations in listed.items():
        context.out.print(app, style="bold")
        for name, applied in migrations:
            context.out.print(Text(f" [{'X' if applied else ' '}] {name}", "green" if applied else ""))
        if not migrations:
            context.out.print(" (no migrations)")
    return 0


def sqlmigrate(
    app: str,
    name: str,
    /,
    *,
    backwards: Flag = False,
    database: str | None = None,
    context: Ctx,
) -> int:
    """Print the SQL of a migration, and run none of it.

    Parameters
    ----------
    app
        The migration's app.
    name
        The migration; its first characters will do.
    backwards
        The SQL that takes it back.
    database
        The alias of the database that the SQL is for; 'default' without it.
    """
    context.load_sound()
    context.chosen([app])
    where = context.database(database)
    with _names_explained():
        statements = commands.sql_migrate(app, name, backwards=backwards, using=where.alias)
    for statement in statements:
        context.out.print(statement, soft_wrap=True)
    return 0


@contextmanager
def _names_explained() -> Generator[None, None, None]:
    """Show a migration that is not there, or a beginning that several share, as a wrong command line."""
    try:
        yield
    except AmbiguityError as error:
        raise UsageError("Which migration?", str(error)) from error
    except LookupError as error:
        if is_explained(error):
            raise
        raise UsageError("Unknown migration", str(error)) from error


def _print_step(context: Context, step: commands.Step) -> None:
    mark = "-" if step.backwards else "+"
    context.out.print(Text.assemble(f"{mark} ", (f"{step.app_label}.{step.name}", "bold")))
    for operation in step.operations:
        context.out.print(f"    {operation.describe()}")


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def make_questioner(context: Context, labels: list[str], interactive: bool) -> MigrationQuestioner:
    """Whoever answers what the models alone do not say: the person at the terminal, if there is one."""
    if not interactive:
        return NonInteractiveMigrationQuestioner(specified_apps=labels)

    def ask(question: str) -> str:
        context.err.print(Text(question, "bold"), end="")
        try:
            return input()
        except EOFError:
            raise StopAsking("There was no answer.") from None

    return InteractiveMigrationQuestioner(ask, context.err.print, specified_apps=labels)


class Report:
    """Tells of each migration as it is done: the ``progress`` of ``commands.migrate``."""

    def __init__(self, context: Context, progress: Progress) -> None:
        self.context, self.progress = context, progress

    def __call__(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if action.endswith("_start"):
            self.progress.doing(str(migration))
        elif action.endswith("_success"):
            self.progress.advance()
            mark = "-" if action.startswith("unapply") else "+"
            self.context.out.print(
                Text.assemble(f"  {mark} ", (str(migration), "bold"), " (only noted)" if fake else "")
            )
