"""Questions about all rows of a to-many relation: ``books__some=Q(…)``, ``__every``, ``__none``, ``books__count``.

All conditions of one ``Q`` hold for the same related row, and no row of the model is found twice: each becomes an
EXISTS (or a count) over the related rows, never a join.
"""

from __future__ import annotations

from typing import Any

from crowsfoot.errors import FieldError
from crowsfoot.query import paths
from crowsfoot.query.conditions import Q
from crowsfoot.query.resolved import Condition, RelatedCount, RelatedExists

SOME, EVERY, NONE, COUNT = "some", "every", "none", "count"
QUANTIFIERS = frozenset({SOME, EVERY, NONE})


def asks_for_all(path: paths.Path) -> bool:
    """Whether a path stops at a relation and goes on with a word of this module."""
    if path.final is None or not path.rest:
        return False
    return path.rest[0] in QUANTIFIERS or (path.rest[0] == COUNT and path.final.many)


def quantified(scope: Any, path: paths.Path, q: Any) -> Any:
    """``path__some=q`` and its kin, bound to ``scope``. Raises ``FieldError`` or ``TypeError``."""
    word = path.rest[0]
    name = paths.SEPARATOR.join([*(end.name for end in path.ends), word])
    if len(path.rest) > 1:
        raise FieldError(f"Nothing can follow {name!r}: put the conditions into its Q.")
    if not any(end.many for end in path.ends):
        raise FieldError(f"{name!r}: {path.final.name!r} leads to one row only; write its fields' names instead.")
    if not getattr(q, "conditional", False):
        raise TypeError(f"{name!r} takes conditions, {name}=Q(…), not {q!r}.")
    found = exists(scope, path.ends, ~Q(q) if word == EVERY else q)
    return found if word == SOME else Condition([found], negated=True)


def exists(scope: Any, ends: tuple[Any, ...], q: Any) -> Any:
    """Whether ``ends`` lead to a row that meets ``q``; each to-many step is an EXISTS inside the one before."""
    first = next(position for position, end in enumerate(ends) if end.many)
    prefix, end, after = ends[:first], ends[first], ends[first + 1 :]
    inner = scope.inner(end)
    if any(step.many for step in after):
        condition = exists(inner, after, q)
    else:
        inner.start_from(after)
        condition = inner.resolve_condition(q)
    scope.take(inner)
    return RelatedExists((*scope.prefix, *prefix), end, inner.query.with_step(condition), 0, scope.group)


def counted(scope: Any, path: paths.Path) -> Any:
    """``path__count``: the number of rows that a to-many relation has, as an expression. Raises ``FieldError``."""
    prefix, end = path.ends[:-1], path.ends[-1]
    if any(step.many for step in prefix):
        name = paths.SEPARATOR.join(step.name for step in path.ends)
        raise FieldError(f"'{name}__count' counts through several to-many relations; use annotate(n=Count({name!r})).")
    return RelatedCount((*scope.prefix, *prefix), end, scope.query.far_side(end), 0, scope.group)
