"""``check``: whether the models are sound, and on demand whether a database has their tables."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from crowsfoot.cli.context import Context, Ctx, shown_url
from crowsfoot.drift import find_drift
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
        Also look whether this database (an alias, such as 'default') has the tables, columns and foreign keys, with the
        rules that the models say. Two queries.
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
    try:
        drift = find_drift(models, where.alias)
    except DatabaseError as error:
        drift = [str(error).partition("\n")[0]]
    if drift:
        code = _tell(context, drift)
        context.err.print(f"Bring it up to date with: {context.program} migrate", style="yellow")
        return code
    context.out.print(Text(f"{shown_url(where, project)} has all their tables, columns and foreign keys.", "green"))
    return 0


def _tell(context: Context, sentences: list[str]) -> int:
    count = len(sentences)
    context.err.print(Text(f"{count} {'problem' if count == 1 else 'problems'} found", "bold red"))
    for sentence in sentences:
        context.err.print(f"  - {sentence}")
    return 1
