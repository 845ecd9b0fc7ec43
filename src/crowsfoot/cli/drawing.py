"""``diagram``: the models and their relations as a crow's-foot diagram."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from crowsfoot.cli.context import Context, Ctx
from crowsfoot.diagram import legend, to_mermaid, to_text

OWN = "crowsfoot."


def diagram(
    labels: Annotated[list[str] | None, Parameter(name="apps")] = None,
    /,
    *,
    mermaid: Annotated[bool, Parameter(negative="")] = False,
    context: Ctx,
) -> int:
    """Draw the models and how they are related.

    Parameters
    ----------
    labels
        Draw the models of these apps; without any, the project's own and the models that they point to.
    mermaid
        Print Mermaid's text instead, for a README or a documentation page.
    """
    context.load_sound()
    models = _models(context, labels or [])
    if not models:
        context.err.print("There are no models to draw yet.", style="yellow")
        return 0
    if mermaid:
        context.out.print(to_mermaid(models), end="")
        return 0
    plain = not context.out.encoding.lower().startswith("utf")
    context.out.print(to_text(models, context.out.width, ascii=plain), soft_wrap=True)
    context.out.print(legend(ascii=plain), style="dim")
    return 0


def _models(context: Context, labels: list[str]) -> list[Any]:
    chosen = context.chosen(labels)
    if labels:
        return [model for app in chosen for model in app.get_models()]
    own = [model for app in chosen if not app.name.startswith(OWN) for model in app.get_models()]
    fields = [field for model in own for field in [*model._meta.local_fields, *model._meta.local_many_to_many]]
    targets = [field.related_model for field in fields if field.is_relation]
    return list(dict.fromkeys([*own, *targets]))
