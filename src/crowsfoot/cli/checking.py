"""``check``: whether the models are sound, and on demand whether a database has their tables."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from crowsfoot.cli.context import Context, Ctx, shown_url
from crowsfoot.cli.progress import Progress
from crowsfoot.database import Database
from crowsfoot.errors import DatabaseError
from crowsfoot.models.model import apps


def check(
    labels: Annotated[list[str] | None, Parameter(name="apps")] = None,
    /,
    *,
    database: str | None = None,
    context: Ctx,
) -> int:
    """Look for mistakes in the models, without touching a database unless asked to.

    Parameters
    ----------
    labels
        Only tell of these apps.
    database
        Also look whether this database (an alias, such as 'default') has the tables and columns. One query for each
        table.
    """
    project = context.load()
    chosen = {app.label for app in context.chosen(labels or [])}
    apps.link()
    found = apps.problems()
    if labels:
        found = [sentence for sentence in found if sentence.startswith(tuple(f"{label}." for label in chosen))]
    if found:
        return _tell(context, found)
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in chosen]
    count = sum(not model._meta.auto_created for model in models)
    context.out.print(Text(f"The models are sound ({count} {'model' if count == 1 else 'models'}).", "green"))
    if database is None:
        return 0
    where = context.database(database)
    missing = _missing_tables(context, where, models)
    if missing:
        code = _tell(context, missing)
        context.err.print(f"Bring it up to date with: {context.program} migrate", style="yellow")
        return code
    context.out.print(Text(f"{shown_url(where, project)} has all their tables and columns.", "green"))
    return 0


def _tell(context: Context, sentences: list[str]) -> int:
    count = len(sentences)
    context.err.print(Text(f"{count} {'problem' if count == 1 else 'problems'} found", "bold red"))
    for sentence in sentences:
        context.err.print(f"  - {sentence}")
    return 1


def _missing_tables(context: Context, database: Database, models: list[Any]) -> list[str]:
    """A sentence for each model whose table, or a column of it, is not there. Reads one row of each table."""
    found: list[str] = []
    with Progress(context.err, "Looking at tables", len(models)) as progress:
        for model in models:
            if model._meta.managed and not model._meta.proxy:
                try:
                    model._base_manager.using(database.alias).first()
                except DatabaseError as error:
                    found.append(f"{model._meta.label}: {str(error).partition(chr(10))[0]}")
            progress.advance()
    return found
